import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import type { TSchema } from 'typebox';
import { GATEWAY_SETTINGS } from '../../src/gateway/settings.js';
import { BUS_ANSWERS, BUS_MESSAGES } from '../../src/gateway/signaling/bus-schemas.js';
import { FROM_GATEWAY, FROM_RELAY } from '../../src/messages/relay-registry.js';
import { REQUESTS } from '../../src/messages/requests.js';
import { FROM_ENDPOINT } from '../../src/messages/signaling.js';
import { operatorSettingsSchema } from '../../src/operator/settings.js';
import { RELAY_SETTINGS } from '../../src/relay/settings.js';

const requests = Object.entries(REQUESTS).map(([name, { request }]) => [name, request] as const);
const schemas: readonly (readonly [string, TSchema])[] = [
  ['settings of the gateway', GATEWAY_SETTINGS],
  ['settings of the relay', RELAY_SETTINGS],
  ['settings of the operator', operatorSettingsSchema],
  ['messages of endpoints', FROM_ENDPOINT],
  ['messages of relays', FROM_RELAY],
  ['messages to relays', FROM_GATEWAY],
  ...Object.entries(BUS_MESSAGES),
  ...Object.entries(BUS_ANSWERS),
  ...requests,
];

describe('the schemas in our sources, which programs take without a look', () => {
  const ajv = new Ajv({ strict: false });

  it.each(schemas)('%s are JSON Schema', (_, schema) => {
    expect([ajv.validateSchema(schema), ajv.errors]).toEqual([true, null]);
  });

  it('would be found wrong', () => {
    expect(ajv.validateSchema({ type: 'nothing' })).toBe(false);
  });
});

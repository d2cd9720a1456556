import { describe, expect, it } from '@jest/globals';
import type { TSchema } from 'typebox';
import { restartPart } from '../runtime/live-settings.js';
import { readSettings } from '../runtime/settings.js';
import { RELAY_GATEWAYS, RELAY_PATHS, RELAY_SETTINGS } from './settings.js';

/** The least that a relay can be started with. */
const least = {
  version: 1,
  pool: {
    namespace: 'edge',
    name: 'eu',
    region: 'eu-central-1',
    identity: 'spiffe://abc.sallyport/ns/edge/RelayPool/eu',
  },
  listeners: { relay: { port: 3478 }, fallback: { enabled: true, port: 5349 }, health: {} },
  tls: {
    certificateFile: `${RELAY_PATHS.tls}/tls.crt`,
    keyFile: `${RELAY_PATHS.tls}/tls.key`,
  },
  gateways: { directoryFile: `${RELAY_PATHS.gateways}/gateways.json` },
  stun: { allowPlain: false },
  capacity: { maxSessions: 2000, softKbpsPerSession: 50_000, hardKbpsPerSession: 100_000 },
  rateLimits: {
    handshakesPerAddressPerSecond: 10,
    handshakesPerSecond: 2000,
    stunRequestsPerAddressPerSecond: 5,
    fallbackConnectionsPerAddressPerMinute: 30,
    packetsPerSessionPerSecond: 20_000,
  },
  drain: { seconds: 120 },
  peerAddresses: { denied: ['10.96.0.0/12'], own: [] },
  logLevel: 'info',
};
const read = (change: object) =>
  readSettings(RELAY_SETTINGS, { ...least, ...change }, 'settings.json');

describe('the settings of a relay', () => {
  const settings = read({});

  it('serves health and metrics on 9090, on all addresses of the pod', () => {
    expect(settings.listeners.health).toEqual({ port: 9090, addresses: [] });
  });

  it.each([
    ['an unknown section', { insecure: true }, /insecure/],
    ['another version', { version: 2 }, /version/],
    [
      'a port that needs a capability',
      { listeners: { ...least.listeners, relay: { port: 80 } } },
      /1024/,
    ],
    ['a drain without end', { drain: { seconds: 86_400 } }, /3,?600/],
    ['a range that is none', { peerAddresses: { denied: ['10.0.0.0'], own: [] } }, /denied/],
    ['a newline in a path', { tls: { ...least.tls, keyFile: '/etc/key\n--insecure' } }, /keyFile/],
    ['a missing identity', { pool: { ...least.pool, identity: undefined } }, /identity/],
  ])('refuses %s and names it', (_, change, named) => {
    expect(() => read(change)).toThrow(named);
  });

  it('rolls pods for ports, drain and identity, and for nothing that a relay takes up live', () => {
    const before = restartPart(RELAY_SETTINGS, settings);
    const live = read({
      stun: { allowPlain: true },
      rateLimits: { ...least.rateLimits, handshakesPerAddressPerSecond: 1 },
      peerAddresses: { denied: ['10.0.0.0/8'], own: ['192.0.2.7'] },
      capacity: { maxSessions: 5, softKbpsPerSession: 64, hardKbpsPerSession: 128 },
      logLevel: 'debug',
    });
    expect(restartPart(RELAY_SETTINGS, live)).toEqual(before);
    for (const change of [
      { listeners: { ...least.listeners, fallback: { enabled: false, port: 5349 } } },
      { listeners: { ...least.listeners, relay: { port: 3479 } } },
      { drain: { seconds: 60 } },
    ]) {
      expect(restartPart(RELAY_SETTINGS, read(change))).not.toEqual(before);
    }
  });

  it('says of each value what it means, and bounds each number, text and list', () => {
    const leaves = leavesOf(RELAY_SETTINGS);
    expect(leaves.length).toBeGreaterThan(25);
    expect(leaves.filter(({ schema }) => !schema.description).map(({ path }) => path)).toEqual([]);
    expect(leaves.filter(({ schema }) => !isBounded(schema)).map(({ path }) => path)).toEqual([]);
  });
});

describe('the directory of gateways', () => {
  const gateway = {
    namespace: 'edge',
    name: 'main',
    identity: 'spiffe://abc.sallyport/ns/edge/SignalingGateway/main',
    host: 'main-gateway-internal.edge.svc',
    port: 9443,
    leaseKeys: [
      {
        kid: 'A'.repeat(22),
        publicKey: 'A'.repeat(43),
        notBefore: '2026-01-01T00:00:00Z',
        notAfter: '2026-01-03T00:00:00Z',
      },
    ],
    caCertificates: [],
  };
  const directory = (change: object) => () =>
    readSettings(
      RELAY_GATEWAYS,
      { version: 1, gateways: [{ ...gateway, ...change }] },
      'gateways.json',
    );

  it('takes public halves and dates of lease keys', () => {
    expect(directory({})().gateways[0]?.leaseKeys[0]?.kid).toBe('A'.repeat(22));
  });

  it.each([
    ['a private half', { leaseKeys: [{ ...gateway.leaseKeys[0], privateKey: 'x' }] }],
    ['a key without an end', { leaseKeys: [{ ...gateway.leaseKeys[0], notAfter: undefined }] }],
    [
      'a date in local time',
      { leaseKeys: [{ ...gateway.leaseKeys[0], notAfter: '2026-01-03T00:00:00+02:00' }] },
    ],
    ['more than four CA certificates', { caCertificates: ['1', '2', '3', '4', '5'] }],
  ])('S13: refuses %s', (_, change) => {
    expect(directory(change)).toThrow();
  });
});

interface Leaf {
  readonly path: string;
  readonly schema: Shape;
}
interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly items?: TSchema;
  readonly anyOf?: readonly TSchema[];
  readonly const?: unknown;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

function leavesOf(schema: TSchema, path = ''): Leaf[] {
  const shape = schema as Shape;
  if (!shape.properties) return [{ path, schema: shape }];
  return Object.entries(shape.properties).flatMap(([name, part]) =>
    leavesOf(part, `${path}.${name}`),
  );
}

function isBounded(schema: Shape): boolean {
  if (schema.anyOf || schema.const !== undefined || schema.type === 'boolean') return true;
  if (schema.type === 'integer') return schema.maximum !== undefined;
  if (schema.type === 'string') {
    return schema.maxLength !== undefined || /\{\d*,?\d+\}\$$/.test(schema.pattern ?? '');
  }
  return schema.maxItems !== undefined && isBounded(schema.items as Shape);
}

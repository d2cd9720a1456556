/* Each field that we own of each object of two gateways, edited by others in three ways (field-edits.ts). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { planGateway } from '../../../src/operator/signaling-gateway/plan.js';
import { goodSecrets, observedGateway } from '../../unit/rooms/observed-gateway.js';
import type { TestApiServer } from '../bed/api-server.js';
import { settled, startEngine, startEngineBed } from '../engine/engine-bed.js';
import type { TestEngine } from '../engine/engine-bed.js';
import { EVERY_WAY, FieldEdits } from './field-edits.js';
import { gatewayAt, gatewayRooms, ROOM_SETTINGS } from './gateway-rooms.js';
import { SECRETS, VARIANTS } from './gateway-variants.js';

const NAMESPACE = 'drift';
const NAMES = ['replicated', 'behind-ingress'] as const;

let server: TestApiServer;
let running: TestEngine;
let desired: readonly KubernetesObject[];
let edits: FieldEdits;

beforeAll(async () => {
  server = await startEngineBed({ crds: true });
  edits = new FieldEdits(server);
  await server.createNamespace(NAMESPACE);
  for (const [name, stringData] of Object.entries(SECRETS)) {
    const metadata = { name, namespace: NAMESPACE };
    await server.apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData });
  }
  running = startEngine(server, { reconcilers: gatewayRooms });
  for (const name of NAMES) {
    await server.apply({
      apiVersion: 'sallyport.dev/v1alpha1',
      kind: 'SignalingGateway',
      metadata: { name, namespace: NAMESPACE },
      spec: { hosts: ['chat.example.com'], ...VARIANTS[name] },
    });
  }
  await settled(running, 500);
  const plans = await Promise.all(NAMES.map((name) => gatewayAt(server, NAMESPACE, name)));
  desired = plans.flatMap((gateway) => {
    const serves = { certificates: false, serviceMonitors: false };
    const secrets = goodSecrets(gateway);
    const observed = observedGateway(gateway, { serves, secrets });
    return planGateway(observed, ROOM_SETTINGS, new Date()).plan.apply;
  });
});
afterAll(async () => {
  await running.stop();
  await server.stop();
});

const EDITABLE = [
  'ConfigMap',
  'Deployment',
  'Ingress',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Service',
  'ServiceAccount',
  'StatefulSet',
];

describe('every field of every object of a gateway', () => {
  it.each(EVERY_WAY)(
    'is repaired after %s',
    async (_, kind, atLeast) => {
      const taken = await edits.editAll(kind, desired);
      expect([...new Set(taken)].sort()).toEqual(EDITABLE);
      expect(taken.length).toBeGreaterThan(atLeast);
    },
    300_000,
  );

  it('and the gateway never said that it gave up', async () => {
    for (const name of NAMES) {
      const { status } = await gatewayAt(server, NAMESPACE, name);
      const drift = status?.conditions.find(({ type }) => type === 'DriftDetected');
      expect(drift).toMatchObject({ status: 'False', reason: 'DriftRepaired' });
    }
  });
});

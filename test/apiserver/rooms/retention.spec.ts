import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RetentionPolicy } from '../../../src/kinds/retention-policy.gen.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { settled, startEngine, startEngineBed } from '../engine/engine-bed.js';
import type { TestEngine } from '../engine/engine-bed.js';
import { gatewayAt } from './gateway-rooms.js';
import { allRooms } from './pool-rooms.js';

const NAMESPACE = 'retention';
const POLICIES = `/apis/sallyport.dev/v1alpha1/namespaces/${NAMESPACE}/retentionpolicies`;
const DAY = 86_400;

let server: TestApiServer;
let running: TestEngine;

beforeAll(async () => {
  server = await startEngineBed({ crds: true });
  await server.createNamespace(NAMESPACE);
  running = startEngine(server, { reconcilers: allRooms });
  await server.apply({
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'SignalingGateway',
    metadata: { name: 'edge', namespace: NAMESPACE, labels: { tier: 'public' } },
    spec: { hosts: ['chat.example.com'] },
  });
  await settled(running, 400);
});
afterAll(async () => {
  await running.stop();
  await server.stop();
});

async function applyPolicy(name: string, spec: object): Promise<void> {
  await server.apply({
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'RetentionPolicy',
    metadata: { name, namespace: NAMESPACE },
    spec: { gateways: { selector: { matchLabels: { tier: 'public' } } }, ...spec },
  });
}

const policy = async (name: string) =>
  (await server.admin.get(`${POLICIES}/${name}`)) as RetentionPolicy;
const remove = (name: string) => server.admin.call('DELETE', `${POLICIES}/${name}`);
const conditionOf = async (name: string, type: string) =>
  (await policy(name)).status?.conditions.find((condition) => condition.type === type);
const retention = async () => {
  const path = `/api/v1/namespaces/${NAMESPACE}/configmaps/edge-gateway-settings`;
  const map = await server.admin.get(path);
  const settings = JSON.parse(map.data['settings.json'] as string) as {
    readonly retention: {
      readonly deletion: string;
      readonly classes: Readonly<Record<string, object>>;
      readonly legalHolds: readonly object[];
    };
  };
  return settings.retention;
};

describe('a RetentionPolicy', () => {
  it('reaches the settings of its gateways, without a restart, and says so', async () => {
    const workload = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets/edge-gateway`;
    const before = (await server.admin.get(workload)).metadata.generation;
    await applyPolicy('ours', { classes: { session: { atMostSeconds: 30 * DAY } } });
    await eventually('Ready', async () => (await conditionOf('ours', 'Ready'))?.status === 'True');
    expect((await retention()).classes).toEqual({ session: { atMostSeconds: 30 * DAY } });
    expect((await policy('ours')).status).toMatchObject({
      gateways: [{ name: 'edge', applied: true }],
      effective: [
        {
          gateway: 'edge',
          class: 'session',
          atMostSeconds: 30 * DAY,
          atMostSource: 'ours',
          conflict: false,
        },
      ],
    });
    expect((await server.admin.get(workload)).metadata.generation).toBe(before);
  });

  it('S118: that contradicts another one suspends every deletion, and both say which and why', async () => {
    await applyPolicy('theirs', { classes: { session: { atLeastSeconds: 60 * DAY } } });
    for (const name of ['ours', 'theirs']) {
      await eventually('stalled', async () => {
        return (await conditionOf(name, 'Stalled'))?.reason === 'RetentionContradiction';
      });
      const conflict = await conditionOf(name, 'RetentionConflict');
      expect(conflict?.status).toBe('True');
      expect(conflict?.message).toContain('ours');
      expect(conflict?.message).toContain('theirs');
    }
    await eventually('suspended', async () => (await retention()).deletion === 'Suspended');
    const { status } = await gatewayAt(server, NAMESPACE, 'edge');
    expect(status?.conditions.find(({ type }) => type === 'RetentionConsistent')?.status).toBe(
      'False',
    );
    await remove('theirs');
    await eventually('Ready', async () => (await conditionOf('ours', 'Ready'))?.status === 'True');
    expect((await retention()).deletion).toBe('Enabled');
  });

  it('holds with a legal hold, and ends it by itself', async () => {
    const until = `${new Date(Date.now() + 3_000).toISOString().slice(0, 19)}Z`;
    await applyPolicy('held', {
      classes: { account: { atLeastSeconds: DAY } },
      legalHold: { until, reason: 'Case 2027-114, court order' },
    });
    await eventually('held', async () => (await retention()).legalHolds.length === 1);
    expect((await conditionOf('held', 'LegalHold'))?.reason).toBe('HoldInForce');
    await eventually(
      'ended',
      async () => (await conditionOf('held', 'LegalHold'))?.reason === 'HoldEnded',
    );
    await eventually('gone', async () => (await retention()).legalHolds.length === 0);
    await remove('held');
  });

  it('makes no call when nothing is to do, nor a write after a restart', async () => {
    await settled(running, 400);
    let since = await server.auditMark();
    await applyPolicy('ours', { classes: { session: { atMostSeconds: 30 * DAY } } });
    await settled(running, 400);
    expect((await server.callsOf(running.user, { since })).counts).toEqual({});
    await running.stop();
    since = await server.auditMark();
    running = startEngine(server, { reconcilers: allRooms });
    await settled(running, 600);
    const { entries } = await server.callsOf(running.user, { since });
    const resources = entries.filter(({ objectRef }) => objectRef !== undefined);
    expect(resources.filter(({ verb }) => !['list', 'watch'].includes(verb))).toEqual([]);
  });
});

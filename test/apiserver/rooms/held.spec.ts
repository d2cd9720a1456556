/* Resources that are held, by a pause or because they cannot be rendered: what others decide reaches their pods. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { settled, startEngine, startEngineBed } from '../engine/engine-bed.js';
import type { TestEngine } from '../engine/engine-bed.js';
import { gatewayAt } from './gateway-rooms.js';
import { allRooms } from './pool-rooms.js';

const NAMESPACE = 'held';
const PAUSE = { 'sallyport.dev/paused-until': new Date(Date.now() + 3_600_000).toISOString() };

let server: TestApiServer;
let running: TestEngine;

beforeAll(async () => {
  server = await startEngineBed({ crds: true });
  await server.createNamespace(NAMESPACE);
  running = startEngine(server, { reconcilers: allRooms });
  await apply('SignalingGateway', 'edge', { hosts: ['chat.example.com'] });
  await apply('RelayPool', 'pool', { region: 'eu-central', replicas: 1 });
  await settled(running, 500);
});
afterAll(async () => {
  await running.stop();
  await server.stop();
});

async function apply(kind: string, name: string, spec: object, annotations = {}): Promise<void> {
  const metadata = { name, namespace: NAMESPACE, annotations };
  await server.apply({ apiVersion: 'sallyport.dev/v1alpha1', kind, metadata, spec });
}

const fileIn = async (configMap: string, name: string): Promise<string> => {
  const found = await server.admin.get(`/api/v1/namespaces/${NAMESPACE}/configmaps/${configMap}`);
  return found?.data[name] as string;
};
const policy = (name: string) =>
  server.admin.get(`/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies/${name}`);
const writesSince = async (since: number) => (await server.callsOf(running.user, { since })).writes;

describe('a paused gateway', () => {
  beforeAll(async () => {
    const spec = { hosts: ['chat.example.com'], listener: { port: 8555 } };
    await apply('SignalingGateway', 'edge', spec, PAUSE);
    await settled(running, 300);
  });

  it('is bound by a legal hold, and by nothing of its own spec', async () => {
    await apply('RetentionPolicy', 'case', {
      gateways: { names: ['edge'] },
      classes: { account: { atLeastSeconds: 86_400 } },
      legalHold: { until: '2099-12-31T00:00:00Z', reason: 'case 2027-114' },
    });
    await eventually('the hold is in the settings', async () => {
      return (await fileIn('edge-gateway-settings', 'settings.json')).includes('case 2027-114');
    });
    const settings = await fileIn('edge-gateway-settings', 'settings.json');
    expect(settings).not.toContain('8555');
    expect(JSON.parse(settings)).toMatchObject({ listeners: { public: { port: 8443 } } });
    await settled(running, 300);
    const since = await server.auditMark();
    running.engine.enqueueAll();
    await settled(running, 400);
    expect((await server.callsOf(running.user, { since })).counts).toEqual({});
  });

  it('lets relays of a new pool in, and takes up one policy for all when the pause ends', async () => {
    await apply('RelayPool', 'late', { region: 'eu-central', replicas: 1 });
    const name = 'edge-gateway-relays';
    await eventually('the policy beside', async () =>
      JSON.stringify(await policy(name)).includes('"app.kubernetes.io/instance":"late"'),
    );
    await apply('SignalingGateway', 'edge', { hosts: ['chat.example.com'] });
    await eventually('one policy', async () => (await policy(name)) === undefined);
    expect(JSON.stringify((await policy('edge-gateway')).spec)).toContain('"late"');
    await settled(running, 300);
    expect(await fileIn('edge-gateway-settings', 'settings.json')).toContain('case 2027-114');
  });
});

describe('a pool of an unsupported render version', () => {
  it('S22: hears at once that a key of its gateway was revoked, and writes nothing else', async () => {
    await apply('RelayPool', 'pool', { region: 'eu-central', replicas: 1, renderVersion: '9' });
    await settled(running, 400);
    const { status } = await gatewayAt(server, NAMESPACE, 'edge');
    const kid = status?.keys?.find(({ state }) => state === 'Current')?.kid ?? '';
    expect(await fileIn('pool-relay-gateways', 'gateways.json')).toContain(kid);
    await apply(
      'SignalingGateway',
      'edge',
      { hosts: ['chat.example.com'] },
      { 'sallyport.dev/revoke': kid },
    );
    await eventually('the key is gone from the relays', async () => {
      return !(await fileIn('pool-relay-gateways', 'gateways.json')).includes(kid);
    });
    await settled(running, 400);
    const since = await server.auditMark();
    running.engine.enqueueAll();
    await settled(running, 400);
    expect(await writesSince(since)).toBe(0);
  });
});

describe('a gateway of an unsupported render version', () => {
  it('S22: has a key revoked, and learns of new relays', async () => {
    const spec = { hosts: ['chat.example.com'], renderVersion: '9' };
    await apply('SignalingGateway', 'edge', spec);
    await settled(running, 400);
    const keys = async () => (await gatewayAt(server, NAMESPACE, 'edge')).status?.keys ?? [];
    const kid = (await keys()).find(({ state }) => state === 'Current')?.kid ?? '';
    await apply('SignalingGateway', 'edge', spec, { 'sallyport.dev/revoke': kid });
    await eventually('it is revoked', async () => {
      const now = await keys();
      return now.length > 0 && now.every((key) => key.kid !== kid);
    });
    await apply('RelayPool', 'third', { region: 'eu-central', replicas: 1 });
    await eventually('the pool is in the directory', async () => {
      return (await fileIn('edge-gateway-relays', 'relays.json')).includes('"third"');
    });
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Logger } from '../../../src/runtime/log.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { settled, startEngine, startEngineBed } from '../engine/engine-bed.js';
import type { TestEngine } from '../engine/engine-bed.js';
import { selfSigned } from '../rbac-certificate.js';
import { gatewayAt, gatewayRooms, managedObjects } from './gateway-rooms.js';
import { SECRETS, VARIANTS } from './gateway-variants.js';

const NAMESPACE = 'behaviour';
const MERGE = { contentType: 'application/merge-patch+json' };
const at = (path: string) => `/api/v1/namespaces/${NAMESPACE}/${path}`;
const gatewayPath = (name: string) =>
  `/apis/sallyport.dev/v1alpha1/namespaces/${NAMESPACE}/signalinggateways/${name}`;
const deploymentPath = (name: string) =>
  `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${name}-gateway`;

let server: TestApiServer;
let running: TestEngine;
const lines: string[] = [];

/** Keeps every line at every level. */
const log: Logger = {
  debug: (...line) => lines.push(JSON.stringify(line)),
  info: (...line) => lines.push(JSON.stringify(line)),
  warn: (...line) => lines.push(JSON.stringify(line)),
  error: (...line) => lines.push(JSON.stringify(line)),
  child: () => log,
};

beforeAll(async () => {
  server = await startEngineBed({ crds: true });
  await server.createNamespace(NAMESPACE);
  running = startEngine(server, { reconcilers: gatewayRooms, log });
  await running.engine.synced;
});
afterAll(async () => {
  await running.stop();
  await server.stop();
});

async function applyGateway(name: string, spec: object, annotations = {}): Promise<void> {
  await server.apply({
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'SignalingGateway',
    metadata: { name, namespace: NAMESPACE, annotations },
    spec: { hosts: ['chat.example.com'], ...spec },
  });
}

async function applySecret(name: string, stringData: object, labels = {}): Promise<void> {
  const metadata = { name, namespace: NAMESPACE, labels };
  await server.apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData });
}

const annotate = (name: string, annotations: Record<string, string | null>) =>
  server.admin.call('PATCH', gatewayPath(name), { metadata: { annotations } }, MERGE);
const condition = async (name: string, type: string) => {
  const { status } = await gatewayAt(server, NAMESPACE, name);
  return status?.conditions.find((each) => each.type === type);
};
const reason = (name: string, type: string, wanted: string) =>
  eventually(`${name} ${type} ${wanted}`, async () => {
    const found = await condition(name, type);
    return found?.reason === wanted ? found : undefined;
  });
const keys = async (name: string) => (await gatewayAt(server, NAMESPACE, name)).status?.keys ?? [];
const currentKey = async (name: string) =>
  (await keys(name)).find(({ state }) => state === 'Current')?.kid;

describe('a Secret that is missing', () => {
  it('is a condition; created later it is found, and the pods come', async () => {
    await applyGateway('waits', { listener: { tls: { secretRef: { name: 'late' } } } });
    const { message } = await reason('waits', 'Stalled', 'SecretMissing');
    expect(message).toContain('no Secret late');
    expect((await server.request('GET', at('services/waits-gateway'))).status).toBe(200);
    await applySecret('late', SECRETS['own-tls']!);
    await annotate('waits', { 'example.com/look': 'now' });
    await reason('waits', 'ReferencesResolved', 'AllFound');
  });

  it('takes nothing down that runs', async () => {
    for (const [name, data] of Object.entries(SECRETS)) await applySecret(name, data);
    await applyGateway('runs', { ...VARIANTS['replicated'] });
    await eventually('the Deployment', () => server.admin.get(deploymentPath('runs')));
    await settled(running);
    const before = await server.admin.get(deploymentPath('runs'));
    await server.admin.call(
      'PATCH',
      gatewayPath('runs'),
      { spec: { replicas: 5, listener: { tls: { secretRef: { name: 'nowhere' } } } } },
      MERGE,
    );
    await reason('runs', 'Stalled', 'SecretMissing');
    await settled(running);
    const after = await server.admin.get(deploymentPath('runs'));
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });
});

describe('a Secret with another key than that of its certificate', () => {
  it('is a condition, and what runs stays; put right, it is served', async () => {
    const pair = SECRETS['own-tls']!;
    const other = await selfSigned(['*.example.com']);
    await applySecret('mixed', { ...pair, 'tls.key': other['tls.key'] });
    await applyGateway('serves', {});
    const path = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets/serves-gateway`;
    const before = await eventually('the StatefulSet', () => server.admin.get(path));
    const spec = { listener: { tls: { internal: null, secretRef: { name: 'mixed' } } } };
    await server.admin.call('PATCH', gatewayPath('serves'), { spec }, MERGE);
    const { message } = await reason('serves', 'Stalled', 'SecretInvalid');
    expect(message).toContain('tls.key of Secret mixed is not the key of its certificate');
    await settled(running);
    expect((await server.admin.get(path)).spec.template).toEqual(before.spec.template);
    await applySecret('mixed', pair);
    await annotate('serves', { 'example.com/look': 'now' });
    await reason('serves', 'ReferencesResolved', 'AllFound');
    await eventually('it is served', async () =>
      JSON.stringify((await server.admin.get(path)).spec.template).includes('"mixed"'),
    );
  });
});

describe('T51: a user with rights on gateways and none on Secrets', () => {
  it("cannot have a gateway serve another program's key", async () => {
    await applyGateway('deputy', {
      listener: { tls: { secretRef: { name: 'waits-gateway-tls' } } },
    });
    await applySecret(
      'waits-gateway-tls',
      { 'tls.crt': 'x', 'tls.key': 'y' },
      { 'app.kubernetes.io/managed-by': 'sallyport' },
    );
    await annotate('deputy', { 'example.com/look': 'now' });
    const { message } = await reason('deputy', 'Stalled', 'SecretInvalid');
    expect(message).toContain('Name a Secret of your own');
  });
});

describe('a foreign object in the way', () => {
  it('is a condition, everything else is made, and the annotation on both takes it over', async () => {
    await server.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'blocked-gateway', namespace: NAMESPACE },
      spec: { ports: [{ port: 80 }] },
    });
    await applyGateway('blocked', {});
    const { message } = await reason('blocked', 'Stalled', 'ForeignObject');
    expect(message).toContain('blocked-gateway');
    expect((await server.request('GET', at('services/blocked-gateway-internal'))).status).toBe(200);
    const consent = { 'sallyport.dev/adopt': 'true' };
    const metadata = { annotations: consent };
    await server.admin.call('PATCH', at('services/blocked-gateway'), { metadata }, MERGE);
    await annotate('blocked', consent);
    await reason('blocked', 'Stalled', 'RollingOut');
  });
});

describe('lease keys', () => {
  beforeAll(async () => {
    await applyGateway('keys', {});
    await eventually('a current key', () => currentKey('keys'));
    await settled(running);
  });

  it('that somebody edited are trusted no longer', async () => {
    const before = await currentKey('keys');
    const data = { 'keys.json': Buffer.from('[]').toString('base64') };
    await server.admin.call('PATCH', at('secrets/keys-gateway-lease-keys'), { data }, MERGE);
    await eventually('another key', async () => {
      const now = await currentKey('keys');
      return now !== undefined && now !== before;
    });
  });

  it('S22: are revoked at once by annotation, and the next one signs', async () => {
    await settled(running);
    const before = (await currentKey('keys')) ?? '';
    await annotate('keys', { 'sallyport.dev/revoke': before });
    await eventually('another key', async () => {
      const now = await currentKey('keys');
      return now !== undefined && now !== before;
    });
    expect((await keys('keys')).map(({ kid }) => kid)).not.toContain(before);
  });
});

describe('a pause', () => {
  it('holds the spec back, says so, and ends by itself', async () => {
    await applyGateway('paused', {});
    const path = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets/paused-gateway`;
    await eventually('the StatefulSet', () => server.admin.get(path));
    await settled(running);
    const until = new Date(Date.now() + 4000).toISOString();
    await annotate('paused', { 'sallyport.dev/paused-until': until });
    await reason('paused', 'Paused', 'PausedByAnnotation');
    const spec = { listener: { port: 8555 } };
    await server.admin.call('PATCH', gatewayPath('paused'), { spec }, MERGE);
    await eventually('a pending change', async () => {
      const { status } = await gatewayAt(server, NAMESPACE, 'paused');
      return status?.paused?.pendingChanges;
    });
    const held = await server.admin.get(path);
    expect(JSON.stringify(held.spec.template)).not.toContain('8555');
    await eventually('the change', async () =>
      JSON.stringify((await server.admin.get(path)).spec.template).includes('8555'),
    );
    await reason('paused', 'Paused', 'PauseExpired');
  });
});

describe('S21: what is secret', () => {
  it('is in Secrets and nowhere else', async () => {
    await settled(running);
    const all = await managedObjects(server, NAMESPACE);
    const material = all
      .filter(({ kind }) => kind === 'Secret')
      .flatMap((secret) => Object.entries(secret['data'] as Record<string, string>))
      .filter(([file]) => /key$|pem$/.test(file))
      .map(([, base64]) => Buffer.from(base64, 'base64').toString('utf8'))
      .flatMap((text) => text.split('\n').filter((line) => /^[A-Za-z0-9+/]{20,}/.test(line)));
    const canaries = [
      ...Object.values(SECRETS).flatMap((data) => Object.values(data)),
      ...[...JSON.stringify(SECRETS).matchAll(/CANARY-[a-z-]+/g)].map(([canary]) => canary),
      ...material,
    ];
    const gateways = await server.admin.get(
      `/apis/sallyport.dev/v1alpha1/namespaces/${NAMESPACE}/signalinggateways`,
    );
    const events = await server.admin.get(`/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`);
    const sinks = {
      objects: JSON.stringify(all.filter(({ kind }) => kind !== 'Secret')),
      secretMetadata: JSON.stringify(all.map(({ metadata }) => metadata)),
      gateways: JSON.stringify(gateways),
      events: JSON.stringify(events),
      logs: lines.join('\n'),
      writes: JSON.stringify(running.writes),
      metrics: await running.metrics.text(),
    };
    expect(material.length).toBeGreaterThan(10);
    expect(events.items.length).toBeGreaterThan(0);
    for (const [sink, text] of Object.entries(sinks)) {
      expect([sink, canaries.filter((canary) => text.includes(canary))]).toEqual([sink, []]);
    }
  });
});

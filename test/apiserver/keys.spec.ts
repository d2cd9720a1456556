import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { KeyFact } from '../../src/operator/keys/facts.js';
import type { TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';
import { settled, startEngine, startEngineBed } from './engine/engine-bed.js';
import type { TestEngine } from './engine/engine-bed.js';
import { gatewayAt, gatewayRooms, managedObjects } from './rooms/gateway-rooms.js';

const NAMESPACE = 'keys';
const PATH = `/api/v1/namespaces/${NAMESPACE}`;

let server: TestApiServer;
let running: TestEngine;
/** What the engine's clock is ahead of this machine's. */
let aheadMs = 0;
const clock = {
  now: () => new Date(Date.now() + aheadMs),
  monotonicMs: () => performance.now(),
};
const start = () =>
  startEngine(server, { reconcilers: (cluster) => gatewayRooms(cluster, {}, clock) });

beforeAll(async () => {
  server = await startEngineBed({ crds: true });
  await server.createNamespace(NAMESPACE);
  running = start();
  await applyGateway({});
  await settled(running, 400);
});
afterAll(async () => {
  await running.stop();
  await server.stop();
});

async function applyGateway(annotations: Readonly<Record<string, string>>): Promise<void> {
  await server.apply({
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'SignalingGateway',
    metadata: { name: 'edge', namespace: NAMESPACE, annotations },
    spec: { hosts: ['chat.example.com'] },
  });
}

interface StoredSecret {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly annotations: Readonly<Record<string, string>>;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly unknown[];
  };
  readonly data: Readonly<Record<string, string>>;
}

const secret = async (name: string) =>
  (await server.admin.get(`${PATH}/secrets/${name}`)) as StoredSecret;
const file = ({ data }: { readonly data: Readonly<Record<string, string>> }, name: string) =>
  Buffer.from(data[name] ?? '', 'base64').toString();
const internal = () => secret('edge-gateway-internal-tls');
const leaseKeys = async () => {
  const { metadata } = await secret('edge-gateway-lease-keys');
  return JSON.parse(metadata.annotations['sallyport.dev/keys'] ?? '[]') as KeyFact[];
};
const keyIn = async (state: string) => (await leaseKeys()).find((key) => key.state === state);

/** Somebody with kubectl. */
const patch = (path: string, body: object) =>
  server.request('PATCH', `${PATH}/${path}`, body, { contentType: 'application/merge-patch+json' });

describe('a namespace with a gateway, on a real API server', () => {
  it('has a CA that no resource owns, and leaves that verify against its published certificates', async () => {
    const { metadata } = await secret('sallyport-ca');
    expect(metadata.ownerReferences).toBeUndefined();
    const { data } = (await server.admin.get(`${PATH}/configmaps/sallyport-ca`)) as StoredSecret;
    const authority = new X509Certificate(data['ca.crt'] ?? '');
    const leaf = new X509Certificate(file(await internal(), 'tls.crt'));
    expect(leaf.checkIssued(authority)).toBe(true);
    expect(leaf.verify(authority.publicKey)).toBe(true);
    expect(leaf.subjectAltName).toContain(
      'URI:spiffe://test.sallyport/ns/keys/SignalingGateway/edge',
    );
  });

  it('shows the pins of both keys in status', async () => {
    const { status } = await gatewayAt(server, NAMESPACE, 'edge');
    const shown = status?.certificates?.find(({ purpose }) => purpose === 'Internal');
    expect(shown?.pins).toHaveLength(2);
    const { metadata } = await internal();
    expect(metadata.annotations['sallyport.dev/certificates']).toContain(shown!.pins[0]!);
  });

  it('S21, T34: shows key material in no other object, annotation, status, event or log of writes', async () => {
    const secrets = (await managedObjects(server, NAMESPACE)).filter(
      ({ kind }) => kind === 'Secret',
    );
    const material = secrets.flatMap((object) =>
      Object.entries(object['data'] as Readonly<Record<string, string>>)
        .filter(([name]) => /\.(pem|key)$/.test(name))
        .flatMap(([, text]) => Buffer.from(text, 'base64').toString().split('\n'))
        .filter((line) => line.length > 20 && !line.startsWith('-----')),
    );
    expect(material.length).toBeGreaterThanOrEqual(8);
    const objects = (await managedObjects(server, NAMESPACE)).filter(
      ({ kind }) => kind !== 'Secret',
    );
    const sinks = JSON.stringify([
      objects,
      secrets.map(({ metadata }) => metadata),
      await gatewayAt(server, NAMESPACE, 'edge'),
      await server.admin.get(`/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`),
      running.writes,
      await running.metrics.text(),
    ]);
    for (const line of material) {
      expect(sinks).not.toContain(line);
      expect(sinks).not.toContain(Buffer.from(line).toString('base64').slice(4, 40));
    }
  });

  it('writes nothing when an operator with empty memory takes over', async () => {
    await running.stop();
    const since = await server.auditMark();
    running = start();
    await settled(running, 400);
    expect((await server.callsOf(running.user, { since })).writes).toBe(0);
  });
});

describe('somebody with kubectl', () => {
  it.each([
    ['edge-gateway-lease-keys', 'keys.json'],
    ['edge-gateway-internal-tls', 'tls.key'],
    ['edge-gateway-tls', 'tls.key'],
    ['sallyport-ca', 'tls.key'],
  ])(
    'T51: who changes labels or owner of %s sees them come back, and the same keys',
    async (name, kept) => {
      const before = await secret(name);
      const changes = [
        { labels: { 'app.kubernetes.io/part-of': 'mine' } },
        { labels: { 'app.kubernetes.io/part-of': null } },
        ...(before.metadata.ownerReferences ? [{ ownerReferences: null }] : []),
      ];
      for (const metadata of changes) {
        await patch(`secrets/${name}`, { metadata });
        await eventually(`${name} is as before`, async () => {
          const { metadata: now } = await secret(name);
          expect(now.labels).toEqual(before.metadata.labels);
          expect(now.ownerReferences).toEqual(before.metadata.ownerReferences);
          return true;
        });
      }
      expect((await secret(name)).data[kept]).toBe(before.data[kept]);
    },
  );

  it('T51: who changes a certificate Secret gets a new key into it within seconds', async () => {
    const before = await internal();
    await patch('secrets/edge-gateway-internal-tls', { data: { 'tls.key': 'bWluZQ==' } });
    const after = await eventually('the leaf is replaced', async () => {
      const now = await internal();
      return now.data['tls.key'] === 'bWluZQ==' ? undefined : now;
    });
    expect(after.data['tls.key']).not.toBe(before.data['tls.key']);
    expect(new X509Certificate(file(after, 'tls.crt')).serialNumber).not.toBe(
      new X509Certificate(file(before, 'tls.crt')).serialNumber,
    );
  });

  it('T51: who changes the lease keys makes them rotate; what was signed stays valid for the overlap', async () => {
    const before = await keyIn('current');
    await patch('secrets/edge-gateway-lease-keys', { data: { 'keys.json': 'W10=' } });
    const retired = await eventually('the keys are new', () => keyIn('retired'));
    expect(retired.kid).toBe(before!.kid);
    expect((await secret('edge-gateway-lease-keys')).data).not.toHaveProperty([
      `${before!.kid}.pem`,
    ]);
  });

  it('who changes the public certificates of the CA sees them come back', async () => {
    await patch('configmaps/sallyport-ca', { data: { 'ca.crt': 'mine' } });
    await eventually('they are back', async () => {
      const { data } = (await server.admin.get(`${PATH}/configmaps/sallyport-ca`)) as StoredSecret;
      return data['ca.crt']?.startsWith('-----BEGIN');
    });
  });
});

describe('the annotations of a gateway', () => {
  it('S22: rotate, once the next key has been published for 180 seconds', async () => {
    const next = await keyIn('next');
    aheadMs += 181_000;
    await applyGateway({ 'sallyport.dev/rotate': 'first' });
    const current = await eventually('the next key signs', async () => {
      const now = await keyIn('current');
      return now?.kid === next!.kid ? now : undefined;
    });
    expect(current.public).toBe(next!.public);
    await settled(running, 300);
    const since = await server.auditMark();
    running.engine.enqueueAll();
    await settled(running, 300);
    expect((await server.callsOf(running.user, { since })).writes).toBe(0);
    const { status } = await gatewayAt(server, NAMESPACE, 'edge');
    const ready = status?.conditions.find(({ type }) => type === 'KeysReady');
    expect(ready).toMatchObject({ status: 'False', reason: 'NextPinTooNew' });
    expect(status?.lastRotation).toBeUndefined();
  });

  it('S22: revoke: the private half is gone at once and the next key signs', async () => {
    const { kid } = (await keyIn('current'))!;
    const next = (await keyIn('next'))!;
    await applyGateway({ 'sallyport.dev/rotate': 'first', 'sallyport.dev/revoke': kid });
    await eventually('it is revoked', async () => (await keyIn('revoked'))?.kid === kid);
    expect((await keyIn('current'))!.kid).toBe(next.kid);
    const { data } = await secret('edge-gateway-lease-keys');
    expect(Object.keys(data)).not.toContain(`${kid}.pem`);
    expect(Object.keys(data)).toContain(`${next.kid}.pem`);
  });
});

describe('time', () => {
  it('S22: a day later the lease keys have rotated by schedule, three weeks later the leaf is renewed with its key', async () => {
    const next = (await keyIn('next'))!;
    const first = await internal();
    aheadMs += 86_400_000 + 1_000;
    running.engine.enqueueAll();
    await eventually('the next key signs', async () => (await keyIn('current'))?.kid === next.kid);
    // The token of above: by now its next pin has been published for a day.
    await eventually('the leaf takes its next key', async () => {
      return (await internal()).data['tls.key'] === first.data['next.key'];
    });
    await eventually('the rotation is noted', async () => {
      return (await gatewayAt(server, NAMESPACE, 'edge')).status?.lastRotation?.token === 'first';
    });
    const before = await internal();
    aheadMs += 21 * 86_400_000;
    running.engine.enqueueAll();
    const after = await eventually('the leaf is renewed', async () => {
      const now = await internal();
      return now.data['tls.crt'] === before.data['tls.crt'] ? undefined : now;
    });
    expect(after.data['tls.key']).toBe(before.data['tls.key']);
  });
});

describe('the last resource of a namespace', () => {
  it('takes the CA with it', async () => {
    await server.request(
      'DELETE',
      `/apis/sallyport.dev/v1alpha1/namespaces/${NAMESPACE}/signalinggateways/edge`,
    );
    await eventually('Secret and ConfigMap are gone', async () => {
      const left = await managedObjects(server, NAMESPACE);
      return left.every(({ metadata }) => metadata.name !== 'sallyport-ca');
    });
  });
});

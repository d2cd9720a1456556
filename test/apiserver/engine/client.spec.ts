import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiError } from '../../../src/kubernetes/api-error.js';
import type {
  Call,
  CallRecord,
  ClientOptions,
  ClientConfig,
} from '../../../src/kubernetes/client-types.js';
import { ClusterClient } from '../../../src/kubernetes/cluster.client.js';
import type { KubernetesObject, ObjectRef } from '../../../src/kubernetes/object.js';
import { RESOURCE_KINDS } from '../../../src/kubernetes/resources.js';
import { startFaultProxy } from '../../faults/fault-proxy.js';
import type { FaultProxy } from '../../faults/fault-proxy.js';
import { startApiServer } from '../bed/api-server.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';

const THING = {
  apiVersion: 'test.sallyport.dev/v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
};
const PERMISSIVE = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.test.sallyport.dev' },
  spec: {
    group: 'test.sallyport.dev',
    scope: 'Namespaced',
    names: { plural: 'things', kind: 'Thing', singular: 'thing', listKind: 'ThingList' },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: PERMISSIVE } },
    ],
  },
};

let server: TestApiServer;
let proxy: FaultProxy;
const clients: ClusterClient[] = [];
const configMap = (name: string, data: Record<string, string> = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});
const refOfMap = (name: string): ObjectRef => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'default',
  name,
});

function clientOf(options: ClientOptions = {}, config: Partial<ClientConfig> = {}): ClusterClient {
  const base = { server: server.url, ca: server.ca };
  const token =
    (config.tokenFile ?? config.tokenProvider) ? {} : { token: server.tokenOf('admin') };
  const client = new ClusterClient(
    { ...base, ...token, ...config },
    { kinds: [...RESOURCE_KINDS, THING], ...options },
  );
  clients.push(client);
  return client;
}

/** What a call failed with. */
async function failureOf(call: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await call.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof ApiError) return error;
  throw error;
}

beforeAll(async () => {
  server = await startApiServer();
  proxy = await startFaultProxy(server);
  await server.apply(CRD);
  await eventually('the kind is served', () =>
    server.admin.get('/apis/test.sallyport.dev/v1/things'),
  );
  await server.apply(configMap('there') as never);
  const pages = Array.from({ length: 25 }, (_, i) => configMap(`page-${i}`));
  await Promise.all(pages.map((page) => server.apply(page as never)));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await proxy.stop();
  await server.stop();
});

describe('objects', () => {
  it('come back with every field, those that no type here knows included', async () => {
    const client = clientOf();
    const thing: KubernetesObject = {
      apiVersion: THING.apiVersion,
      kind: THING.kind,
      metadata: { name: 'odd', namespace: 'default' },
      spec: { futureField: { deep: [1, 0.5, null, 'x', { '': true }] }, 'weird key/~': '\u0000é' },
      beside: ['spec'],
    };
    const created = await client.create(thing);
    expect(created).toMatchObject({ spec: thing['spec'], beside: thing['beside'] });
    const replaced = await client.replace({ ...created, beside: { more: 1 } });
    const { items } = await client.list({ apiVersion: THING.apiVersion, kind: THING.kind });
    expect(items).toEqual([replaced]);
    expect(
      await client.get({ ...refOfMap('odd'), apiVersion: THING.apiVersion, kind: THING.kind }),
    ).toEqual(replaced);
    expect(replaced).toMatchObject({ spec: thing['spec'], beside: { more: 1 } });
  });

  it('keep fields of built-in kinds that are newer than any type that we have, as far as the server has them', async () => {
    const client = clientOf();
    const path = '/api/v1/namespaces/default/configmaps';
    const raw = (await server.admin.call(
      'POST',
      path,
      configMap('whole', { a: '1' }),
    )) as KubernetesObject;
    expect(await client.get(refOfMap('whole'))).toEqual(raw);
    const replaced = await client.replace({ ...raw, binaryData: { b: 'AAE=' }, futureField: 1 });
    expect(replaced).toMatchObject({ data: { a: '1' }, binaryData: { b: 'AAE=' } });
  });

  it('are listed page by page, and items say their kind', async () => {
    const calls: CallRecord[] = [];
    const client = clientOf({ onCall: (record) => calls.push(record) });
    const scope = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default' };
    const { items, resourceVersion } = await client.list(scope, { limit: 10, resourceVersion: '' });
    expect(items.filter(({ metadata }) => metadata.name.startsWith('page-'))).toHaveLength(25);
    expect(items.every(({ apiVersion, kind }) => `${apiVersion}/${kind}` === 'v1/ConfigMap')).toBe(
      true,
    );
    expect(Number(resourceVersion)).toBeGreaterThan(0);
    expect(calls.map(({ verb, resource, code }) => `${verb} ${resource} ${code}`)).toEqual(
      Array(Math.ceil(items.length / 10)).fill('list configmaps 200'),
    );
  });

  it('are listed once more without pages when the server forgets the list between two pages', async () => {
    const client = clientOf({}, { server: proxy.url });
    const rule = proxy.add({ match: { path: 'continue=' }, fault: { kind: 'Status', code: 410 } });
    const scope = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default' };
    const { items } = await client.list(scope, { limit: 10, resourceVersion: '' });
    expect(rule.hits).toBe(1);
    expect(new Set(items.map(({ metadata }) => metadata.name)).size).toBe(items.length);
    expect(items.length).toBeGreaterThanOrEqual(25);
  });

  it('are deleted only with the UID that was meant', async () => {
    const client = clientOf();
    const { metadata } = await client.create(configMap('doomed'));
    const other = await failureOf(client.delete(refOfMap('doomed'), { uid: 'another' }));
    expect(other.kind).toBe('Conflict');
    expect(await client.delete(refOfMap('doomed'), { uid: metadata.uid! })).toBe(true);
    expect(await client.delete(refOfMap('doomed'))).toBe(false);
    expect(await client.find(refOfMap('doomed'))).toBeUndefined();
  });

  it('are not written by a dry run, and are applied as the manager that was named', async () => {
    const client = clientOf();
    await client.apply(configMap('dry', { a: '1' }), { fieldManager: 'm', dryRun: true });
    expect(await client.find(refOfMap('dry'))).toBeUndefined();
    const applied = await client.apply(configMap('dry', { a: '1' }), { fieldManager: 'm' });
    expect(applied.metadata.managedFields).toMatchObject([{ manager: 'm', operation: 'Apply' }]);
    const taken = await failureOf(
      client.apply(configMap('dry', { a: '2' }), { fieldManager: 'n' }),
    );
    expect(taken).toMatchObject({ kind: 'Conflict', reason: 'Conflict', code: 409 });
    expect(taken.causes).toMatchObject([{ reason: 'FieldManagerConflict', field: '.data.a' }]);
    const forced = await client.apply(configMap('dry', { a: '2' }), {
      fieldManager: 'n',
      force: true,
    });
    expect(forced['data']).toEqual({ a: '2' });
  });
});

describe('an answer that is a Status', () => {
  it('is an error of its own kind, with reason and causes', async () => {
    const client = clientOf();
    const stranger = clientOf({}, { token: server.tokenOf('stranger') });
    const nobody = clientOf({}, { token: 'unknown' });
    const invalid = { ...configMap('Not_A_Name') };
    const old = {
      ...configMap('there'),
      metadata: { ...configMap('there').metadata, resourceVersion: '1' },
    };
    const kinds = await Promise.all([
      failureOf(client.get(refOfMap('absent'))),
      failureOf(client.create(configMap('there'))),
      failureOf(client.create(invalid)),
      failureOf(client.replace(old)),
      failureOf(stranger.get(refOfMap('there'))),
      failureOf(nobody.get(refOfMap('there'))),
    ]);
    expect(kinds.map(({ kind, code }) => `${kind} ${code}`)).toEqual([
      'NotFound 404',
      'AlreadyExists 409',
      'Invalid 422',
      'Conflict 409',
      'Forbidden 403',
      'Unauthorized 401',
    ]);
    expect(kinds[2].causes[0]).toMatchObject({ field: 'metadata.name' });
  });
});

describe('discovery', () => {
  it('tells which kinds are served now', async () => {
    const client = clientOf();
    expect(await client.serves(THING.apiVersion, THING.kind)).toBe(true);
    expect(await client.serves('cert-manager.io/v1', 'Certificate')).toBe(false);
    expect(await client.serves('apps/v1', 'Deployment')).toBe(true);
    expect(await client.serves('apps/v1', 'Certificate')).toBe(false);
    expect(await client.readJson('/version')).toMatchObject({ major: '1' });
  });
});

describe('credentials', () => {
  it('are read again once when the server refuses the token, and the call succeeds', async () => {
    const tokenFile = join(server.folder, 'token');
    await writeFile(tokenFile, 'stale');
    const client = clientOf({ checkFilesEveryMs: 3_600_000 }, { tokenFile });
    expect((await failureOf(client.get(refOfMap('there')))).kind).toBe('Unauthorized');
    await writeFile(tokenFile, `${server.tokenOf('admin')}\n`);
    expect((await client.get(refOfMap('there'))).metadata.name).toBe('there');
  });

  it('come from one run of the provider, however many calls are refused together', async () => {
    let runs = 0;
    const client = clientOf(
      {},
      {
        tokenProvider: () => {
          runs += 1;
          return Promise.resolve(runs === 1 ? 'stale' : server.tokenOf('admin'));
        },
      },
    );
    await Promise.all(Array.from({ length: 20 }, () => client.get(refOfMap('there'))));
    expect(runs).toBe(2);
    await client.get(refOfMap('there'));
    expect(runs).toBe(2);
  });

  it('are read again when the files change, the CA too', async () => {
    const tokenFile = join(server.folder, 'token-2');
    const caFile = join(server.folder, 'ca-2');
    await writeFile(tokenFile, server.tokenOf('stranger'));
    await writeFile(caFile, server.ca);
    const client = new ClusterClient(
      { server: server.url, caFile, tokenFile },
      { checkFilesEveryMs: 0 },
    );
    clients.push(client);
    expect((await failureOf(client.get(refOfMap('there')))).kind).toBe('Forbidden');
    await writeFile(tokenFile, server.tokenOf('admin'));
    await client.get(refOfMap('there'));
    await writeFile(
      caFile,
      (await (await import('../bed/certificates.js')).createTestCa(new Date())).ca,
    );
    expect((await failureOf(client.get(refOfMap('there')))).kind).toBe('Network');
    await writeFile(caFile, server.ca);
    await client.get(refOfMap('there'));
  });
});

describe('a server or a network in trouble', () => {
  it('gets a call again after 429, no sooner than Retry-After says', async () => {
    const codes: number[] = [];
    const client = clientOf({ onCall: ({ code }) => codes.push(code) }, { server: proxy.url });
    proxy.add({
      match: { method: 'PATCH' },
      times: 2,
      fault: { kind: 'Status', code: 429, retryAfterSeconds: 1 },
    });
    const begin = performance.now();
    await client.apply(configMap('throttled'), { fieldManager: 'm' });
    expect(performance.now() - begin).toBeGreaterThanOrEqual(2_000);
    expect(codes.slice(0, 2)).toEqual([429, 429]);
    expect(codes).toHaveLength(3);
  });

  it('is not waited for longer than the deadline: the refusal is passed on with its Retry-After', async () => {
    const client = clientOf({}, { server: proxy.url });
    proxy.add({
      match: { method: 'PATCH' },
      fault: { kind: 'Status', code: 429, retryAfterSeconds: 5 },
    });
    const call = client.apply(configMap('throttled'), { fieldManager: 'm', deadlineMs: 2_000 });
    expect(await failureOf(call)).toMatchObject({ kind: 'TooManyRequests', retryAfterSeconds: 5 });
  });

  it('ends a call that gets no answer at its deadline, and the next call works', async () => {
    const client = clientOf({}, { server: proxy.url });
    proxy.add({ match: { method: 'PATCH' }, fault: { kind: 'Stall' } });
    const begin = performance.now();
    const call = client.apply(configMap('stalled'), { fieldManager: 'm', deadlineMs: 700 });
    expect((await failureOf(call)).kind).toBe('Timeout');
    expect(performance.now() - begin).toBeLessThan(3_000);
    await client.apply(configMap('stalled'), { fieldManager: 'm' });
  });

  it('ends a call when its caller says so', async () => {
    const client = clientOf({}, { server: proxy.url });
    proxy.add({ match: { method: 'PATCH' }, fault: { kind: 'Stall' } });
    const abort = new AbortController();
    const call = client.apply(configMap('aborted'), { fieldManager: 'm', signal: abort.signal });
    setTimeout(() => {
      abort.abort();
    }, 100);
    expect((await failureOf(call)).kind).toBe('Aborted');
    const again = client.get(refOfMap('there'), { signal: abort.signal });
    expect((await failureOf(again)).kind).toBe('Aborted');
  });

  it('gets a read again over a new connection, but never a write unasked', async () => {
    const client = clientOf({}, { server: proxy.url });
    proxy.add({ match: { method: 'GET' }, fault: { kind: 'Reset' } });
    await client.get(refOfMap('there'));
    proxy.add({ match: { method: 'PATCH' }, fault: { kind: 'DropAnswer' } });
    const before = proxy.calls.length;
    const call = client.apply(configMap('lost-answer'), { fieldManager: 'm' });
    expect(await failureOf(call)).toMatchObject({ kind: 'Network', code: 0 });
    expect(proxy.calls.length - before).toBe(1);
    expect(await client.find(refOfMap('lost-answer'))).toBeDefined();
  });

  it('is a ServerError when it answers 500', async () => {
    const client = clientOf({}, { server: proxy.url });
    proxy.add({ match: { method: 'PATCH' }, fault: { kind: 'Status', code: 500 } });
    const call = client.apply(configMap('broken'), { fieldManager: 'm' });
    expect(await failureOf(call)).toMatchObject({ kind: 'ServerError', code: 500 });
  });
});

describe('calls', () => {
  it('share a bounded number of connections, which stay open', async () => {
    const target = Number(new URL(server.url).port);
    let accepted = 0;
    const forwarder = createServer((socket) => {
      accepted += 1;
      const onward = connect(target, '127.0.0.1');
      socket.pipe(onward).pipe(socket);
      for (const end of [socket, onward]) end.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => forwarder.listen(0, '127.0.0.1', resolve));
    const { port } = forwarder.address() as AddressInfo;
    const client = clientOf({ connections: 4 }, { server: `https://127.0.0.1:${port}` });
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(Array.from({ length: 100 }, () => client.get(refOfMap('there'))));
    }
    expect(accepted).toBeLessThanOrEqual(4);
    await client.close();
    forwarder.close();
  });

  it('are shown to hooks one by one, which can stop them and lose their answers', async () => {
    const seen: Call[] = [];
    let lose = false;
    const client = clientOf({
      hooks: {
        beforeCall: (call) => {
          seen.push(call);
          if (call.number === 3) throw new Error('crashed before');
        },
        afterCall: () => {
          if (lose) throw new Error('lost');
        },
      },
    });
    await client.get(refOfMap('there'));
    await client.apply(configMap('hooked'), { fieldManager: 'm' });
    await expect(client.delete(refOfMap('hooked'))).rejects.toThrow('crashed before');
    lose = true;
    await expect(client.delete(refOfMap('hooked'))).rejects.toThrow('lost');
    lose = false;
    expect(await client.find(refOfMap('hooked'))).toBeUndefined();
    expect(seen.map(({ number, verb, resource }) => `${number} ${verb} ${resource}`)).toEqual([
      '1 get configmaps',
      '2 patch configmaps',
      '3 delete configmaps',
      '4 delete configmaps',
      '5 get configmaps',
    ]);
  });
});

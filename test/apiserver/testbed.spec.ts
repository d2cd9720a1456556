import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { startApiServer } from './bed/api-server.js';
import type { TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';

const MAPS = '/api/v1/namespaces/default/configmaps';
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const aMap = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
});

/** True while a process of that id runs; one that has ended but was not waited for does not. */
function isRunning(pid: number): boolean {
  const status = `/proc/${pid}/stat`;
  if (!existsSync('/proc/self/stat')) return process.kill(pid, 0);
  return existsSync(status) && !/\) Z /.test(readFileSync(status, 'utf8'));
}

describe('a test server', () => {
  let server: TestApiServer;
  let readyMs: number;
  beforeAll(async () => {
    const begin = performance.now();
    server = await startApiServer({ users: { auditor: ['readers'] } });
    readyMs = performance.now() - begin;
  });
  afterAll(() => server.stop());

  it('is ready in seconds, even on a machine that does other things', () => {
    expect(readyMs).toBeLessThan(20_000);
  });

  it('is the pinned release, with its defaults', async () => {
    expect(await server.admin.get('/version')).toMatchObject({ gitVersion: 'v1.36.4' });
  });

  it('lets the admin do everything, and other users nothing until RBAC says so', async () => {
    expect((await server.request('GET', MAPS)).status).toBe(200);
    expect((await server.request('GET', MAPS, undefined, { user: 'stranger' })).status).toBe(403);
    await server.applyYaml(
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: {name: readers}
      rules: [{apiGroups: [''], resources: [configmaps], verbs: [list]}]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: {name: readers}
      roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: readers}
      subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: readers}]
    `.replaceAll('\n      ', '\n'),
    );
    await eventually(
      'the group may list',
      async () =>
        (await server.request('GET', MAPS, undefined, { user: 'auditor' })).status === 200,
    );
    expect((await server.request('GET', MAPS, undefined, { user: 'stranger' })).status).toBe(403);
    expect(() => server.tokenOf('nobody')).toThrow('has no user nobody');
  });

  it('counts the calls of one user by verb and resource, from a mark on', async () => {
    await server.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'before' } });
    const since = await server.auditMark();
    await server.request('POST', MAPS, aMap('counted'));
    await server.request('POST', MAPS, aMap('counted'));
    await server.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'counted' } });
    await server.request('GET', `${MAPS}/counted`);
    await server.request('GET', `${MAPS}?watch=true&timeoutSeconds=1`);
    await server.request('DELETE', `${MAPS}/counted`, undefined, { user: 'stranger' });
    const admin = await server.callsOf('admin', { since });
    expect(admin.counts).toMatchObject({
      'create configmaps': 2,
      'patch configmaps': 1,
      'get configmaps': 1,
      'watch configmaps': 1,
    });
    expect(admin.verbs).toMatchObject({ create: 2, patch: 1, get: 1, watch: 1 });
    expect(admin.writes).toBe(3);
    expect(admin.entries.map((entry) => entry.responseStatus?.code)).toContain(409);
    const stranger = await server.callsOf('stranger', { since });
    expect(stranger.counts).toEqual({ 'delete configmaps': 1 });
    expect(stranger.entries[0]?.responseStatus?.code).toBe(403);
    const later = await server.auditMark();
    expect((await server.callsOf('admin', { since: later })).total).toBe(0);
  });

  it('has counted a call by the time that its answer is here', async () => {
    await server.request('POST', MAPS, { ...aMap('large'), data: { text: 'x'.repeat(500_000) } });
    const since = await server.auditMark();
    for (let i = 1; i <= 20; i++) {
      await Promise.all(Array.from({ length: 10 }, () => server.request('GET', `${MAPS}/large`)));
      const { counts } = await server.callsOf('admin', { since });
      expect(counts['get configmaps']).toBe(10 * i);
    }
  });

  it('writes kubeconfigs that other clients read', async () => {
    const config = new KubeConfig();
    config.loadFromFile(await server.kubeconfigOf('operator'));
    expect(config.getCurrentCluster()).toMatchObject({ server: server.url });
    expect(config.getCurrentUser()).toMatchObject({ token: server.tokenOf('operator') });
    const ca = Buffer.from(config.getCurrentCluster()?.caData ?? '', 'base64').toString();
    expect(ca).toBe(server.ca);
  });

  it('streams a list where the client asks for it (WatchList is on by default)', async () => {
    const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
    const answer = await server.request(
      'GET',
      `${MAPS}?${query}&allowWatchBookmarks=true&timeoutSeconds=1`,
    );
    expect(answer.body).toContain('"k8s.io/initial-events-end":"true"');
  });

  it('keeps its objects when the API server is killed and started again', async () => {
    await server.request('POST', MAPS, aMap('kept'));
    await server.killKubeApiServer();
    await expect(server.request('GET', MAPS)).rejects.toThrow();
    await server.startKubeApiServer();
    expect(await server.admin.get(`${MAPS}/kept`)).toMatchObject({ metadata: { name: 'kept' } });
  });

  it('answers nothing while it is frozen, and everything when it thaws', async () => {
    await server.freeze();
    const answer = server.request('GET', MAPS);
    const silence = new Promise((resolve) => setTimeout(resolve, 500, 'nothing'));
    const first = await Promise.race([answer, silence]);
    server.thaw();
    expect(first).toBe('nothing');
    expect((await answer).status).toBe(200);
  });

  it('has nothing to do with another one that runs at the same time', async () => {
    const others = await Promise.all([
      startApiServer({ featureGates: { WatchList: false } }),
      startApiServer(),
    ]);
    try {
      await others[0].request('POST', MAPS, aMap('only-there'));
      expect(await server.admin.get(`${MAPS}/only-there`)).toBeUndefined();
      expect(await others[1].admin.get(`${MAPS}/only-there`)).toBeUndefined();
      const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
      expect(
        (await others[0].request('GET', `${MAPS}?${query}&allowWatchBookmarks=true`)).status,
      ).toBe(422);
    } finally {
      await Promise.all(others.map((other) => other.stop()));
    }
  });

  it('leaves no process and no file behind when it is stopped', async () => {
    const other = await startApiServer();
    const pids = Object.values(other.pids()).filter((pid) => pid !== undefined);
    expect(pids).toHaveLength(2);
    expect(pids.every(isRunning)).toBe(true);
    await other.stop();
    expect(pids.filter(isRunning)).toEqual([]);
    expect(existsSync(other.folder)).toBe(false);
  });

  it('leaves no process and no file behind when the test process is killed', async () => {
    const script = fileURLToPath(new URL('./bed/abandoned-server.ts', import.meta.url));
    const test = spawn(process.execPath, ['--import', 'tsx', script], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) => {
      test.stdout.once('data', (chunk: Buffer) => {
        resolve(chunk.toString());
      });
    });
    const { pids, folder } = JSON.parse(line) as { pids: Record<string, number>; folder: string };
    expect(Object.values(pids).filter(isRunning)).toHaveLength(2);
    test.kill('SIGKILL');
    await eventually(
      'all is gone',
      () => !Object.values(pids).some(isRunning) && !existsSync(folder),
      {
        timeoutMs: 5_000,
      },
    );
  });
});

describe('a test server with CRDs and a controller manager', () => {
  let server: TestApiServer;
  beforeAll(async () => {
    server = await startApiServer({ crds: true, controllerManager: true });
  });
  afterAll(() => server.stop());

  it('serves the kinds of crds/', async () => {
    const { resources } = await server.admin.get('/apis/sallyport.dev/v1alpha1');
    const kinds = (resources as { kind: string; name: string }[]).filter(
      ({ name }) => !name.includes('/'),
    );
    expect(kinds.map(({ kind }) => kind).sort()).toEqual(
      expect.arrayContaining(['AccessRole', 'RelayPool', 'RetentionPolicy', 'SignalingGateway']),
    );
  });

  it('removes what a deleted owner owned', async () => {
    await server.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owner' } });
    const { uid } = (await server.admin.get(`${MAPS}/owner`)).metadata;
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid };
    const metadata = { name: 'owned', ownerReferences: [owner] };
    await server.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    await server.request('DELETE', `${MAPS}/owner`);
    await eventually('it is removed', async () => !(await server.admin.get(`${MAPS}/owned`)));
  });

  it('removes at once what a deleted resource of ours owned', async () => {
    const [policy] = await server.applyFile(`${ROOT}config/quickstart/retention-policy.yaml`);
    const { apiVersion, kind } = policy;
    const { name, uid } = policy.metadata;
    const metadata = { name: 'child', ownerReferences: [{ apiVersion, kind, name, uid }] };
    await server.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    await server.request('DELETE', await server.admin.pathOf(policy));
    await eventually('it is removed', async () => !(await server.admin.get(`${MAPS}/child`)));
  });

  it('empties and removes a deleted namespace', async () => {
    await server.createNamespace('doomed', { 'pod-security.kubernetes.io/enforce': 'restricted' });
    await server.apply(
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'inside' } },
      { namespace: 'doomed' },
    );
    await server.request('DELETE', '/api/v1/namespaces/doomed');
    await eventually(
      'it is removed',
      async () => !(await server.admin.get('/api/v1/namespaces/doomed')),
      {
        timeoutMs: 30_000,
      },
    );
  });

  it('creates the pods of a Deployment and reports its status', async () => {
    const labels = { app: 'web' };
    const container = { name: 'web', image: 'registry.example/web:1' };
    await server.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    });
    const path = '/apis/apps/v1/namespaces/default/deployments/web';
    await eventually(
      'it has pods',
      async () => (await server.admin.get(path)).status.replicas === 2,
    );
    const { status } = await server.admin.get(path);
    expect(status).toMatchObject({ observedGeneration: 1, unavailableReplicas: 2 });
  });
});

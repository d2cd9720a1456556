import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApiServer, type TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';
import { OperatorProgram } from './program-process.js';
import { grantCluster, OPERATOR_NAMESPACE } from './rbac-grants.js';
import {
  applySamples,
  childrenIn,
  createNamedSecrets,
  deleteResources,
  driftEachKind,
  edit,
  exists,
  installOptionalKinds,
  markReady,
  observed,
  pathIn,
  tamper,
} from './rbac-scenario.js';
import { callsIn, pathsIn, PERMISSIONS, refusals, unusedVerbs } from './rbac-usage.js';
import { secretTexts, visibleObjects } from './rbac-secrets.js';
import { unmatchedWrites } from './rbac-writes.js';

const CANARY = 'canary-4d1f0e77a2';
const NAMESPACE = 'office';
const gateway = (name: string) => pathIn(NAMESPACE, 'signalinggateways', name);
interface LeaseKey {
  readonly kid: string;
  readonly state: string;
}
const pool = (name: string) => pathIn(NAMESPACE, 'relaypools', name);
const child = (group: string, plural: string, name: string) =>
  `/${group}/namespaces/${NAMESPACE}/${plural}/${name}`;

let server: TestApiServer;
let operator: OperatorProgram;
beforeAll(async () => {
  server = await startApiServer({
    crds: true,
    controllerManager: true,
    // Workloads are marked ready by this test: there is no kubelet.
    controllers: [
      'garbage-collector-controller',
      'namespace-controller',
      'serviceaccount-controller',
    ],
  });
  await installOptionalKinds(server);
  await grantCluster(server, 'operator');
  await server.createNamespace(NAMESPACE);
  operator = await OperatorProgram.start(server);
  await operator.leads();
});
afterAll(async () => {
  await operator.end('SIGTERM');
  await server.stop();
});

describe('S189: an operator with exactly the rules of docs/rbac.md', () => {
  it('makes what resources of every kind need', async () => {
    await createNamedSecrets(server, NAMESPACE, CANARY);
    await applySamples(
      server,
      NAMESPACE,
      'pool-clusterip',
      'pool-loadbalancer',
      'gateway-embedded',
    );
    await applySamples(
      server,
      NAMESPACE,
      'gateway-ha',
      'gateway-ingress',
      'role-user',
      'role-admin',
    );
    await applySamples(server, NAMESPACE, 'retention-six-years');
    for (const name of ['edge', 'small', 'behind-ingress']) await observed(server, gateway(name));
    for (const name of ['inside', 'frankfurt']) await observed(server, pool(name));
    await exists(server, child('apis/apps/v1', 'deployments', 'edge-gateway'));
    await exists(server, child('apis/apps/v1', 'statefulsets', 'small-gateway'));
    await exists(server, child('apis/apps/v1', 'statefulsets', 'inside-relay'));
    await exists(server, child('apis/networking.k8s.io/v1', 'ingresses', 'behind-ingress-gateway'));
    await exists(server, child('apis/cert-manager.io/v1', 'certificates', 'edge-gateway'));
    await exists(server, child('apis/monitoring.coreos.com/v1', 'servicemonitors', 'edge-gateway'));
    await exists(server, child('apis/autoscaling/v2', 'horizontalpodautoscalers', 'edge-gateway'));
  });

  it('keeps the last template that worked', async () => {
    const workload = child('apis/apps/v1', 'statefulsets', 'small-gateway');
    const revisions = async () =>
      (await childrenIn(server, NAMESPACE)).filter(({ path }) =>
        path.includes('/controllerrevisions/'),
      );
    await markReady(server, workload);
    const first = await eventually('a revision is kept', async () => (await revisions())[0]);
    const { generation } = (await server.admin.get(workload)).metadata as { generation: number };
    await edit(server, gateway('small'), {
      spec: { scheduling: { nodeSelector: { disk: 'fast' } } },
    });
    await eventually('the template changed', async () => {
      return (await server.admin.get(workload)).metadata.generation > generation;
    });
    await markReady(server, workload);
    await eventually('the revision is replaced', async () => {
      const [only, ...more] = await revisions();
      return more.length === 0 && only !== undefined && only.path !== first.path;
    });
  });

  it('repairs an edit of every kind of child', async () => {
    expect(await driftEachKind(server, NAMESPACE)).toEqual(
      expect.arrayContaining(['configmaps', 'deployments', 'services', 'statefulsets']),
    );
    await tamper(server, child('api/v1', 'secrets', 'small-gateway-lease-keys'));
  });

  it('scales, and takes away what is no longer wanted', async () => {
    await edit(server, gateway('edge'), {
      spec: {
        autoscaling: null,
        relayPools: [{ name: 'frankfurt' }],
        replicas: 2,
        listener: { tls: { certManager: null, secretRef: { name: 'own-certificate' } } },
        observability: { serviceMonitor: false },
      },
    });
    await edit(server, gateway('behind-ingress'), {
      spec: { ingress: null, trustedProxies: null },
    });
    await edit(server, pool('inside'), { spec: { replicas: 1 } });
    await exists(
      server,
      child('apis/autoscaling/v2', 'horizontalpodautoscalers', 'edge-gateway'),
      false,
    );
    await exists(server, child('apis/cert-manager.io/v1', 'certificates', 'edge-gateway'), false);
    await exists(
      server,
      child('apis/monitoring.coreos.com/v1', 'servicemonitors', 'edge-gateway'),
      false,
    );
    await exists(
      server,
      child('apis/networking.k8s.io/v1', 'ingresses', 'behind-ingress-gateway'),
      false,
    );
    await exists(server, child('api/v1', 'services', 'inside-relay-1'), false);
  });

  it('S22: revokes a key when asked, and says until when a rotation waits', async () => {
    const keysOf = async () => (await server.admin.get(gateway('small'))).status.keys as LeaseKey[];
    const inState = (keys: readonly LeaseKey[], state: string) =>
      keys.find((key) => key.state === state)?.kid;
    const before = await keysOf();
    const revoked = inState(before, 'Current')!;
    const following = inState(before, 'Next')!;
    const annotations = { 'sallyport.dev/rotate': 'now-1', 'sallyport.dev/revoke': revoked };
    await edit(server, gateway('small'), { metadata: { annotations } });
    const keys = await eventually('the next key signs', async () => {
      const now = await keysOf();
      return inState(now, 'Current') === following ? now : undefined;
    });
    expect(keys.map(({ kid }) => kid)).not.toContain(revoked);
    // Certificates were made a minute ago: clients have not seen the pins of their next keys yet.
    const { conditions } = (await server.admin.get(gateway('small'))).status;
    expect(conditions).toContainEqual(
      expect.objectContaining({ type: 'KeysReady', status: 'False', reason: 'NextPinTooNew' }),
    );
  });

  it('S21: shows no Secret and no key in any of its sinks', async () => {
    const secrets = await secretTexts(server, [NAMESPACE, OPERATOR_NAMESPACE]);
    expect(secrets.length).toBeGreaterThan(10);
    const sinks: Record<string, string> = {
      log: operator.stderr,
      audit: operator.stdout,
      metrics: (await operator.ask('/metrics')).text,
      health: (await operator.ask('/readyz')).text,
      arguments: await readFile(`/proc/${String(operator.child.pid)}/cmdline`, 'utf8'),
      ...(await visibleObjects(server, NAMESPACE)),
    };
    const leaks = Object.entries(sinks).flatMap(([sink, text]) =>
      [CANARY, ...secrets].filter((secret) => text.includes(secret)).map(() => sink),
    );
    expect(leaks).toEqual([]);
    expect(Object.values(sinks).every((text) => text.length > 0)).toBe(true);
  });

  it('leaves nothing behind', async () => {
    await deleteResources(server, NAMESPACE);
    await exists(server, child('api/v1', 'secrets', 'sallyport-ca'), false);
    await exists(server, child('api/v1', 'configmaps', 'sallyport-ca'), false);
    await exists(server, child('apis/apps/v1', 'statefulsets', 'small-gateway'), false);
  });

  it('was refused no call, and used every verb that it has', async () => {
    const calls = callsIn(await server.auditEntries(), 'operator');
    expect(refusals(calls, PERMISSIONS)).toEqual([]);
    // Lists are for API servers that do not stream them (rbac-named.spec.ts), Namespaces for scope Selected.
    const elsewhere = /^(list |watch namespaces)/;
    expect(unusedVerbs(calls, PERMISSIONS).filter((name) => !elsewhere.test(name))).toEqual([]);
    // Discovery and OpenAPI, which every authenticated user may read.
    expect(pathsIn(calls).filter((path) => !/^[/](apis|openapi[/]v3)([/]|$)/.test(path))).toEqual(
      [],
    );
  });

  it('recorded each write once, and wrote nothing that it did not record', async () => {
    await operator.end('SIGTERM');
    const { entries } = await server.callsOf('operator');
    expect(operator.audit.length).toBeGreaterThan(50);
    expect(unmatchedWrites(entries, operator.audit)).toEqual({ unrecorded: [], unmade: [] });
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApiServer, type TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';
import { OperatorProgram } from './program-process.js';
import { grantCluster, grantNamed, OPERATOR_NAMESPACE } from './rbac-grants.js';
import {
  applySamples,
  edit,
  exists,
  installOptionalKinds,
  observed,
  pathIn,
} from './rbac-scenario.js';
import { callsIn, PERMISSIONS, refusals, unusedVerbs } from './rbac-usage.js';

// WatchList is off, as on the oldest API servers that are supported: caches begin with lists.
let server: TestApiServer;
let operator: OperatorProgram | undefined;
beforeAll(async () => {
  server = await startApiServer({ crds: true, featureGates: { WatchList: false } });
  await installOptionalKinds(server);
  for (const namespace of ['office', 'elsewhere']) {
    await server.createNamespace(namespace);
    await applySamples(server, namespace, 'pool-clusterip', 'gateway-embedded');
  }
});
afterAll(async () => {
  await operator?.end('SIGTERM');
  await server.stop();
});

const inside = (namespace: string) => pathIn(namespace, 'relaypools', 'inside');
const relays = (namespace: string) =>
  `/apis/apps/v1/namespaces/${namespace}/statefulsets/inside-relay`;

async function writesIn(namespace: string, since: number): Promise<number> {
  const { entries } = await server.callsOf('operator', { since });
  return entries.filter(
    ({ verb, objectRef }) =>
      !['get', 'list', 'watch'].includes(verb) && objectRef?.namespace === namespace,
  ).length;
}

describe('S189: an operator of named namespaces', () => {
  it('works without any permission outside of them', async () => {
    await grantNamed(server, 'operator-b', ['office']);
    const settings = { scope: { watch: 'Named', namespaces: ['office'] } };
    operator = await OperatorProgram.start(server, { settings, user: 'operator-b' });
    await operator.ready();
    await observed(server, inside('office'));
    await exists(server, relays('office'));
    const { entries } = await server.callsOf('operator-b');
    const asked = new Set(
      entries.map(({ objectRef }) => objectRef?.resource && (objectRef.namespace ?? 'cluster')),
    );
    expect([...asked].filter(Boolean).sort()).toEqual(['office', OPERATOR_NAMESPACE]);
    expect(refusals(callsIn(entries, 'operator-b'), PERMISSIONS)).toEqual([]);
    expect(await server.admin.get(relays('elsewhere'))).toBeUndefined();
    await operator.end('SIGTERM');
  });
});

describe('S189: an operator of namespaces with a label', () => {
  it('takes a namespace up when it gets the label, and drops it when it loses it', async () => {
    await grantCluster(server, 'operator');
    const settings = { scope: { watch: 'Selected', namespaceSelector: 'team=red' } };
    operator = await OperatorProgram.start(server, { settings });
    await operator.leads();
    expect(await server.admin.get(relays('elsewhere'))).toBeUndefined();
    await edit(server, '/api/v1/namespaces/elsewhere', { metadata: { labels: { team: 'red' } } });
    await exists(server, relays('elsewhere'));

    await edit(server, '/api/v1/namespaces/elsewhere', { metadata: { labels: { team: null } } });
    let replicas = 1;
    await eventually(
      'an edit there is answered by no write',
      async () => {
        const mark = await server.auditMark();
        replicas = 3 - replicas;
        await edit(server, inside('elsewhere'), { spec: { replicas } });
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        return (await writesIn('elsewhere', mark)) === 0;
      },
      { timeoutMs: 30_000 },
    );
    expect((await server.admin.get(inside('elsewhere'))).status.observedGeneration).toBeGreaterThan(
      0,
    );
  });

  it('used every list that it may ask for', async () => {
    const entries = await server.auditEntries();
    const calls = ['operator', 'operator-b'].flatMap((user) => callsIn(entries, user));
    const lists = /^(list |watch namespaces)/;
    expect(unusedVerbs(calls, PERMISSIONS).filter((name) => lists.test(name))).toEqual([]);
    expect(refusals(calls, PERMISSIONS)).toEqual([]);
  });
});

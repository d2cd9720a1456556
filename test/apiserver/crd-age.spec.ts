import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Condition } from '../../src/kubernetes/plan.js';
import { startApiServer, type TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';
import { OperatorProgram } from './program-process.js';
import { grantCluster } from './rbac-grants.js';
import {
  applySamples,
  edit,
  exists,
  installOptionalKinds,
  observed,
  pathIn,
} from './rbac-scenario.js';

const CRDS = join(import.meta.dirname, '../../crds');
const NAMESPACE = 'office';
const pool = pathIn(NAMESPACE, 'relaypools', 'inside');
const relays = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets/inside-relay`;

let server: TestApiServer;
let operator: OperatorProgram;

/** Installs crds/ as they are, but that those named say an older revision. */
async function installCrds(...older: readonly string[]): Promise<void> {
  for (const file of await readdir(CRDS)) {
    const text = await readFile(join(CRDS, file), 'utf8');
    await server.applyYaml(
      older.includes(file) ? text.replace(/Schema revision \d+[.]/, 'Schema revision 0.') : text,
    );
  }
}

const stalled = async (path: string): Promise<Condition | undefined> =>
  ((await server.admin.get(path)).status?.conditions as Condition[] | undefined)?.find(
    ({ type, status }) => type === 'Stalled' && status === 'True',
  );

beforeAll(async () => {
  server = await startApiServer();
  await installOptionalKinds(server);
  await grantCluster(server, 'operator');
  await server.createNamespace(NAMESPACE);
  operator = await OperatorProgram.start(server);
});
afterAll(async () => {
  await operator.end('SIGTERM');
  await server.stop();
});

describe('an operator without CRDs', () => {
  it('is not ready, and says what to install', async () => {
    const line = await operator.logged('CRDs are not installed');
    expect(line).toMatchObject({
      level: 'error',
      hint: expect.stringContaining('sallyport-cluster'),
    });
    const { status, text } = await operator.ask('/readyz');
    expect(status).toBe(503);
    expect(text).toContain('"absent":"SignalingGateway RelayPool AccessRole RetentionPolicy"');
  });
});

describe('an operator that is newer than the CRD of RelayPools', () => {
  beforeAll(async () => {
    await installCrds('relay-pools.yaml');
    await operator.logged('a CRD is older than this operator');
    await eventually(
      'the operator is ready',
      async () => {
        return (await operator.ask('/readyz')).status === 200;
      },
      { timeoutMs: 60_000 },
    );
    await operator.leads();
  });

  it('makes nothing for a RelayPool, and says what to upgrade', async () => {
    await applySamples(server, NAMESPACE, 'pool-clusterip', 'role-admin');
    const condition = await eventually('the pool is stalled', () => stalled(pool));
    expect(condition).toMatchObject({ reason: 'CrdOutdated' });
    expect(condition.message).toContain('Upgrade chart sallyport-cluster (helm upgrade)');
    expect(condition.message).toContain('RelayPool has schema revision 0, not 1.');
    expect(await server.admin.get(relays)).toBeUndefined();
  });

  it('goes on with kinds that do not read RelayPools', async () => {
    const role = await observed(server, pathIn(NAMESPACE, 'accessroles', 'admin'));
    const { conditions } = role['status'] as { conditions: Condition[] };
    expect(conditions.map(({ reason }) => reason)).not.toContain('CrdOutdated');
  });

  it('shows it in probe, metric and log', async () => {
    const ready = await operator.ask('/readyz');
    expect(ready.status).toBe(200);
    expect(ready.text).toContain('"outdated":"RelayPool"');
    const { text } = await operator.ask('/metrics');
    expect(text).toContain('sallyport_crd_outdated{kind="RelayPool"} 1');
    expect(text).toContain('sallyport_crd_outdated{kind="AccessRole"} 0');
    expect(operator.log).toContainEqual(
      expect.objectContaining({ level: 'error', kind: 'RelayPool', installed: 0, needed: 1 }),
    );
  });

  it('writes nothing while nothing changes', async () => {
    const mark = await server.auditMark();
    await edit(server, pool, { metadata: { annotations: { 'example.com/touched': 'yes' } } });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { entries } = await server.callsOf('operator', { since: mark });
    const written = entries.filter(
      ({ verb, objectRef }) =>
        !['get', 'list', 'watch'].includes(verb) && objectRef?.resource !== 'leases',
    );
    expect(written).toEqual([]);
  });

  it('takes the kind up when the CRD is upgraded, without a restart', async () => {
    await installCrds();
    await exists(server, relays);
    await eventually('the pool is not stalled', async () => (await stalled(pool)) === undefined);
    expect((await operator.ask('/metrics')).text).toContain(
      'sallyport_crd_outdated{kind="RelayPool"} 0',
    );
  });
});

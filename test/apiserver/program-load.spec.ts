import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { aRelayPool } from '../builders.js';
import { startApiServer, type TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';
import { OperatorProgram, type LogLine } from './program-process.js';
import { ensureNamespace, grantCluster, OPERATOR_NAMESPACE } from './rbac-grants.js';
import { unmatchedWrites } from './rbac-writes.js';

const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/leases/sallyport-operator`;
const FAST = { leaderElection: { leaseSeconds: 4, renewSeconds: 3, retrySeconds: 1 } };
const POOLS = 40;
const BEGUN = { everyMs: 5, timeoutMs: 60_000 };

let server: TestApiServer;
const running: OperatorProgram[] = [];
beforeAll(async () => {
  server = await startApiServer({ crds: true });
  for (const user of ['operator', 'operator-b']) await grantCluster(server, user);
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const program of running.splice(0)) await program.end('SIGTERM');
});

async function start(user: string): Promise<OperatorProgram> {
  const program = await OperatorProgram.start(server, { settings: FAST, user });
  running.push(program);
  await program.ready();
  return program;
}

/** Creates many pools at once, so that an operator is in the middle of them for a while. */
async function createPools(namespace: string): Promise<void> {
  await ensureNamespace(server, namespace);
  const names = Array.from({ length: POOLS }, (_, i) => `pool-${i}`);
  const create = async (name: string) => {
    const { apiVersion, kind, spec } = aRelayPool({ replicas: 2 });
    await server.admin.apply({
      apiVersion,
      kind,
      metadata: { name, namespace },
      spec,
    });
  };
  await Promise.all(names.map(create));
}

const countOf = async (namespace: string): Promise<number> => {
  const list = await server.admin.get(`/apis/apps/v1/namespaces/${namespace}/statefulsets`);
  return (list.items as unknown[]).length;
};

/** When each write of `user` in `namespace` was received, in order. */
async function writesOf(user: string, namespace: string, since: number): Promise<number[]> {
  const { entries } = await server.callsOf(user, { since });
  return entries
    .filter(
      ({ verb, objectRef }) =>
        objectRef?.namespace === namespace && !['get', 'list', 'watch'].includes(verb),
    )
    .map(({ requestReceivedTimestamp }) => Date.parse(requestReceivedTimestamp))
    .sort((a, b) => a - b);
}

describe('an operator in the middle of its work', () => {
  it('ends within 2 seconds of SIGTERM, with the lease free and every write recorded', async () => {
    const program = await start('operator');
    await program.leads();
    const mark = await server.auditMark();
    await createPools('busy');
    await eventually('it has begun', async () => (await countOf('busy')) > 3, BEGUN);
    expect((await program.end('SIGTERM')).code).toBe(0);
    // By its own log: a starved test machine may be late in delivering the signal and in burying the process.
    expect(
      timeOf(await program.logged('stopped')) - timeOf(await program.logged('stopping')),
    ).toBeLessThan(2_000);
    expect((await server.admin.get(LEASE)).spec.holderIdentity).toBe('');
    const { entries } = await server.callsOf('operator', { since: mark });
    const records = program.audit.filter(
      (record) => record['action'] !== 'object.create' || !isLease(record),
    );
    expect(unmatchedWrites(entries, records).unrecorded).toEqual([]);
  });

  it('T51: hands over to another, and the two never write at the same time', async () => {
    const first = await start('operator');
    await first.leads();
    const second = await start('operator-b');
    const mark = await server.auditMark();
    await createPools('handed');
    await eventually('the first has begun', async () => (await countOf('handed')) > 3, BEGUN);
    await first.end('SIGTERM');
    await second.leads();
    await eventually('the second has finished', async () => (await countOf('handed')) === POOLS, {
      timeoutMs: 60_000,
    });
    const [before, after] = [
      await writesOf('operator', 'handed', mark),
      await writesOf('operator-b', 'handed', mark),
    ];
    expect(before.length).toBeGreaterThan(0);
    expect(after.length).toBeGreaterThan(0);
    expect(before.at(-1)!).toBeLessThanOrEqual(after[0]!);
  });

  it('T51: is replaced after SIGKILL by another that finishes the work', async () => {
    const first = await start('operator');
    await first.leads();
    await start('operator-b');
    const mark = await server.auditMark();
    await createPools('killed');
    await eventually('the first has begun', async () => (await countOf('killed')) > 3, BEGUN);
    await first.end('SIGKILL');
    await eventually('the second has finished', async () => (await countOf('killed')) === POOLS, {
      timeoutMs: 60_000,
    });
    const [before, after] = [
      await writesOf('operator', 'killed', mark),
      await writesOf('operator-b', 'killed', mark),
    ];
    expect(before.at(-1)!).toBeLessThanOrEqual(after[0]!);
  });
});

const timeOf = ({ time }: LogLine): number => Date.parse(String(time));

const isLease = (record: Readonly<Record<string, unknown>>): boolean =>
  JSON.stringify(record['resource']).includes('/Lease"');

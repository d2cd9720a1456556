import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isAuditEntry } from '../../src/audit/record.js';
import { startApiServer, type TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';
import { OperatorProgram } from './program-process.js';
import { grantCluster, OPERATOR_NAMESPACE } from './rbac-grants.js';

const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/leases/sallyport-operator`;
/** Short, so that a handover takes seconds. */
const FAST = { leaderElection: { leaseSeconds: 4, renewSeconds: 3, retrySeconds: 1 } };

let server: TestApiServer;
const running: OperatorProgram[] = [];
beforeAll(async () => {
  server = await startApiServer({ crds: true });
  await grantCluster(server, 'operator');
  await grantCluster(server, 'operator-b');
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const program of running.splice(0)) await program.end('SIGTERM'); // Gives the lease back: the next test need not wait.
});

async function start(settings: object = FAST, user = 'operator'): Promise<OperatorProgram> {
  const program = await OperatorProgram.start(server, { settings, user });
  running.push(program);
  return program;
}

const holder = async () => (await server.admin.get(LEASE)).spec.holderIdentity as string;

describe('the operator program', () => {
  it('shows alive, ready, its role and the age of the last event', async () => {
    const program = await start();
    expect((await program.ask('/livez')).status).toBe(200);
    await program.ready();
    await program.leads();
    expect(JSON.parse((await program.ask('/readyz')).text)).toMatchObject({
      status: 'ok',
      details: {
        caches: { status: 'up', synced: true, lastEventAgeSeconds: expect.any(Number) },
        election: { status: 'up', role: 'leader' },
      },
    });
  });

  it('shows its metrics under the names that dashboards know', async () => {
    const program = await start();
    await program.leads();
    const { text } = await program.ask('/metrics');
    for (const name of [
      'controller_runtime_reconcile_total',
      'workqueue_depth',
      'rest_client_requests_total',
      'leader_election_master_status',
      'sallyport_last_event_age_seconds',
      'sallyport_certificate_not_after_timestamp_seconds',
      'sallyport_build_info',
      'process_cpu_user_seconds_total',
    ]) {
      expect(text).toMatch(new RegExp(`^# HELP ${name} .+$`, 'm'));
    }
    expect(text).toMatch(/^leader_election_master_status\{.*\} 1$/m);
    expect(conventionProblems(text)).toEqual([]);
  });

  it('ends within 2 seconds of SIGTERM and leaves the lease free', async () => {
    const program = await start();
    await program.leads();
    expect(await holder()).not.toBe('');
    const { code, ms } = await program.end('SIGTERM');
    expect(code).toBe(0);
    expect(ms).toBeLessThan(2_000);
    expect(await holder()).toBe('');
    expect(program.log.at(-1)).toMatchObject({ msg: 'stopped' });
  });

  it('T51: writes nothing while another leads, although its caches are warm', async () => {
    const leader = await start();
    await leader.leads();
    const mark = await server.auditMark();
    const standby = await start(FAST, 'operator-b');
    await standby.ready();
    await standby.leads(false);
    const { verbs } = await server.callsOf('operator-b', { since: mark });
    expect(Object.keys(verbs).filter((verb) => !['get', 'list', 'watch'].includes(verb))).toEqual(
      [],
    );
    expect(verbs['watch']).toBeGreaterThan(0);
    expect(standby.audit).toEqual([]);
  });

  it('T51: takes over at once from a leader that stopped', async () => {
    const [leader, standby] = [await start(), await start(FAST, 'operator-b')];
    await Promise.any([leader.leads(), standby.leads()]);
    const [first, second] = (await leader.ask('/readyz')).text.includes('"leader"')
      ? [leader, standby]
      : [standby, leader];
    await second.ready();
    await first.end('SIGTERM');
    const begin = performance.now();
    await second.leads();
    expect(performance.now() - begin).toBeLessThan(3_000);
  });

  it('T51: takes over from a leader that was killed, after its lease ran out and not before', async () => {
    const leader = await start();
    await leader.leads();
    const standby = await start(FAST, 'operator-b');
    await standby.ready();
    await leader.end('SIGKILL');
    const begin = performance.now();
    await standby.leads();
    const ms = performance.now() - begin;
    // The last renewal is at most the retry period old; the standby looks once a retry period.
    expect(ms).toBeGreaterThan(2_000);
    expect(ms).toBeLessThan(8_000);
  });

  it('S103: writes only audit records to standard output, numbered without a gap', async () => {
    const program = await start();
    await program.leads();
    await eventually('taking the lease is recorded', () => program.audit.length >= 1);
    const numbers = program.audit.map((entry) => (isAuditEntry(entry) ? entry.src.n : 'no record'));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(
      program.log.every(({ level, msg }) => typeof level === 'string' && typeof msg === 'string'),
    ).toBe(true);
  });
});

/** What `promtool check metrics` says of names: counters end in _total and nothing else does; help and type stand. */
function conventionProblems(text: string): string[] {
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
    ([, name, type]) => [name!, type!] as const,
  );
  const helped = new Set([...text.matchAll(/^# HELP (\S+) \S.*$/gm)].map(([, name]) => name));
  return types.flatMap(([name, type]) => [
    ...((type === 'counter') === name.endsWith('_total') ? [] : [`${name} is a ${type}`]),
    ...(helped.has(name) ? [] : [`${name} has no help`]),
    ...(/[A-Z]|_(milliseconds|ms|minutes|hours|kilobytes|mb)(_|$)/.test(name)
      ? [`${name} has a wrong unit`]
      : []),
  ]);
}

/*
 * The operator against a real kube-apiserver, at several sizes. Calls are counted in the server's audit log.
 * Seconds depend on the machine; that is why the bare loop runs beside, in the same run.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { startApiServer, type TestApiServer } from '../apiserver/bed/api-server.js';
import { grantCluster } from '../apiserver/rbac-grants.js';
import { ClusterClient } from '../../src/kubernetes/cluster.client.js';
import { OperatorProcess } from './operator-process.js';
import { percentile, type Metric } from './report.js';
import { Fleet } from './fleet.js';

type Report = (metric: Metric) => void;

const SETTINGS = {
  version: 1,
  installId: 'bench',
  namespace: 'sallyport-system',
  renders: [
    {
      version: 1,
      image: {
        repository: 'registry.example/sallyport',
        tag: '0.1.0',
        digest: `sha256:${'0'.repeat(64)}`,
      },
    },
  ],
  cluster: {
    serviceCIDRs: ['10.96.0.0/12'],
    podCIDRs: ['10.244.0.0/16'],
    apiServer: ['10.0.0.1/32'],
  },
  logLevel: 'warn',
};
const LONE = { ...SETTINGS, leaderElection: { enabled: false } };

/** Runs every measurement once per size (`--sizes 100,1000`). `--outage 60` is the length of the outage in seconds; `--built` measures dist as it is. */
export async function benchOperator(report: Report, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sizes: { type: 'string', default: '100,1000' },
      outage: { type: 'string', default: '60' },
      secrets: { type: 'string', default: '30000' },
      built: { type: 'boolean', default: false },
    },
  });
  if (!values.built)
    execFileSync('npm', ['run', '--silent', 'bundle'], { stdio: ['ignore', 2, 2] });
  for (const size of values.sizes.split(',').map(Number)) {
    const server = await startApiServer({ crds: true });
    try {
      await prepare(server);
      await measure({
        server,
        size,
        outageSeconds: Number(values.outage),
        secrets: Number(values.secrets),
        report,
      });
    } finally {
      await server.stop();
    }
  }
}

interface Run {
  readonly server: TestApiServer;
  readonly size: number;
  readonly outageSeconds: number;
  readonly secrets: number;
  readonly report: Report;
}

/** Two operators with exactly the rights that the chart will give them. */
async function prepare(server: TestApiServer): Promise<void> {
  await grantCluster(server, 'operator');
  await grantCluster(server, 'operator-b');
}

async function measure(run: Run): Promise<void> {
  const { server, size } = run;
  const say: Say = (metric, value, unit, reference) => {
    const figure = { bench: 'operator', metric, value, unit, size };
    run.report(reference === undefined ? figure : { ...figure, reference });
  };
  const client = new ClusterClient(
    { server: server.url, ca: server.ca, token: server.tokenOf('admin') },
    { connections: 24 },
  );
  const fleet = new Fleet(server, client, size);
  let operator = await OperatorProcess.start(server, LONE);
  try {
    await operator.ready();
    await converge(fleet, say);
    await quiet(fleet, say);
    say('rss_1000_gateways_mb', operator.rssMb(), 'MB', '<= 150 at 10,000 objects');
    await operator.end('SIGTERM');
    const mark = await server.auditMark();
    operator = await OperatorProcess.start(server, LONE);
    say('cold_start_seconds', await operator.ready(), 's', '<= 2');
    const restart = await fleet.callsUntilQuiet('operator', mark);
    say('restart_writes', restart.writes, 'calls', '0; prometheus-operator 8,083');
    say('restart_requests', restart.total, 'calls', 'prometheus-operator 17,217');
    await edits(fleet, say);
    await drift(fleet, say);
    await outage(run, fleet, say);
    await operator.end('SIGTERM');
    await handover(run, fleet, say);
    operator = await OperatorProcess.start(server, LONE);
    await operator.ready();
    const before = operator.rssMb();
    await fleet.createForeignSecrets(run.secrets);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    say(
      'rss_foreign_secrets_mb',
      operator.rssMb() - before,
      'MB',
      `<= 5, after ${run.secrets} Secrets`,
    );
  } finally {
    await operator.end('SIGKILL');
    await client.close();
  }
}

type Say = (metric: string, value: number, unit: string, reference?: string) => void;

async function converge(fleet: Fleet, say: Say): Promise<void> {
  const mark = await fleet.server.auditMark();
  const created = await fleet.createAll();
  const calls = await fleet.callsUntilQuiet('operator', mark);
  const last = Math.max(
    ...calls.entries
      .filter(({ verb }) => verb === 'patch')
      .map((entry) => Date.parse(entry.requestReceivedTimestamp)),
  );
  say('converge_1000_seconds', (last - created) / 1000, 's', '<= 30; prometheus-operator 166');
  say('requests_per_gateway', calls.total / fleet.size, 'calls', 'prometheus-operator 59');
  say(
    'writes_per_gateway',
    calls.writes / fleet.size,
    'calls',
    'children + 2; prometheus-operator 29',
  );
  say('children_per_gateway', (await fleet.countChildren()) / fleet.size, 'objects');
  say('bare_apply_1000_seconds', await fleet.bareApply(), 's', 'the same objects, 24 connections');
}

async function quiet(fleet: Fleet, say: Say): Promise<void> {
  const mark = await fleet.server.auditMark();
  await fleet.touchAll();
  const calls = await fleet.callsUntilQuiet('operator', mark);
  say('noop_calls', calls.total - (calls.verbs.watch ?? 0), 'calls', '0');
}

async function edits(fleet: Fleet, say: Say): Promise<void> {
  const mark = await fleet.server.auditMark();
  const seconds: number[] = [];
  for (let index = 0; index < 100; index++)
    seconds.push(await fleet.editUntilApplied(index % fleet.size));
  const calls = await fleet.callsUntilQuiet('operator', mark);
  say('edit_applied_p50_ms', percentile(seconds, 50), 'ms', '<= 50; prometheus-operator 99');
  say('edit_applied_p99_ms', percentile(seconds, 99), 'ms', '<= 150; prometheus-operator 329');
  say(
    'requests_per_edit',
    (calls.total - (calls.verbs.watch ?? 0)) / 100,
    'calls',
    '<= 3; prometheus-operator 62',
  );
}

async function drift(fleet: Fleet, say: Say): Promise<void> {
  const seconds: number[] = [];
  for (let index = 0; index < 100; index++)
    seconds.push(await fleet.driftUntilRepaired(index % fleet.size));
  say('drift_repair_p99_ms', percentile(seconds, 99), 'ms', '<= 1000');
}

async function outage({ server, outageSeconds }: Run, fleet: Fleet, say: Say): Promise<void> {
  await server.killKubeApiServer();
  await new Promise((resolve) => setTimeout(resolve, outageSeconds * 1000));
  await server.startKubeApiServer();
  const back = performance.now();
  await fleet.reopen();
  await fleet.editUntilApplied(0);
  say(
    'outage_recovery_seconds',
    (performance.now() - back) / 1000,
    's',
    `<= 10, after ${outageSeconds} s`,
  );
}

async function handover({ server }: Run, fleet: Fleet, say: Say): Promise<void> {
  const pair = { ...SETTINGS, leaderElection: { enabled: true } };
  for (const [signal, target] of [
    ['SIGTERM', '<= 2'],
    ['SIGKILL', '<= lease (15)'],
  ] as const) {
    const first = await OperatorProcess.start(server, pair, 'operator');
    await first.ready();
    const second = await OperatorProcess.start(server, pair, 'operator-b');
    await second.ready();
    const begin = performance.now();
    await Promise.all([first.end(signal), fleet.editUntilApplied(fleet.size - 1, 60_000)]);
    say(
      `handover_${signal.toLowerCase()}_seconds`,
      (performance.now() - begin) / 1000,
      's',
      target,
    );
    await second.end('SIGTERM');
  }
}

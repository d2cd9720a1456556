/*
 * What is measured side by side: our relay with batches, our relay on node:dgram, a bare forwarder on node:dgram, one in
 * C, coturn. Each is one process on one core.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync, readdirSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import type { PacketConfiguration, SocketKind } from '../../src/relay/packet/packet-messages.js';
import type { StatisticsReading } from '../../src/relay/packet/statistics.js';
import { debianTree } from '../debian/packages.js';
import { admit, LeaseIssuer, MOST_KBPS, RELAY_ID } from './relay-admission.js';
import type { BarePairs } from './relay-bare.js';
import { BUNDLES, messageOf, pinned, startNode, stopChild } from './relay-children.js';
import { startForwarder } from './relay-forward.js';
import { pairsOf, type Load } from './relay-load.js';
import type { FromRelayProcess, ToRelayProcess } from './relay-process.js';
import { allocate } from './relay-turn.js';

/** The name stands at the start of the metrics. */
export type ContestantName = 'relay' | 'dgram' | 'bare_forwarder' | 'c_forwarder' | 'coturn';

/** In the order in which they take turns. */
export const CONTESTANTS: readonly ContestantName[] = [
  'relay',
  'dgram',
  'bare_forwarder',
  'c_forwarder',
  'coturn',
];

const CLOCK_TICKS = 100;

/** A running relay of some kind. */
export interface Contestant {
  readonly name: ContestantName;
  readonly pid: number;
  /** Makes `flows` flows pass; gives where the stamp begins behind it. The load has new sockets when it is called. */
  prepare(load: Load, flows: number, bytes: number): Promise<number>;
  stop(): Promise<void>;
}

/** Ours tells more. */
export interface OurRelay extends Contestant {
  readonly issuer: LeaseIssuer;
  statistics(): Promise<StatisticsReading>;
}

/** Bundles what runs in processes of its own, as the product is bundled. */
export async function bundleContestants(): Promise<void> {
  await build({
    entryPoints: {
      'relay-process': 'test/bench/relay-process.ts',
      'relay-bare': 'test/bench/relay-bare.ts',
      'packet.worker': 'src/relay/packet/packet.worker.ts',
    },
    outdir: BUNDLES,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    keepNames: true,
    external: ['koffi'],
    logLevel: 'warning',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
}

/** Starts one of them on `core`. */
export async function startContestant(name: ContestantName, core: number): Promise<Contestant> {
  if (name === 'bare_forwarder') return startBare(core);
  if (name === 'coturn') return startCoturn(core);
  if (name === 'c_forwarder') return startForwarder(core);
  return startOurs(name, core);
}

/** Our relay, with every check on and limits so wide that none of them is what is measured. */
export async function startOurs(
  name: 'relay' | 'dgram',
  core: number,
  limits: Partial<PacketConfiguration['rateLimits']> = {},
): Promise<OurRelay> {
  const issuer = new LeaseIssuer();
  const child = startNode('relay-process.js', core);
  const socket: SocketKind = name === 'relay' ? 'koffi' : 'dgram';
  const ask = async (message: ToRelayProcess): Promise<FromRelayProcess> => {
    child.send(message);
    const answer = (await messageOf(child)) as FromRelayProcess; // Nobody else has the other end.
    if (answer.kind === 'failed') throw new Error(`the relay does not start: ${answer.problem}`);
    return answer;
  };
  const configuration = configurationFor(issuer, limits);
  const started = await ask({ kind: 'start', relayId: RELAY_ID, socket, configuration });
  if (started.kind !== 'started') throw new Error('the relay answers something else');
  return {
    name,
    pid: child.pid!,
    issuer,
    prepare: async (load, flows) => {
      await load.aim('127.0.0.1', started.port);
      await admit(load, issuer, flows);
      return 20;
    },
    statistics: async () => {
      const answer = await ask({ kind: 'statistics' });
      if (answer.kind !== 'statistics') throw new Error('the relay answers something else');
      return answer.statistics;
    },
    stop: () => stopChild(child),
  };
}

function configurationFor(
  issuer: LeaseIssuer,
  limits: Partial<PacketConfiguration['rateLimits']>,
): PacketConfiguration {
  return {
    capacity: {
      maxSessions: 100_000,
      softKbpsPerSession: MOST_KBPS,
      hardKbpsPerSession: MOST_KBPS,
    },
    rateLimits: {
      handshakesPerAddressPerSecond: 1_000,
      handshakesPerSecond: 100_000,
      stunRequestsPerAddressPerSecond: 10,
      fallbackConnectionsPerAddressPerMinute: 60,
      packetsPerSessionPerSecond: 1_000_000,
      ...limits,
    },
    stun: { allowPlain: false },
    peerAddresses: { denied: [], own: [] },
    leaseKeys: [issuer.leaseKey],
  };
}

async function startBare(core: number): Promise<Contestant> {
  const child = startNode('relay-bare.js', core);
  const { port } = (await messageOf(child)) as { readonly port: number }; // As above.
  return {
    name: 'bare_forwarder',
    pid: child.pid!,
    prepare: async (load, flows) => {
      await load.aim('127.0.0.1', port);
      const pairs = pairsOf(load, flows);
      child.send({ pairs } satisfies BarePairs);
      await messageOf(child);
      return 0;
    },
    stop: () => stopChild(child),
  };
}

/** The packages of the distribution that coturn came from. */
export const coturnTree = (log?: (line: string) => void) => debianTree(['coturn'], log);

async function startCoturn(core: number): Promise<Contestant> {
  const { root, env } = coturnTree();
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-coturn-'));
  const port = await freeUdpPort();
  const options = [
    ...['-n', '--no-auth', '--no-tls', '--no-dtls', '--no-tcp', '--no-tcp-relay', '--no-cli'],
    ...['--allow-loopback-peers', '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1'],
    ...[`--listening-port=${port}`, '--min-port=10000', '--max-port=32000', '--relay-threads=1'],
    ...['--log-file=/dev/null', '--no-stdout-log', `--pidfile=${join(folder, 'pid')}`],
    ...[`--userdb=${join(folder, 'turndb')}`, '--realm=bench'],
  ];
  const child = pinned(core, join(root, 'usr', 'bin', 'turnserver'), options, env);
  const prepare: Contestant['prepare'] = async (load, flows, bytes) => {
    await load.aim('127.0.0.1', port);
    await allocate(load, flows, bytes);
    return 0;
  };
  // It says nowhere that it listens; an unanswered question is asked again.
  await sleep(700);
  const stop = async () => {
    await stopChild(child);
    await rm(folder, { recursive: true, force: true });
  };
  return { name: 'coturn', pid: child.pid!, prepare, stop };
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Seconds of processor time that a process with all its threads has used, user and system. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program may hold blanks; what follows it may not. utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
}

/** What there is to say about the machine, in one line. */
export function machine(): string {
  const cpu = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const kernel = execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim();
  const cores = readdirSync('/sys/devices/system/cpu').filter((name) => /^cpu\d+$/.test(name));
  return `${cores.length} cores of ${cpu}, Linux ${kernel}, Node ${process.version}`;
}

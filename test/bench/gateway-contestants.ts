/*
 * What is measured side by side: the gateway as it is shipped, one bundled file, and a bare server on node:tls and ws.
 * Each is one process on one core, with the same certificate.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '../../config/tooling/bundler.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { bundleOf, MEMBER, POLICY_KEY } from '../processes/client-bed.js';
import { GatewayFolder, GatewayProcess } from '../processes/gateway-process.js';
import type { BareCertificate } from './gateway-bare.js';
import { placeOf, type Place } from './gateway-socket.js';
import { BUNDLES, kept, messageOf, startNode, stopChild } from './relay-children.js';

/** The core of what is measured; the generator has the other one. */
const SERVER_CORE = 1;
const GENERATOR_CORE = 0;
/** Programs find the version of the package from there. */
const PROGRAMS = join('dist', 'bench');
/** Files besides the sockets. */
const OTHER_FILES = 200;

/** A running server. */
export interface Contestant {
  readonly pid: number;
  readonly place: Place;
  stop(): Promise<void>;
}

/** Bundles what runs in processes of its own. */
export async function bundleGateway(): Promise<void> {
  await bundle({ gateway: 'src/bin/gateway.ts' }, PROGRAMS);
  await bundle(
    {
      'gateway-bare': 'test/bench/gateway-bare.ts',
      'gateway-collect': 'test/bench/gateway-collect.ts',
    },
    BUNDLES,
  );
}

/** How many files a process may open, as the kernel says it. */
export function openFilesLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  return Number(/Max open files\s+(\d+)/.exec(limits)?.[1] ?? 0);
}

/** @throws Error that says what to do when a process may not have so many sockets. */
export function requireOpenFiles(sockets: number): void {
  const limit = openFilesLimit();
  if (limit < sockets + OTHER_FILES)
    throw new Error(
      `${sockets} sockets need ${sockets + OTHER_FILES} open files, and this shell allows ${limit}: run \`ulimit -n ${sockets + OTHER_FILES}\` first, or give --sockets a smaller number.`,
    );
}

/** All threads of a process on one core. */
export function pin(pid: number, core: number): void {
  execFileSync('taskset', ['-acp', `${core}`, `${pid}`], { stdio: 'ignore' });
}

/** The generator is this process, beside what it measures. */
export function pinGenerator(): void {
  pin(process.pid, GENERATOR_CORE);
}

/** Everywhere again. */
export function unpinGenerator(): void {
  execFileSync('taskset', ['-acp', '0-1023', `${process.pid}`], { stdio: 'ignore' });
}

/** Limits as wide as settings allow, so that none of them is what is measured; quiet logs. */
function wide(settings: GatewaySettings, storage: GatewaySettings['storage']): GatewaySettings {
  const key = POLICY_KEY.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  return {
    ...settings,
    policy: { ...settings.policy, publicKeys: [key.toString('base64url')] },
    rateLimits: {
      ...settings.rateLimits,
      connectionsPerAddressPerMinute: 6_000,
      connectionsPerSecond: 100_000,
      loginsPerAccountPerHour: 3_600,
      messagesPerSessionPerSecond: 1_000,
    },
    storage,
    logLevel: 'warn',
  };
}

const COLLECT = ['--import', join(process.cwd(), BUNDLES, 'gateway-collect.js')];

/** The gateway; `node` are further options of Node, as for a profile. */
export async function startGateway(
  storage?: GatewaySettings['storage'],
  node: readonly string[] = [],
): Promise<Contestant> {
  const folder = await GatewayFolder.make((settings) =>
    wide(settings, storage ?? settings.storage),
  );
  await folder.mount('policy', { 'bundle.json': bundleOf([MEMBER]) });
  const gateway = GatewayProcess.run(folder, {
    program: [join(PROGRAMS, 'gateway.js')],
    node: [...COLLECT, ...node],
  });
  const pid = kept(gateway.child).pid!;
  pin(pid, SERVER_CORE);
  await gateway.answers(200, /^ready/);
  pin(pid, SERVER_CORE);
  return {
    pid,
    place: placeOf(gateway.port, folder.authority.certificate),
    stop: async () => {
      gateway.child.kill('SIGTERM');
      const timer = setTimeout(() => gateway.child.kill('SIGKILL'), 8_000);
      await gateway.ended;
      clearTimeout(timer);
      await folder.remove();
    },
  };
}

/** The bare server, with a certificate of the same kind. */
export async function startBare(): Promise<Contestant> {
  const folder = await GatewayFolder.make();
  const child = startNode('gateway-bare.js', SERVER_CORE, COLLECT);
  const [cert, key] = await Promise.all(
    ['tls.crt', 'tls.key'].map((name) => readFile(join(folder.path, 'tls', name), 'utf8')),
  );
  child.send({ cert: cert ?? '', key: key ?? '' } satisfies BareCertificate);
  const { port } = (await messageOf(child)) as { readonly port: number }; // Nobody else has the other end.
  await folder.remove();
  return {
    pid: child.pid!,
    place: placeOf(port, folder.authority.certificate),
    stop: () => stopChild(child),
  };
}

/*
 * To be run as root in an empty network namespace (`unshare -n`): a gateway on a host with two interfaces, of which each
 * listener has one, and nmap on a machine at the other end of both. It tells what nmap found as one line of JSON. Both
 * namespaces end with their processes; not a byte leaves them.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianTree } from '../debian/packages.js';
import { Namespace } from '../faults/nat-networks.js';
import { GatewayFolder, GatewayProcess } from './gateway-process.js';
import { until } from './relay-udp-endpoint.js';

/** Where clients reach the gateway, and where relays do. */
const PUBLIC_ADDRESS = '10.9.1.1';
const INTERNAL_ADDRESS = '10.9.2.1';

/** What the spec reads. */
export interface Scanned {
  readonly ports: Readonly<Record<'public' | 'internal', number>>;
  /** Open TCP ports of all 65,535, at the address of each of the two. */
  readonly open: Readonly<Record<'public' | 'internal', readonly number[]>>;
  /** Sockets of the gateway's host beside TCP, as the kernel counts them. */
  readonly otherSockets: number;
  /** Versions of TLS that nmap could speak on the public port, and the suites that it was given. */
  readonly versions: readonly string[];
  readonly suites: readonly string[];
}

const ip = (line: string): string =>
  execFileSync('ip', line.split(' '), { stdio: ['ignore', 'pipe', 2], encoding: 'utf8' });

/** Two links to another machine. */
async function connectedTo(other: Namespace): Promise<void> {
  ip('link set lo up');
  for (const at of [1, 2]) {
    ip(`link add sp${at} type veth peer name sp${at}p`);
    ip(`link set sp${at}p netns ${other.pid}`);
    ip(`addr add 10.9.${at}.1/24 dev sp${at}`);
    ip(`link set sp${at} up`);
    other.ip(`addr add 10.9.${at}.2/24 dev sp${at}p`);
    other.ip(`link set sp${at}p up`);
  }
  await until('both links', () => ip('-br link show').match(/^sp\S+\s+UP/gm)?.length === 2);
}

/** nmap of the distribution, on the other machine. */
function nmapOn(other: Namespace): (words: readonly string[]) => string {
  const { root, env } = debianTree(['nmap']);
  const folder = join(root, 'usr/share/nmap');
  const usr = env['LD_LIBRARY_PATH'] ?? '';
  const libraries = [usr, join(usr, 'blas'), usr.replace('/usr/lib/', '/lib/')].join(':');
  const program = ['env', `LD_LIBRARY_PATH=${libraries}`, join(root, 'usr/bin/nmap')];
  return (words) => other.run([...program, '--datadir', folder, '-n', '-Pn', '-T4', ...words]);
}

/** Rows behind the heading of each of these files. */
const rowsIn = (names: readonly string[]): number =>
  names
    .map((name) => readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n').length - 1)
    .reduce((sum, count) => sum + count, 0);

const all = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map(([, found]) => found ?? ''))].sort();

async function scan(other: Namespace): Promise<Scanned> {
  const folder = await GatewayFolder.make();
  const { listeners } = folder.settings;
  const on = (listener: keyof typeof listeners, address: string) => ({
    [listener]: { ...listeners[listener], addresses: [address] },
  });
  await folder.writeSettings((settings) => ({
    ...settings,
    listeners: {
      ...listeners,
      ...on('public', PUBLIC_ADDRESS),
      ...on('internal', INTERNAL_ADDRESS),
    },
  }));
  const nmap = nmapOn(other);
  const gateway = GatewayProcess.run(folder);
  try {
    await gateway.answers(200, /^ready/);
    const { port } = listeners.public;
    const openAt = (address: string): number[] =>
      all(nmap(['-p-', address]), /^(\d+)\/tcp\s+open/gm).map(Number);
    const tls = nmap(['-p', `${port}`, '--script', 'ssl-enum-ciphers', PUBLIC_ADDRESS]);
    return {
      ports: { public: port, internal: listeners.internal.port },
      open: { public: openAt(PUBLIC_ADDRESS), internal: openAt(INTERNAL_ADDRESS) },
      otherSockets: rowsIn(['udp', 'udp6', 'raw', 'raw6']),
      versions: all(tls, /^\|\s+((?:TLS|SSL)v[\d.]+): *$/gm),
      suites: all(tls, /^\|\s+(TLS_\S+)/gm),
    };
  } finally {
    await gateway.kill();
    await folder.remove();
  }
}

const other = await Namespace.make();
try {
  await connectedTo(other);
  process.stdout.write(`${JSON.stringify(await scan(other))}\n`);
} finally {
  other.end();
}

/*
 * What the kernel says about a process of a pod, read in the node and not in the pod.
 */
import type { Json } from '../../apiserver/bed/admin.js';
import type { Cluster } from './cluster.js';

/** One process of one container. */
export interface ProcessFacts {
  readonly pod: string;
  /** Command, as text. */
  readonly command: string;
  /** Lines of /proc/PID/status by name. */
  readonly status: Readonly<Record<string, string>>;
  /** Every mount: `device path type options`. */
  readonly mounts: readonly Mount[];
  /** TCP and UDP ports on which something listens, loopback apart: `TCP 8443`. */
  readonly ports: readonly string[];
}

/** A line of /proc/PID/mounts. */
export interface Mount {
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Every process of the containers of `pod`, the sandbox's own apart. */
export function processesOf(cluster: Cluster, pod: Json): ProcessFacts[] {
  const uid = pod.metadata.uid as string;
  const script = `for at in /proc/[0-9]*; do grep -q "pod${uid}" $at/cgroup 2>/dev/null || continue
    echo "=== $(tr '\\0' ' ' < $at/cmdline)"; cat $at/status; echo '--- mounts'; cat $at/mounts
    echo '--- tcp'; cat $at/net/tcp $at/net/tcp6; echo '--- udp'; cat $at/net/udp $at/net/udp6; done`;
  const text = cluster.node(['sh', '-c', script]);
  const parts = text.split(/^=== /m).slice(1);
  return parts
    .map((part) => factsOf(pod.metadata.name as string, part))
    .filter(({ command }) => command !== '/pause' && command !== '');
}

function factsOf(pod: string, part: string): ProcessFacts {
  const [head = '', mounts = '', tcp = '', udp = ''] = part.split(/^--- \w+\n/m);
  const [command = '', ...lines] = head.split('\n');
  const pairs = lines.filter((line) => line.includes(':\t')).map((line) => line.split(':\t'));
  return {
    pod,
    command: command.trim(),
    status: Object.fromEntries(
      pairs.map(([name = '', value = '']) => [name, value.trim().replaceAll('\t', ' ')]),
    ),
    mounts: mounts.split('\n').filter(Boolean).map(mountOf),
    // State 0A is a socket that listens; a datagram socket that is bound and not connected is in 07.
    ports: [...listening(tcp, 'TCP', '0A'), ...listening(udp, 'UDP', '07')].sort(),
  };
}

function mountOf(line: string): Mount {
  const [, path = '', type = '', options = ''] = line.split(' ');
  return { path, type, options: options.split(',') };
}

function listening(table: string, protocol: string, state: string): string[] {
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  const local = rows.filter((row) => row[3] === state).map((row) => row[1] ?? '');
  const reachable = local.filter((address) => !LOOPBACK.test(address));
  const ports = reachable.map((address) => Number.parseInt(address.split(':')[1] ?? '', 16));
  return [...new Set(ports)].map((port) => `${protocol} ${port}`);
}

/** 127.0.0.0/8 and ::1, as the kernel writes them. */
const LOOPBACK = /^(......7F|0{24}01000000|0000000000000000FFFF0000......7F):/;

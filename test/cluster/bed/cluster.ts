/*
 * What a test does to a cluster: calls to its API, programs in the node's namespaces, outside of them, and in pods.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Admin } from '../../apiserver/bed/admin.js';

/** How a running cluster is reached from this machine. */
export interface ClusterAccess {
  /** Its folder, with files of every kind. */
  readonly folder: string;
  /** The API server, on loopback of this machine. */
  readonly url: string;
  readonly ca: string;
  /** Bearer token of the user who may do everything. */
  readonly token: string;
  /** The first process of the node's namespaces. */
  readonly firstProcess: number;
  /** The binary. */
  readonly kubectl: string;
  /** PATH of the node. */
  readonly path: string;
  /** LD_LIBRARY_PATH of the node. */
  readonly libraries: string;
}

/** How a command ended. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is run. */
export interface RunOptions {
  /** A minute unless told. */
  readonly timeoutMs?: number;
  /** Its standard input. */
  readonly input?: string;
}

/** A cluster that runs; see `ClusterNode` for who started it. */
export class Cluster {
  /** Plain calls to the API server. */
  readonly admin: Admin;

  constructor(private readonly at: ClusterAccess) {
    this.admin = new Admin(at.url, at.ca, () => at.token);
  }

  /** The words that start a command in the node's namespaces. */
  entry(where: 'node' | 'outside'): string[] {
    const env = ['env', `PATH=${this.at.path}`, `LD_LIBRARY_PATH=${this.at.libraries}`];
    const node = ['nsenter', '-t', `${this.at.firstProcess}`, '-n', '-m', '-p', ...env];
    if (where === 'node') return node;
    return [
      ...node,
      'nsenter',
      '-t',
      readFileSync(join(this.at.folder, 'outside.pid'), 'utf8'),
      '-n',
    ];
  }

  /** Runs a command; gives how it ended. It is killed after a minute unless told. */
  try(
    words: readonly string[],
    where: 'node' | 'outside' = 'node',
    { timeoutMs = 60_000, input = '' }: RunOptions = {},
  ): Ran {
    const [command, ...args] = [...this.entry(where), ...words] as [string, ...string[]];
    const ran = spawnSync(command, args, {
      encoding: 'utf8',
      input,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 26,
    });
    return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
  }

  /** Runs a command that must succeed; gives its standard output. @throws Error with what it said */
  private must(words: readonly string[], where: 'node' | 'outside', options?: RunOptions): string {
    const { code, stdout, stderr } = this.try(words, where, options);
    if (code === 0) return stdout;
    throw new Error(`${words.join(' ').slice(0, 1000)}: exit ${code}\n${stderr}${stdout}`);
  }

  /** A command of the node that must succeed. @throws Error with what it said */
  node(words: readonly string[], options?: RunOptions): string {
    return this.must(words, 'node', options);
  }

  /** A command outside of the cluster that must succeed. @throws Error with what it said */
  outside(words: readonly string[], options?: RunOptions): string {
    return this.must(words, 'outside', options);
  }

  /** A program that goes on, with its streams. Whoever starts it ends it; it ends with the cluster at the latest. */
  spawn(words: readonly string[], where: 'node' | 'outside'): ChildProcessWithoutNullStreams {
    const [command, ...args] = [...this.entry(where), ...words] as [string, ...string[]];
    return spawn(command, args);
  }

  /**
   * A program of this machine with the network of the outside, and its own files and processes. Signals reach it.
   */
  spawnFar(words: readonly string[]): ChildProcessWithoutNullStreams {
    const net = `--net=/proc/${this.outsidePid()}/ns/net`;
    return spawn('nsenter', [net, ...words], { detached: true });
  }

  /** The process that holds the outside, by its number on this machine. */
  private outsidePid(): string {
    const inner = readFileSync(join(this.at.folder, 'outside.pid'), 'utf8');
    const space = readlinkSync(`/proc/${this.at.firstProcess}/ns/pid`);
    const found = readdirSync('/proc').find((name) => {
      if (!/^\d+$/.test(name) || !existsSync(`/proc/${name}/status`)) return false;
      const numbers = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
      return (
        numbers?.split(/\s+/).at(-1) === inner && readlinkSync(`/proc/${name}/ns/pid`) === space
      );
    });
    if (found === undefined) throw new Error('The outside has gone.');
    return found;
  }

  /** kubectl's words. */
  kubectlWords(args: readonly string[]): string[] {
    return [this.at.kubectl, '--kubeconfig', join(this.at.folder, 'kubeconfig-admin'), ...args];
  }

  /** kubectl as the administrator. @throws Error with what it said */
  kubectl(args: readonly string[], options?: RunOptions): string {
    return this.node(this.kubectlWords(args), options);
  }

  /** containerd's own client, in the namespace of Kubernetes. @throws Error with what it said */
  ctr(args: readonly string[]): string {
    return this.node(['ctr', '-n', 'k8s.io', '-a', '/run/containerd/containerd.sock', ...args]);
  }

  /** Takes an archive into the node's image store. @throws Error with what ctr said */
  importImage(archive: string, options: readonly string[] = []): void {
    this.ctr(['images', 'import', ...options, archive]);
  }
}

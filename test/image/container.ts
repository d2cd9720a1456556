/*
 * A program inside an unpacked image, without a container runtime: its root is the image, mounted read-only in a mount
 * namespace of its own, with /proc, /dev and the folders that a pod would mount; its user is 65532. Needs root.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

const USER = 65_532;
/** USER_HZ of Linux, in which /proc counts processor time. */
const TICKS_PER_SECOND = 100;

/** Mounts, then becomes the program: one process id from the beginning. */
const SCRIPT = `set -e
root=$1; shift
mount --bind "$root" "$root"
mkdir -p "$root/proc" "$root/dev"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
  mkdir -p "$root$1"
  mount --bind "$1" "$root$1"
  shift
done
shift
mount -o remount,bind,ro "$root"
exec chroot --userspec=${USER}:${USER} --groups=${USER} "$root" "$@"
`;

/** What a program of the image writes and takes. */
export class Container {
  output = '';
  readonly startedAt = performance.now();
  readonly ended: Promise<number | null>;

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.ended = new Promise((resolve) => child.once('close', resolve));
  }

  /** Starts `argv` in the image at `root`. `folders` are the program's own, at the same path inside. */
  static start(
    root: string,
    argv: readonly string[],
    {
      folders = [],
      env = {},
    }: { readonly folders?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
  ): Container {
    for (const folder of folders) execFileSync('chown', ['-R', `${USER}:${USER}`, folder]);
    const words = ['-c', SCRIPT, 'sh', root, ...folders, '--', ...argv];
    const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // The image's own PATH comes after that of the tools which mount.
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
    });
    return new Container(child);
  }

  /** Waits for 200 on a page of loopback; gives the seconds since the start. @throws Error with what the program wrote */
  async ready(url: string): Promise<number> {
    for (let tries = 0; tries < 4_000; tries++) {
      const status = await fetch(url).then(
        async (response) => (await response.text(), response.status),
        () => 0,
      );
      if (status === 200) return (performance.now() - this.startedAt) / 1000;
      if (this.child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${url} does not answer 200:\n${this.output}`);
  }

  /** Seconds of processor time that all its threads took so far. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** A line of /proc/PID/status. */
  status(name: string): string {
    const text = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
  }

  /** Resident memory in MB (10^6 bytes). */
  rssMb(): number {
    return (Number(this.status('VmRSS').replace(' kB', '')) * 1024) / 1e6;
  }

  async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.ended;
  }
}

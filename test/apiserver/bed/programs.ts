import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.js';

const SUPERVISOR = fileURLToPath(new URL('./supervisor.js', import.meta.url));

/** One program of a test server. Its output goes to `NAME.log` in the server's folder. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** How a program ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly error?: string;
}

interface Report extends Exit {
  readonly event: 'started' | 'exited';
  readonly name: string;
  readonly pid: number;
}

/**
 * The programs of one test server. They die when this process does, however it dies: see supervisor.js.
 * `folder` is removed with them. `launcher` is another command that starts, and is, the supervisor.
 */
export class Programs {
  private readonly supervisor: ChildProcessByStdio<Writable, Readable, null>;
  private readonly pids = new Map<string, number>();
  private readonly exits = new Map<string, Exit>();
  private readonly waiting = new Set<() => void>();
  private readonly closed: Promise<void>;

  constructor(
    private readonly folder: string,
    launcher: readonly string[] = [SUPERVISOR, folder],
  ) {
    // In a session of its own: Ctrl-C must reach the test process only, which then ends the pipe.
    const child = spawn(process.execPath, launcher, {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    this.supervisor = child;
    this.closed = new Promise((resolve) =>
      child.once('close', () => {
        resolve();
      }),
    );
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.take(JSON.parse(line) as Report);
    });
    this.keepAwake(false);
  }

  /** A spec that forgets `stop()` must not keep jest alive; one that waits for a program must stay alive. */
  private keepAwake(awake: boolean): void {
    for (const handle of [this.supervisor, this.supervisor.stdin, this.supervisor.stdout]) {
      if (!(handle instanceof Socket || handle === this.supervisor)) continue;
      if (awake) handle.ref();
      else handle.unref();
    }
  }

  private take(report: Report): void {
    if (report.event === 'started') this.pids.set(report.name, report.pid);
    else {
      this.pids.delete(report.name);
      this.exits.set(report.name, report);
    }
    for (const wake of this.waiting) wake();
  }

  private send(message: object): void {
    this.supervisor.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Starts a program; resolves with its process id. */
  async start(program: Program): Promise<number> {
    this.exits.delete(program.name);
    this.send({ op: 'start', ...program, log: this.logFile(program.name) });
    await this.until(() => this.pids.has(program.name) || this.exits.has(program.name));
    const pid = this.pids.get(program.name);
    if (pid === undefined) throw this.failure(program.name);
    return pid;
  }

  /** Kills a program; resolves when it is gone. */
  async kill(name: string): Promise<void> {
    if (!this.pids.has(name)) return;
    this.send({ op: 'signal', name, signal: 'SIGKILL' });
    await this.until(() => !this.pids.has(name));
  }

  /** Stops all threads of a program; resolves when they stand still. */
  async freeze(name: string): Promise<void> {
    const pid = this.pids.get(name);
    if (pid === undefined) throw new Error(`${name} does not run.`);
    process.kill(pid, 'SIGSTOP');
    await eventually(`${name} stands still`, () => stateOf(pid) === 'T');
  }

  /** Ends `freeze`. */
  thaw(name: string): void {
    const pid = this.pids.get(name);
    if (pid !== undefined) process.kill(pid, 'SIGCONT');
  }

  /** The process id of a running program. */
  pidOf(name: string): number | undefined {
    return this.pids.get(name);
  }

  /** How a program ended, if it did. */
  exitOf(name: string): Exit | undefined {
    return this.exits.get(name);
  }

  /** The file that takes standard output and error of a program. */
  logFile(name: string): string {
    return join(this.folder, `${name}.log`);
  }

  /** An error that says how a program ended and shows the last lines of its log. */
  failure(name: string): Error {
    const exit = this.exits.get(name);
    const how = exit
      ? `ended (${exit.error ?? exit.signal ?? `exit ${exit.code ?? 'unknown'}`})`
      : 'is not ready';
    return new Error(`${name} ${how}. Its last lines:\n${this.tail(name)}`);
  }

  /** The last lines of every program's log. */
  tails(): string {
    const logs = readdirSync(this.folder).filter((file) => file.endsWith('.log'));
    return logs.map((file) => this.tail(file.slice(0, -'.log'.length))).join('\n');
  }

  private tail(name: string): string {
    return readFileSync(this.logFile(name), 'utf8').split('\n').slice(-15).join('\n');
  }

  /** Kills all programs and removes the folder; resolves when both are gone. */
  async stop(): Promise<void> {
    this.keepAwake(true);
    this.supervisor.stdin.end();
    await this.closed;
  }

  private async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    this.keepAwake(true);
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.waiting.delete(check);
        resolve();
      };
      this.waiting.add(check);
    });
    if (this.waiting.size === 0) this.keepAwake(false);
  }
}

/** The state of a process: `R` running, `S` sleeping, `T` stopped; see proc_pid_stat(5). */
function stateOf(pid: number): string | undefined {
  const file = `/proc/${pid}/stat`;
  // The name of the program stands before it, in brackets that it may contain itself.
  if (existsSync(file)) return readFileSync(file, 'utf8').split(') ').at(-1)?.[0];
  return spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()[0];
}

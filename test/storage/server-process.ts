/*
 * One server program of the distribution as a child of the test run: started, signalled and ended by its process id,
 * and ended with the test run if that ends first.
 */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 25;
const STOP_WITHIN_MS = 10_000;
/** What is kept of the program's output for an error message. */
const MAX_OUTPUT_CHARACTERS = 20_000;

/** How a server is started. */
export interface ServerProgram {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Both, or neither: the user that it runs as. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** A running server. */
export class ServerProcess {
  #output = '';
  readonly #ended: Promise<unknown>;
  readonly #endWithRun = () => {
    this.signal('SIGKILL');
  };

  private constructor(readonly child: ChildProcess) {
    const collect = (chunk: unknown) =>
      (this.#output = (this.#output + String(chunk)).slice(-MAX_OUTPUT_CHARACTERS));
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.once('error', collect);
    this.#ended = once(child, 'close').catch(() => undefined);
    process.once('exit', this.#endWithRun);
  }

  /** Starts `program` and waits until `isReady` says so. @throws Error with its output if it ends or takes too long. */
  static async start(
    program: ServerProgram,
    isReady: () => Promise<boolean>,
  ): Promise<ServerProcess> {
    const { file, args, env, user = {} } = program;
    const options: SpawnOptions = { ...user, env, stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' };
    const server = new ServerProcess(spawn(file, args, options));
    const untilMs = performance.now() + READY_WITHIN_MS;
    while (!(await isReady())) {
      if (server.hasEnded || performance.now() > untilMs) {
        await server.stop();
        throw new Error(`${file} did not become ready: ${server.output}`);
      }
      await sleep(LOOK_AGAIN_MS);
    }
    return server;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return (
      this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null
    );
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.hasEnded) this.child.kill(signal);
  }

  /** Ends it, with `signal` first and with SIGKILL if that takes longer than ten seconds. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    process.off('exit', this.#endWithRun);
    if (this.child.pid === undefined) return;
    this.signal('SIGCONT');
    this.signal(signal);
    const timer = setTimeout(() => {
      this.signal('SIGKILL');
    }, STOP_WITHIN_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}

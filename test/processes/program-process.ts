/*
 * A program of ours that runs as a process with a health port: what it writes, what its pages say, and its end.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pause, until } from './relay-udp-endpoint.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Starts node with `args` in the folder of the project and nothing of the environment but what it needs, and `env`. */
export const startNode = (args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess =>
  spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** What differs between programs. */
export interface ProgramParts {
  /** Undefined for one that has read no settings. */
  readonly healthPort: number | undefined;
  /** A busy machine takes its time to start a program. */
  readonly readyWithinMs: number;
}

/** A program that runs. */
export class ProgramProcess {
  /** Audit records. */
  stdout = '';
  /** Log lines. */
  stderr = '';
  /** Exit code, once it has ended. */
  readonly ended: Promise<number | null>;

  protected constructor(
    readonly child: ChildProcess,
    private readonly program: ProgramParts,
  ) {
    child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = new Promise((resolve) => child.once('close', resolve));
  }

  /** One page of the health port; status 0 while nobody listens. */
  async page(path: string): Promise<{ readonly status: number; readonly body: string }> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.program.healthPort}${path}`);
      return { status: response.status, body: await response.text() };
    } catch {
      return { status: 0, body: '' };
    }
  }

  /** Waits until /readyz answers with this status and a body that matches. */
  async answers(status: number, body: RegExp): Promise<string> {
    const end = Date.now() + this.program.readyWithinMs;
    for (;;) {
      const page = await this.page('/readyz');
      if (page.status === status && body.test(page.body)) return page.body;
      if (Date.now() > end || this.#hasEnded)
        throw new Error(`/readyz: ${page.status} ${page.body}\n${this.stderr}`);
      await pause(50);
    }
  }

  /** By itself or by a signal: then nothing more is to be waited for. */
  get #hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** The value of one series of /metrics, by its name with labels. */
  async metric(series: string): Promise<number | undefined> {
    const { body } = await this.page('/metrics');
    const line = body.split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  /** Waits for text on standard error. */
  said(text: string): Promise<void> {
    return until(`the program says ${text}`, () => this.stderr.includes(text));
  }

  /** Ends it at once, if it has not ended. */
  async kill(): Promise<void> {
    if (!this.#hasEnded) this.child.kill('SIGKILL');
    await this.ended;
  }
}

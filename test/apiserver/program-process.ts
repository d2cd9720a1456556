import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';

const ROOT = join(import.meta.dirname, '../..');

/** One JSON line of a program's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Settings that a test operator needs at least; `changes` go on top. */
export function operatorSettings(changes: object = {}): object {
  return {
    version: 1,
    installId: 'test',
    namespace: 'sallyport-system',
    renders: [
      {
        version: 1,
        image: {
          repository: 'registry.example.com/sallyport',
          tag: '0.1.0',
          digest: `sha256:${'0'.repeat(64)}`,
        },
      },
    ],
    health: { address: '127.0.0.1', port: 0 },
    cluster: { serviceCIDRs: ['10.96.0.0/12'], podCIDRs: ['10.244.0.0/16'] },
    ...changes,
  };
}

/** `src/bin/operator.ts` as a process of its own. */
export class OperatorProgram {
  stdout = '';
  stderr = '';

  private constructor(
    readonly child: ChildProcess,
    private readonly ended: Promise<unknown>,
  ) {
    child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  /** Starts the program with these arguments. */
  static run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): OperatorProgram {
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/bin/operator.ts', ...args], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new OperatorProgram(child, once(child, 'close'));
  }

  /** Starts the program as `user` of `server`. `address`: another way to that server, such as a fault proxy. */
  static async start(
    server: TestApiServer,
    {
      settings = {},
      user = 'operator',
      address = server.url,
      environment = {},
    }: {
      settings?: object;
      user?: string;
      address?: string;
      environment?: NodeJS.ProcessEnv;
    } = {},
  ): Promise<OperatorProgram> {
    const file = join(server.folder, `operator-${Math.random().toString(36).slice(2)}.json`);
    await writeFile(file, JSON.stringify(operatorSettings(settings)));
    const kubeconfig = await server.kubeconfigOf(user, address);
    return OperatorProgram.run(['--settings', file], {
      ...environment,
      KUBECONFIG: kubeconfig,
    });
  }

  /** Its log so far. */
  get log(): readonly LogLine[] {
    return jsonLines(this.stderr) as LogLine[];
  }

  /** Its audit records so far. */
  get audit(): readonly Readonly<Record<string, unknown>>[] {
    return jsonLines(this.stdout);
  }

  /** Waits for a log line with this message. */
  logged(msg: string, timeoutMs = 20_000): Promise<LogLine> {
    return eventually(
      `the operator logs "${msg}"`,
      () => this.log.find((line) => line.msg === msg),
      {
        timeoutMs,
      },
    );
  }

  /** GET on its health port: status and body. */
  async ask(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const { port } = await this.logged('started');
    const answer = await fetch(`http://127.0.0.1:${String(port)}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  /** Waits until /readyz answers 200. */
  ready(): Promise<boolean> {
    return eventually(
      'the operator is ready',
      async () => (await this.ask('/readyz')).status === 200,
      {
        timeoutMs: 20_000,
      },
    );
  }

  /** Waits until it leads, or no longer leads. */
  leads(wanted = true): Promise<boolean> {
    const role = wanted ? 'leader' : 'standby';
    return eventually(
      `the operator is ${role}`,
      async () => (await this.ask('/readyz')).text.includes(`"role":"${role}"`),
      { timeoutMs: 20_000 },
    );
  }

  /** Sends `signal`, waits for the end, and gives exit code and milliseconds. */
  async end(
    signal?: NodeJS.Signals,
  ): Promise<{ readonly code: number | null; readonly ms: number }> {
    const begin = performance.now();
    if (signal && this.child.exitCode === null) this.child.kill(signal);
    await this.ended;
    return { code: this.child.exitCode, ms: performance.now() - begin };
  }
}

function jsonLines(text: string): Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../apiserver/bed/eventually.js';
import type { TestApiServer } from '../apiserver/bed/api-server.js';

/**
 * As docs/operations.md tells to start it: a small young generation, an old one that grows little between collections and
 * one malloc arena keep the resident set small; the operator allocates little that lives.
 */
const NODE_FLAGS = ['--max-semi-space-size=8', '--max-old-space-size=256'];
const MALLOC = { MALLOC_ARENA_MAX: '1' };

/** The built operator as a process of its own, against a test API server. */
export class OperatorProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly healthUrl: string,
    private readonly startedAt: number,
  ) {}

  /** Starts `dist/bundle/operator.js` as `user`. It may not be ready yet: see `ready`. */
  static async start(
    server: TestApiServer,
    settings: object,
    user = 'operator',
  ): Promise<OperatorProcess> {
    const port = await freePort();
    const file = join(server.folder, `operator-${user}-${port}.json`);
    await writeFile(file, JSON.stringify({ ...settings, health: { address: '127.0.0.1', port } }));
    const kubeconfig = await server.kubeconfigOf(user);
    const startedAt = performance.now();
    const child = spawn(
      process.execPath,
      [...NODE_FLAGS, 'dist/bundle/operator.js', '--settings', file],
      {
        env: { ...process.env, ...MALLOC, KUBECONFIG: kubeconfig, NODE_ENV: 'production' },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    child.stderr.on('data', (text: Buffer) => process.stderr.write(text));
    return new OperatorProcess(child, `http://127.0.0.1:${port}`, startedAt);
  }

  /** Seconds from the start of the process until /readyz answers 200. */
  async ready(): Promise<number> {
    await eventually(
      'the operator is ready',
      async () => (await fetch(`${this.healthUrl}/readyz`)).status === 200,
      {
        timeoutMs: 60_000,
        everyMs: 10,
      },
    );
    return (performance.now() - this.startedAt) / 1000;
  }

  /** Whether this process leads, from its metrics. */
  async leads(): Promise<boolean> {
    const text = await (await fetch(`${this.healthUrl}/metrics`)).text();
    return /^leader_election_master_status\{[^}]*\} 1$/m.test(text);
  }

  /** Resident memory now, in MB (10^6 bytes). */
  rssMb(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return (Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024) / 1e6;
  }

  /** Sends the signal and waits until the process has ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    await ended;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

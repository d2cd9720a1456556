/*
 * The quickstart as a newcomer starts it: a gateway and two relays as processes of this machine. The programs are bundled
 * before the first test of who imports this.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { bundle } from '../../config/tooling/bundler.js';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAMS_FOLDER = join(ROOT, `dist/test-standalone-${process.pid}`);
/** The processes of config/quickstart. */
export const PROGRAMS = [
  'default/demo-gateway-0',
  'default/local-relay-0',
  'default/local-relay-1',
];
/** A start on a busy machine. */
export const SOON_MS = 60_000;

let folder: string;
const started = new Set<ChildProcess>();

/** The state folder of this spec. */
export const stateFolder = (): string => join(folder, 'state');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-standalone-'));
  await bundle(
    {
      gateway: 'src/bin/gateway.ts',
      relay: 'src/bin/relay.ts',
      sallyport: 'src/bin/sallyport.ts',
      'packet.worker': 'src/relay/packet/packet.worker.ts',
      'fallback.worker': 'src/relay/shell/fallback.worker.ts',
    },
    PROGRAMS_FOLDER,
  );
}, SOON_MS);
afterEach(async () => {
  for (const child of started) await ended(child, 'SIGKILL');
  for (const pod of PROGRAMS) kill(pidOf(pod));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await rm(PROGRAMS_FOLDER, { recursive: true, force: true });
});

/** A command that runs. */
export interface Run {
  readonly child: ChildProcess;
  output(): string;
  /** Its exit code, when it has ended and said all. */
  readonly closed: Promise<number | null>;
}

/** `sallyport up` with the state folder of this spec and config/quickstart, or the resources in `from`. */
export const up = (args: readonly string[] = [], from = 'config/quickstart'): Run =>
  sallyport('up', '-f', from, '--state', stateFolder(), ...args);

/** The command line. */
export function sallyport(...args: readonly string[]): Run {
  const argv = [join(PROGRAMS_FOLDER, 'sallyport.js'), ...args];
  const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  started.add(child);
  child.once('exit', () => started.delete(child));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output: () => output, closed };
}

/** Ends a child, if it has not ended; gives its exit code. */
export async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return exit;
}

/** Process id of a pod; undefined while it does not run. */
export function pidOf(pod: string): number | undefined {
  try {
    const noted = readFileSync(join(stateFolder(), 'pods', pod, 'process.json'), 'utf8');
    return (JSON.parse(noted) as { pid: number }).pid;
  } catch {
    return undefined;
  }
}

/** Ended and waiting for its parent to notice is ended. */
export function isAlive(pid: number | undefined): boolean {
  try {
    return (
      pid !== undefined && !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    );
  } catch {
    return false;
  }
}

export function kill(pid: number | undefined): void {
  if (isAlive(pid) && pid !== undefined) process.kill(pid, 'SIGKILL');
}

/** Waits up to a minute. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + SOON_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within a minute: ${what}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

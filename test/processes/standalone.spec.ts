/*
 * The quickstart as a newcomer starts it: a gateway and two relays as processes of this machine.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, rmdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { bundle } from '../../config/tooling/bundler.js';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAMS = ['default/demo-gateway-0', 'default/local-relay-0', 'default/local-relay-1'];
const SOON_MS = 60_000;

let folder: string;
let state: string;
const started = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-standalone-'));
  state = join(folder, 'state');
  await bundle(
    {
      gateway: 'src/bin/gateway.ts',
      relay: 'src/bin/relay.ts',
      sallyport: 'src/bin/sallyport.ts',
      'packet.worker': 'src/relay/packet/packet.worker.ts',
      'fallback.worker': 'src/relay/shell/fallback.worker.ts',
    },
    join(ROOT, 'dist/test-standalone'),
  );
}, SOON_MS);

afterEach(async () => {
  for (const child of started) await ended(child, 'SIGKILL');
  for (const pod of PROGRAMS) kill(pidOf(pod));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await rm(join(ROOT, 'dist/test-standalone'), { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  output(): string;
}

function up(...args: string[]): Run {
  const program = join(ROOT, 'dist/test-standalone/sallyport.js');
  const argv = [program, 'up', '-f', 'config/quickstart', '--state', state, ...args];
  const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  started.add(child);
  child.once('exit', () => started.delete(child));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return exit;
}

/** Process id of a pod; undefined while it does not run. */
function pidOf(pod: string): number | undefined {
  try {
    const noted = readFileSync(join(state, 'pods', pod, 'process.json'), 'utf8');
    return (JSON.parse(noted) as { pid: number }).pid;
  } catch {
    return undefined;
  }
}
/** Ended and waiting for its parent to notice is ended. */
function isAlive(pid: number | undefined): boolean {
  try {
    return (
      pid !== undefined && !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    );
  } catch {
    return false;
  }
}
function kill(pid: number | undefined): void {
  if (isAlive(pid) && pid !== undefined) process.kill(pid, 'SIGKILL');
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + SOON_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within a minute: ${what}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}
const isReady = (run: Run) => (): boolean =>
  ['SignalingGateway default/demo', 'RelayPool default/local'].every((name) =>
    run.output().includes(`${name} Ready=True`),
  );
const caOf = async (): Promise<string> => {
  const kept = JSON.parse(await readFile(join(state, 'cluster.json'), 'utf8')) as {
    objects: { put: { kind: string; metadata: { name: string }; data?: Record<string, string> } }[];
  };
  const found = kept.objects.find(
    ({ put }) => put.kind === 'ConfigMap' && put.metadata.name === 'sallyport-ca',
  );
  return found?.put.data?.['ca.crt'] ?? '';
};

describe('the quickstart without a cluster', () => {
  it(
    'becomes ready, says so, and ends every process',
    async () => {
      const run = up('--once');
      const code = await new Promise<number | null>((resolve) => run.child.once('exit', resolve));
      expect([code, run.output()]).toEqual([
        0,
        expect.stringMatching(/default\/demo-gateway-0 +127/),
      ]);
      for (const kind of ['AccessRole', 'SignalingGateway', 'RelayPool', 'RetentionPolicy'])
        expect(run.output()).toMatch(new RegExp(`^${kind} +default/[a-z-]+ +True`, 'm'));
      for (const pod of PROGRAMS) expect(isAlive(pidOf(pod))).toBe(false);
    },
    2 * SOON_MS,
  );

  it(
    'S205, T3: lets two people talk whom no server can overhear, and ends every process',
    async () => {
      const run = up('--demo', '--once');
      const code = await new Promise<number | null>((resolve) => run.child.once('exit', resolve));
      const output = run.output();
      expect([code, output]).toEqual([0, expect.stringContaining('both see the safety number')]);
      expect(output).toMatch(/alice to bob: .* \(sealed end to end, there after \d+ ms\)/);
      expect(output).toMatch(/bob to alice: .* \(sealed end to end, there after \d+ ms\)/);
      expect(output).toMatch(/a file of 20 MB in .*: the same bytes arrived/);
      expect(output).toMatch(/a stranger showed a captured lease .*: refused; .*: proven/);
      expect(output).toMatch(/searched for what they said and sent in \d+ files .*: not found/);
      for (const pod of PROGRAMS) expect(isAlive(pidOf(pod))).toBe(false);
    },
    2 * SOON_MS,
  );

  it(
    'is not disturbed by a second run, starts a program again that was killed, and ends with SIGTERM',
    async () => {
      const run = up();
      await until('ready', isReady(run));
      const second = up('--once');
      const refused = await new Promise<number | null>((done) => second.child.once('close', done));
      expect([refused, second.output()]).toEqual([
        78,
        expect.stringContaining('is in use by process'),
      ]);
      const before = pidOf('default/local-relay-1');
      kill(before);
      await until('a new process', () => {
        const now = pidOf('default/local-relay-1');
        return now !== before && isAlive(now);
      });
      const pids = PROGRAMS.map(pidOf);
      expect(await ended(run.child, 'SIGTERM')).toBe(0);
      expect(pids.map(isAlive)).toEqual([false, false, false]);
    },
    3 * SOON_MS,
  );

  it(
    'goes on with the same keys after it was killed itself, and leaves no process of that run',
    async () => {
      const first = up();
      await until('ready', isReady(first));
      const authority = await caOf();
      await ended(first.child, 'SIGKILL');
      const left = PROGRAMS.map(pidOf);
      expect(left.map(isAlive)).toEqual([true, true, true]);
      const second = up();
      await until('ready again', isReady(second));
      expect(PROGRAMS.map(pidOf).map(isAlive)).toEqual([true, true, true]);
      expect(left.map(isAlive)).toEqual([false, false, false]);
      expect(await caOf()).toBe(authority);
      expect(await ended(second.child, 'SIGINT')).toBe(0);
    },
    4 * SOON_MS,
  );

  it('keeps private keys from others', () => {
    for (const pod of PROGRAMS) {
      const entries = readdirSync(join(state, 'pods', pod));
      expect(entries).not.toContain('volumes');
    }
  });

  it(
    'says which port another program holds, and leaves no process behind',
    async () => {
      const other = createServer().listen(5349, '127.0.0.3');
      await once(other, 'listening');
      const run = up('--once');
      const code = await new Promise<number | null>((resolve) => run.child.once('close', resolve));
      other.close();
      expect([code, run.output()]).toEqual([
        78,
        expect.stringContaining('default/local-relay-1 needs TCP port 5349 of 127.0.0.3'),
      ]);
      for (const pod of PROGRAMS) expect(isAlive(pidOf(pod))).toBe(false);
    },
    2 * SOON_MS,
  );

  it(
    'says that its state cannot be written, and leaves no process behind',
    async () => {
      const obstacle = join(state, 'cluster.json.new');
      await mkdir(obstacle);
      const run = up('--once');
      const code = await new Promise<number | null>((resolve) => run.child.once('close', resolve));
      await rmdir(obstacle);
      expect([code, run.output()]).toEqual([
        78,
        expect.stringContaining('cluster.json cannot be written: EISDIR'),
      ]);
      for (const pod of PROGRAMS) expect(isAlive(pidOf(pod))).toBe(false);
    },
    2 * SOON_MS,
  );
});

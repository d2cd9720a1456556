/*
 * The quickstart as a newcomer starts it, when all goes well.
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  ended,
  isAlive,
  kill,
  pidOf,
  PROGRAMS,
  sallyport,
  SOON_MS,
  stateFolder,
  until,
  up,
  type Run,
} from './standalone-bed.js';

const isReady = (run: Run) => (): boolean =>
  ['SignalingGateway default/demo', 'RelayPool default/local'].every((name) =>
    run.output().includes(`${name} Ready=True`),
  );
const caOf = async (): Promise<string> => {
  const kept = JSON.parse(await readFile(join(stateFolder(), 'cluster.json'), 'utf8')) as {
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
      const run = up(['--once']);
      const code = await run.closed;
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
      const run = up(['--demo', '--once']);
      const code = await run.closed;
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
      const second = up(['--once']);
      const refused = await second.closed;
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
    'is followed by its programs when it is killed itself, and goes on with the same keys after it',
    async () => {
      const first = up();
      await until('ready', isReady(first));
      const authority = await caOf();
      const left = PROGRAMS.map(pidOf);
      expect(left.map(isAlive)).toEqual([true, true, true]);
      await ended(first.child, 'SIGKILL');
      await until('no process is left', () => !left.some(isAlive));
      const second = up();
      await until('ready again', isReady(second));
      expect(PROGRAMS.map(pidOf).map(isAlive)).toEqual([true, true, true]);
      expect(await caOf()).toBe(authority);
      expect(await ended(second.child, 'SIGINT')).toBe(0);
    },
    4 * SOON_MS,
  );

  it(
    'tells programs what changes, and lets two people talk a second time',
    async () => {
      const run = up(['--output', 'json']);
      await until('ready', () => run.output().includes('{"event":"home"'));
      const demo = sallyport('demo', '--state', stateFolder());
      const code = await demo.closed;
      expect([code, demo.output()]).toEqual([0, expect.stringContaining(': not found')]);
      expect(await ended(run.child, 'SIGINT')).toBe(0);
      const events = run
        .output()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
      expect(events[0]).toMatchObject({ event: 'starting', folders: ['config/quickstart'] });
      for (const name of ['default/demo', 'default/local'])
        expect(events).toContainEqual(
          expect.objectContaining({ event: 'resource', name, ready: 'True' }),
        );
      for (const id of PROGRAMS)
        expect(events).toContainEqual(
          expect.objectContaining({ event: 'process', id, phase: 'Running', ready: true }),
        );
      const [ready] = events.filter(({ event }) => event === 'ready');
      expect(ready).toMatchObject({ fine: true, gateways: [{ host: 'localhost', port: 8443 }] });
    },
    3 * SOON_MS,
  );

  it(
    'has no demonstration where nothing runs and nothing is named',
    async () => {
      const demo = sallyport('demo', '--state', stateFolder());
      const code = await demo.closed;
      expect([code, demo.output()]).toEqual([
        78,
        expect.stringContaining('No "sallyport up" runs with the state folder'),
      ]);
    },
    SOON_MS,
  );

  it('keeps private keys from others', () => {
    for (const pod of PROGRAMS) {
      const entries = readdirSync(join(stateFolder(), 'pods', pod));
      expect(entries).not.toContain('volumes');
    }
  });
});

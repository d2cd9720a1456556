/*
 * The quickstart when something is in its way: it says what, and leaves no process behind.
 */
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  ended,
  isAlive,
  pidOf,
  PROGRAMS,
  SOON_MS,
  stateFolder,
  until,
  up,
} from './standalone-bed.js';

describe('the quickstart with something in its way', () => {
  it(
    'says which port another program holds, and leaves no process behind',
    async () => {
      const other = createServer().listen(5349, '127.0.0.3');
      await once(other, 'listening');
      const run = up(['--once']);
      const code = await run.closed;
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
      const obstacle = join(stateFolder(), 'cluster.json.new');
      await mkdir(obstacle);
      const run = up(['--once']);
      const code = await run.closed;
      await rmdir(obstacle);
      expect([code, run.output()]).toEqual([
        78,
        expect.stringContaining('cluster.json cannot be written: EISDIR'),
      ]);
      for (const pod of PROGRAMS) expect(isAlive(pidOf(pod))).toBe(false);
    },
    2 * SOON_MS,
  );

  it(
    'says that the database of the gateway is damaged, and what to do',
    async () => {
      const file = join(stateFolder(), 'claims/default/data-demo-gateway-0/gateway.sqlite');
      await mkdir(dirname(file), { recursive: true });
      for (const beside of ['-wal', '-shm']) await rm(file + beside, { force: true });
      await writeFile(file, 'no database '.repeat(1_000), { mode: 0o600 });
      const run = up();
      const told = `${file} is damaged, or no database of a gateway. Put a backup in its place`;
      await until('the damage is told', () => run.output().includes(told));
      expect(run.output()).toContain('! a program ended: pod=default/demo-gateway-0');
      await ended(run.child, 'SIGINT');
      await rm(file);
      for (const pod of PROGRAMS) expect(isAlive(pidOf(pod))).toBe(false);
    },
    2 * SOON_MS,
  );

  it(
    'says why the demonstration cannot be given where nobody gets in by himself',
    async () => {
      const from = join(stateFolder(), '../approval');
      await cp('config/quickstart', from, { recursive: true });
      const path = join(from, 'gateway.yaml');
      const open = await readFile(path, 'utf8');
      const approval = `registration: Approval\n    administrators: [sp1${'a'.repeat(32)}]`;
      await writeFile(path, open.replace('registration: Open', approval));
      const run = up(['--demo', '--once'], from);
      expect([await run.closed, run.output()]).toEqual([
        1,
        expect.stringContaining('the demonstration needs "registration: Open"'),
      ]);
    },
    2 * SOON_MS,
  );
});

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openStore } from '../../src/gateway/storage/open.store.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { PostgresServer, type TestDatabase } from './postgres.js';
import { anAccount, openDatabase, random, TestClock } from './store-bed.js';

const WRITER = fileURLToPath(new URL('store-writer.ts', import.meta.url));
const clock = new TestClock();
/**
 * Writers that may still run: one whose test took too long would write on for minutes and keep the run from ending. Such a
 * test goes on after it has failed, so no writer starts once all is over.
 */
const writers: ChildProcess[] = [];
let isOver = false;

function endWriters(): void {
  for (const writer of writers.splice(0)) writer.kill('SIGKILL');
}

/** Runs the writer until it has acknowledged `count` accounts, kills it, and gives all that it acknowledged. */
async function killWriterAfter(
  storage: GatewaySettings['storage'],
  count: number,
): Promise<string[]> {
  if (isOver) throw new Error('the tests are over');
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, JSON.stringify(storage)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  writers.push(child);
  const acknowledged: string[] = [];
  createInterface({ input: child.stdout }).on('line', (account) => {
    acknowledged.push(account);
    if (acknowledged.length === count) child.kill('SIGKILL');
  });
  await once(child, 'close');
  expect(child.signalCode).toBe('SIGKILL');
  return acknowledged;
}

async function lost(storage: GatewaySettings['storage'], accounts: readonly string[]) {
  const store = await openStore({ storage }, { clock, random });
  const missing: string[] = [];
  for (const account of accounts)
    if ((await store.account(account)) === undefined) missing.push(account);
  await store.close();
  return missing;
}

describe('what a store has acknowledged', () => {
  let folder: string;
  let server: PostgresServer;
  let database: TestDatabase;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-durable-'));
    server = await PostgresServer.start({ durable: true });
    database = await server.createDatabase();
    await (await openDatabase(database)).store.close();
  });
  afterEach(endWriters);
  afterAll(async () => {
    isOver = true;
    endWriters();
    await (server as PostgresServer | undefined)?.stop(); // Undefined when it never started.
    await rm(folder, { recursive: true, force: true });
  });

  it('is in SQLite after the program was killed, five times', async () => {
    const storage = { type: 'Embedded', directory: join(folder, 'sqlite') } as const;
    const all: string[] = [];
    for (let round = 1; round <= 5; round += 1) {
      all.push(...(await killWriterAfter(storage, 7 * round)));
      expect(await lost(storage, all)).toEqual([]);
    }
  });

  it('is in PostgreSQL after the program was killed', async () => {
    const { storage } = database.settings;
    const all = await killWriterAfter(storage, 30);
    expect(await lost(storage, all)).toEqual([]);
  });

  it('is in PostgreSQL after the server was killed while it wrote', async () => {
    const { storage } = database.settings;
    const store = await openStore({ storage }, { clock, random });
    const acknowledged: string[] = [];
    const writing = Array.from({ length: 8 }, async (_, writer) => {
      for (let at = 0; at < 1_000; at += 1) {
        const account = `sp1killed-${writer}-${at}`;
        try {
          await store.createAccount(anAccount({ account }));
        } catch {
          return;
        }
        acknowledged.push(account);
        if (acknowledged.length === 60) await server.kill();
      }
    });
    await Promise.all(writing);
    await store.close();
    await server.restart();
    expect(acknowledged.length).toBeGreaterThanOrEqual(60);
    expect(await lost(storage, acknowledged)).toEqual([]);
  });
});

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createColumnKeys,
  readColumnKeys,
  rotateColumnKeys,
} from '../../src/gateway/storage/column-keys.file.js';
import { type OpenStore, openStore } from '../../src/gateway/storage/open.store.js';
import { resealOldColumns } from '../../src/gateway/storage/reseal.store.js';
import { PostgresServer, type TestDatabase } from './postgres.js';
import { aFactor, anAccount, ACCOUNT, openDatabase, random, TestClock } from './store-bed.js';

describe('a file of column keys', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-keys-'));
    file = join(folder, 'keys.json');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('S176: is made once, for its owner alone', async () => {
    await createColumnKeys(file, random);
    const before = await readFile(file, 'utf8');
    await createColumnKeys(file, random);
    expect(await readFile(file, 'utf8')).toBe(before);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('keeps the keys of before behind the new one, for its owner alone', async () => {
    await createColumnKeys(file, random);
    const [first] = await readColumnKeys(file);
    const keys = await rotateColumnKeys(file, random);
    expect(keys.slice(1)).toEqual([first]);
    expect(await readColumnKeys(file)).toEqual(keys);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['no JSON', '{'],
    ['no key', '{"version":1,"keys":[]}'],
    ['another version', '{"version":2,"keys":[]}'],
    ['a short key', '{"version":1,"keys":[{"id":"0011223344556677","key":"AAAA"}]}'],
  ])('is refused with %s, without its content', async (_, text) => {
    await writeFile(file, text, { mode: 0o600 });
    await expect(readColumnKeys(file)).rejects.toThrow(/not of the form/);
    await expect(readColumnKeys(file)).rejects.not.toThrow(/AAAA/);
  });
});

describe('column keys of PostgreSQL', () => {
  let server: PostgresServer;
  let database: TestDatabase;
  let store: OpenStore;
  beforeAll(async () => {
    server = await PostgresServer.start();
    database = await server.createDatabase();
    ({ store } = await openDatabase(database));
    await store.createAccount(anAccount());
    await store.addFactor(aFactor(), 5);
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
  });

  it('are rotated: what the old key sealed is sealed again, once, and opens without it', async () => {
    const file = join(database.migrationUriFile, '..', 'column-keys.json');
    const [fresh] = await rotateColumnKeys(file, random);
    await store.reloadColumnKeys();
    expect(await resealOldColumns(store)).toBe(1);
    expect(await resealOldColumns(store)).toBe(0);
    const key = Buffer.from(fresh.key).toString('base64url');
    await writeFile(file, JSON.stringify({ version: 1, keys: [{ id: fresh.id, key }] }));
    await store.reloadColumnKeys();
    expect(await store.factors(ACCOUNT)).toEqual([aFactor()]);
  });

  it('may be absent: then no TOTP secret is kept, and all else works', async () => {
    const without = await openStore(database.settings, { clock: new TestClock(), random });
    const added = without.addFactor(aFactor({ factor: 'factor-2' }), 5);
    await expect(added).rejects.toMatchObject({
      reason: 'failed',
      cause: { message: expect.stringContaining('no file of column keys') },
    });
    const key = aFactor({ factor: 'factor-3', kind: 'WebAuthn' });
    expect(await without.addFactor(key, 5)).toBe(true);
    expect(await resealOldColumns(without)).toBe(0);
    await without.close();
  });
});

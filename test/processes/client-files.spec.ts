import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileTransfers } from '../../src/client/files/transfers.runner.js';
import type { TransferProgress } from '../../src/client/files/transfer-progress.js';
import { ClientBed, type Person } from './client-bed.js';
import { until } from './relay-udp-endpoint.js';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let bed: ClientBed;
let alice: Person;
let bob: Person;
let folder: string;
let sending: FileTransfers;
let receiving: FileTransfers;
beforeAll(async () => {
  bed = await ClientBed.start();
  [alice, bob] = await bed.pair();
  folder = await mkdtemp(join(tmpdir(), 'sallyport-files-'));
  sending = new FileTransfers(alice.client, { folder: join(folder, 'alice') });
  receiving = new FileTransfers(bob.client, { folder: join(folder, 'bob'), accept: () => true });
});
/** 40 MB, so that there is time to interrupt it. */
const LONG = 40_000_000;

afterAll(async () => {
  sending.close();
  receiving.close();
  await bed.stop();
  await rm(folder, { recursive: true });
});

describe('two people who have accepted each other', () => {
  it('send a file of 20 MB, and the sender is told when the receiver has verified it', async () => {
    const content = randomBytes(20_000_000);
    const path = join(folder, 'holiday.bin');
    await writeFile(path, content);
    const told: TransferProgress[] = [];
    const received = new Promise<string>((resolve) => {
      receiving.once('received', (_file, at) => {
        resolve(at);
      });
    });
    const sent = await sending.send(bob.client.fingerprint, path, {
      progress: (progress) => told.push(progress),
    });
    expect(sent).toEqual({ name: 'holiday.bin', size: 20_000_000 });
    const at = await received;
    expect(at).toBe(join(folder, 'bob', 'holiday.bin'));
    expect(sha256(await readFile(at))).toBe(sha256(content));
    expect(told.at(-1)).toMatchObject({ bytes: 20_000_000, totalBytes: 20_000_000 });
    const parts = join(folder, 'bob', '.sallyport');
    await until('nothing is left over', () => readdirSync(parts).length === 0);
  });

  it('S64: go on with a file when the receiver was stopped and started again, with what was missing', async () => {
    const content = randomBytes(LONG);
    const path = join(folder, 'long.bin');
    await writeFile(path, content);
    const came = new Promise<number>((resolve) => {
      receiving.on('progress', (_file, { bytes }) => {
        if (bytes > LONG / 4) resolve(bytes);
      });
    });
    const sent = sending.send(bob.client.fingerprint, path);
    const before = await came;
    receiving.close();
    await bob.client.close();
    bob = await bed.client(bob.file);
    receiving = new FileTransfers(bob.client, { folder: join(folder, 'bob') });
    const resumedAt = new Promise<number>((resolve) => {
      receiving.once('progress', (_file, { bytes }) => {
        resolve(bytes);
      });
    });
    await bob.client.connect();
    await receiving.resume();
    await sent;
    expect(await resumedAt).toBeGreaterThanOrEqual(before);
    expect(sha256(await readFile(join(folder, 'bob', 'long.bin')))).toBe(sha256(content));
  });
});

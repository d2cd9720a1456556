import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileTransfers } from '../../src/client/files/transfers.runner.js';
import type { TransferProgress } from '../../src/client/files/transfer-progress.js';
import { ClientBed, type Person } from './client-bed.js';

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
  receiving = new FileTransfers(bob.client, { folder: join(folder, 'bob') });
});
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
    receiving.once('offer', (offer) => {
      offer.accept();
    });
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
    expect(await readdir(join(folder, 'bob', '.sallyport'))).toEqual([]);
  });
});

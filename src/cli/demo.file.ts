/*
 * The file of the demonstration: 20 MB that nobody has seen before, sent through the relay, compared at the other end.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { Client } from '../client/contacts/client.runner.js';
import type { TransferProgress } from '../client/files/transfer-progress.js';
import { FileTransfers } from '../client/files/transfers.runner.js';
import { systemClock } from '../runtime/system.clock.js';

/** Bytes of the file: 20 MB. */
export const DEMO_FILE_BYTES = 20_000_000;

/** A file that went from one to the other. */
export interface SentDemoFile {
  /** Whether the bytes at the other end are those that were sent. */
  readonly same: boolean;
  readonly seconds: number;
  /** Bytes from the middle of it, to search for elsewhere. */
  readonly sample: Uint8Array;
}

/** Sends a new file of random bytes and gives what became of it. Nothing of it stays in `folder`. */
export async function sendDemoFile(
  from: Client,
  to: Client,
  folder: string,
  progress: (progress: TransferProgress) => void,
): Promise<SentDemoFile> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(`${folder}/inbox`, { recursive: true, mode: 0o700 });
  const content = randomBytes(DEMO_FILE_BYTES);
  const path = `${folder}/secret plans.txt`;
  await writeFile(path, content, { mode: 0o600 });
  const sending = new FileTransfers(from, { folder: `${folder}/outbox` });
  const receiving = new FileTransfers(to, {
    folder: `${folder}/inbox`,
    accept: () => true,
  });
  const received = new Promise<string>((resolve) => {
    receiving.on('received', (_file, where) => {
      resolve(where);
    });
  });
  try {
    const began = systemClock.monotonicMs();
    await sending.send(to.fingerprint, path, { progress });
    const seconds = (systemClock.monotonicMs() - began) / 1_000;
    const there = await readFile(await received);
    const middle = DEMO_FILE_BYTES / 2;
    const sample = new Uint8Array(content.subarray(middle, middle + 32));
    return { same: digest(there) === digest(content), seconds, sample };
  } finally {
    sending.close();
    receiving.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

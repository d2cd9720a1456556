import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anAccount } from '../identities.js';
import { aToken, base64url, nameOf, prekeyText } from '../signaling-bed.js';

const [alice, bob] = [anAccount(10), anAccount(20)];
let folder: string;

/** The heap of a process after Alice has written to Bob and Bob has gone. */
async function heapAfter(...more: string[]): Promise<string> {
  const file = join(folder, `${more.join('-')}.heapsnapshot`);
  await promisify(execFile)(process.execPath, [
    ...['--import', 'tsx', 'test/processes/gateway-signaling-heap.ts', file],
    ...more,
  ]);
  const heap = await readFile(file, 'utf8');
  await rm(file);
  return heap;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-heap-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the memory of a gateway after Alice has written to Bob and Bob has gone', () => {
  it('S46: holds Alice, who is still connected, and nothing that names Bob or his token', async () => {
    const heap = await heapAfter();
    expect(heap.includes(nameOf(alice))).toBe(true);
    const ofBob = {
      fingerprint: nameOf(bob),
      identity: base64url(bob.identity),
      device: base64url(bob.deviceId),
      prekey: prekeyText(bob),
      token: aToken(1),
    };
    const found = Object.entries(ofBob).filter(([, text]) => heap.includes(text));
    expect(found.map(([what]) => what)).toEqual([]);
  });
  it('would show him if one entry had kept his name', async () => {
    expect((await heapAfter('keep')).includes(nameOf(bob))).toBe(true);
  });
});

import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ChunkSet } from '../../src/client/files/chunk-set.js';
import { FileTransfers } from '../../src/client/files/transfers.runner.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { LoopClient, sha256 } from './client-files-bed.js';
import { PipeSession } from './client-files-pipe.js';

const DONE = 5;
/** Padded to 3,014,656: 23 chunks. */
const content = randomBytes(3_000_000);
const CHUNKS = 23;
let folder: string;
let bobs: string;
let path: string;
let child: ChildProcess;
let files: FileTransfers;
/** How many chunks Bob asked for, at each offer. */
let asked: number[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-names-'));
  [bobs, path] = [join(folder, 'bob'), join(folder, 'a.bin')];
  await writeFile(path, content);
  await mkdir(bobs);
  asked = [];
});
afterEach(async () => {
  await stop();
  await rm(folder, { recursive: true });
});

async function stop(): Promise<void> {
  files.close();
  const ended = once(child, 'exit');
  if (child.kill('SIGKILL')) await ended;
}

/** Bob, for whom the kernel refuses links; `tells` false: nobody hears when he has a file. */
async function receiver(tells = true): Promise<void> {
  child = fork(join(import.meta.dirname, 'client-files-no-links.ts'), [bobs], {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  });
  await once(child, 'message');
  const own = new Uint8Array(16).fill(1);
  const client = new LoopClient<PipeSession>('alice', own, {}, () => undefined);
  files = new FileTransfers(client, { folder: join(folder, 'alice'), backend: nodeBackend });
  const session = new PipeSession(client, new Uint8Array(16).fill(2), {
    send: (parcel) => {
      if (child.connected) child.send(parcel);
    },
    onParcel: (take) =>
      child.on('message', (parcel: Parameters<typeof take>[0]) => {
        const kind = parcel.bytes?.[0];
        if (kind === 3) asked.push(ChunkSet.from(parcel.bytes!.slice(17), CHUNKS)!.count);
        if (tells || kind !== DONE) take(parcel);
        else files.close();
      }),
  });
  client.current = session;
  client.tell('session', 'peer', session);
}

const names = async (): Promise<string[]> => (await readdir(bobs)).sort();
const hashOf = async (name: string): Promise<string> => sha256(await readFile(join(bobs, name)));

/** Bob has the file, and is killed before Alice hears of it. */
async function releasedButNotTold(): Promise<void> {
  await receiver(false);
  await expect(files.send('peer', path)).rejects.toMatchObject({ code: 'ERR_FILE_CLOSED' });
  await stop();
  expect(await names()).toEqual(['.sallyport', 'a.bin']);
}

describe('a file that comes where there are no hard links', () => {
  it('T41: has its name when it is whole, and replaces neither a file nor a link', async () => {
    await writeFile(join(bobs, 'a.bin'), 'mine');
    await symlink('/nowhere', join(bobs, 'a (2).bin'));
    await receiver();
    await files.send('peer', path);
    expect(await hashOf('a (3).bin')).toBe(sha256(content));
    expect(await readFile(join(bobs, 'a.bin'), 'utf8')).toBe('mine');
    expect(await names()).toEqual(['.sallyport', 'a (2).bin', 'a (3).bin', 'a.bin']);
  });

  it('is not received a second time when the receiver was killed before the sender knew', async () => {
    await releasedButNotTold();
    await receiver();
    await files.send('peer', path);
    expect(asked).toEqual([CHUNKS, 0]);
    expect(await names()).toEqual(['.sallyport', 'a.bin']);
    expect(await hashOf('a.bin')).toBe(sha256(content));
  });

  it('is left alone when the person has changed it meanwhile: the file comes anew beside it', async () => {
    for (const words of ['my own words', Buffer.alloc(content.length, 7)]) {
      await rm(bobs, { recursive: true });
      await mkdir(bobs);
      await releasedButNotTold();
      await writeFile(join(bobs, 'a.bin'), words);
      await receiver();
      await files.send('peer', path);
      await stop();
      expect(await hashOf('a.bin')).toBe(sha256(Buffer.from(words)));
      expect(await hashOf('a (2).bin')).toBe(sha256(content));
    }
  });
});

import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ChunkSet } from '../../src/client/files/chunk-set.js';
import { FileTransfers } from '../../src/client/files/transfers.runner.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { LoopClient, sha256 } from './client-files-bed.js';
import { PipeSession } from './client-files-pipe.js';

/** Padded to 24,117,248. */
const content = randomBytes(24_000_000);
const CHUNKS = 184;
let folder: string;
let path: string;
let child: ChildProcess;
let files: FileTransfers;
let chunksToBob = 0;
let asked: number[] = [];
let onChunk: (chunks: number) => void = () => undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-disk-'));
  path = join(folder, 'a.bin');
  await writeFile(path, content);
  await mkdir(join(folder, 'bob'));
  [chunksToBob, asked, onChunk] = [0, [], () => undefined];
});
afterEach(async () => {
  files.close();
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  await rm(folder, { recursive: true });
});

/** Bob, with a disk of `mebibytes` that only his process has. */
async function receiver(mebibytes: number): Promise<void> {
  const program = join(import.meta.dirname, 'client-files-pipe.ts');
  const node = `exec "${process.execPath}" --import tsx "${program}" "$1"`;
  const script = `mount -t tmpfs -o size=${mebibytes}m tmpfs "$1" && ${node}`;
  child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', join(folder, 'bob')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  await once(child, 'message');
  const own = new Uint8Array(16).fill(1);
  const client = new LoopClient<PipeSession>('alice', own, {}, () => undefined);
  files = new FileTransfers(client, { folder: join(folder, 'alice'), backend: nodeBackend });
  const session = new PipeSession(client, new Uint8Array(16).fill(2), {
    send: (parcel) => {
      if (parcel.bytes?.[0] === 4) onChunk(++chunksToBob);
      child.send(parcel);
    },
    onParcel: (take) =>
      child.on('message', (parcel: Parameters<typeof take>[0]) => {
        if (parcel.bytes?.[0] === 3)
          asked.push(ChunkSet.from(parcel.bytes.slice(17), CHUNKS)!.count);
        take(parcel);
      }),
  });
  client.current = session;
  client.tell('session', 'peer', session);
}

/** Bob's folder as his process sees it. */
const bobs = (name: string) => join(`/proc/${child.pid}/root`, folder, 'bob', name);

/** Takes all the room that is left, once something of the file is written. */
async function fillUp(): Promise<void> {
  const isBegun = async () => {
    const names = await readdir(bobs('.sallyport'));
    const part = names.find((name) => name.endsWith('.part'));
    return part !== undefined && (await stat(bobs(`.sallyport/${part}`))).size > 0;
  };
  for (let tries = 0; tries < 10_000 && !(await isBegun()); tries++) await delay(1);
  await writeFile(bobs('other'), Buffer.alloc(32 << 20)).catch(() => undefined);
}

describe('a receiver whose disk is full', () => {
  it('says so before a byte comes when it can be known', async () => {
    await receiver(16);
    await expect(files.send('peer', path)).rejects.toMatchObject({ reason: 'disk-full' });
    expect(chunksToBob).toBe(0);
  });

  it('says so when it fills up meanwhile, and what came goes on when there is room again', async () => {
    await receiver(32);
    let filled: Promise<void> | undefined;
    onChunk = (chunks) => {
      if (chunks === 20) filled = fillUp();
    };
    await expect(files.send('peer', path)).rejects.toMatchObject({ reason: 'disk-full' });
    await filled;
    await unlink(bobs('other'));
    await files.send('peer', path);
    expect(sha256(await readFile(bobs('a.bin')))).toBe(sha256(content));
    expect((await stat(bobs('a.bin'))).size).toBe(24_000_000);
    expect(asked[0]).toBe(CHUNKS);
    expect(asked[1]).toBeLessThan(CHUNKS);
  });
});

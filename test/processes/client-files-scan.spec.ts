import { mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ClamdScanner, type FileScanner } from '../../src/client/files/clamd.scanner.js';
import { LoopBed } from './client-files-bed.js';
import { Clamd, EICAR, MAX_STREAM_BYTES } from './client-files-clamd.js';

/** One stored file of 16 bytes, its bit for encryption set in both headers (APPNOTE 4.4.4). */
const ENCRYPTED_ZIP = Buffer.from(
  [
    '504b03041400010000000000215c0f1828bb100000001000000005000000732e7478747878787878',
    '7878787878787878787878504b010214031400010000000000215c0f1828bb100000001000000005',
    '0000000000000000000000800100000000732e747874504b05060000000001000100330000003300',
    '00000000',
  ].join(''),
  'hex',
);

let clamd: Clamd;
let bed: LoopBed;
const servers: Server[] = [];
beforeAll(async () => {
  clamd = await Clamd.start();
});
afterAll(async () => {
  await clamd.stop();
  for (const server of servers) server.close();
});
afterEach(async () => {
  await bed.stop();
});

/** Sends `content` to Bob, whose role asks for a scan; gives the reason for which it is not taken. */
async function outcome(
  name: string,
  content: Uint8Array | string,
  scanner: FileScanner,
): Promise<string> {
  bed = await LoopBed.make({ bob: { scanFiles: true }, bobsFiles: { scanner } });
  bed.willing();
  await mkdir(bed.alice.folder, { recursive: true });
  const path = join(bed.alice.folder, name);
  await writeFile(path, content);
  return bed.alice.files.send('peer', path).then(
    () => 'received',
    (error: unknown) => (error as { reason: string }).reason,
  );
}

/** Something that listens where clamd should. */
async function standIn(answer: (socket: Socket) => void): Promise<FileScanner> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    answer(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return new ClamdScanner({ host: '127.0.0.1', port, timeoutMs: 500 });
}

/** Says more and more, and nothing. */
function talk(socket: Socket): void {
  const timer = setInterval(() => socket.write('x'.repeat(100)), 5);
  socket.resume().on('close', () => {
    clearInterval(timer);
  });
}

describe('a role that asks for a scan, with a clamd', () => {
  const scanner = () => new ClamdScanner({ path: clamd.socket });

  it('S99: a file in which nothing is found is released', async () => {
    expect(await outcome('a.txt', 'plain words', scanner())).toBe('received');
    expect(await bed.bobsFolder()).toEqual(['a.txt']);
  });

  it('S99, T42: a file in which something is found goes to quarantine, where nobody may read it', async () => {
    expect(await outcome('a.com', EICAR, scanner())).toBe('scan-found');
    expect(await bed.bobsFolder()).toEqual([]);
    const [file, reason, path] = await bed.bob.heard.heard('ended');
    expect([file.name, reason]).toEqual(['a.com', 'scan-found']);
    expect((await stat(path!)).mode & 0o777).toBe(0);
    expect(await bed.parts()).toEqual([path!.split('/').at(-1)]);
  });

  it('S99: finds it in the middle of a large file as well', async () => {
    const large = Buffer.alloc(3_000_000, 'words ');
    large.write(EICAR, 1_500_000, 'latin1');
    expect(await outcome('a.txt', large, scanner())).toBe('scan-found');
  });

  it('S99: a file that is longer than clamd takes is not released', async () => {
    const long = Buffer.alloc(MAX_STREAM_BYTES + 100_000, 'words ');
    expect(await outcome('a.txt', long, scanner())).toBe('scan-failed');
    expect(await bed.bobsFolder()).toEqual([]);
  });

  it('T42: an archive that cannot be looked into is not released', async () => {
    expect(await outcome('a.zip', ENCRYPTED_ZIP, scanner())).toBe('scan-found');
  });
});

describe('a role that asks for a scan, without a scanner that answers', () => {
  it.each<[string, () => FileScanner | Promise<FileScanner>]>([
    ['is not there', () => new ClamdScanner({ path: '/nowhere/clamd.sock' })],
    ['is silent', () => standIn((socket) => socket.resume())],
    ['does not even read', () => standIn((socket) => socket.pause())],
    ['hangs up', () => standIn((socket) => socket.destroy())],
    ['says nonsense', () => standIn((socket) => socket.resume().write('stream: MAYBE\0'))],
    ['says OK of something else', () => standIn((socket) => socket.resume().write('other: OK\0'))],
    ['never stops talking', () => standIn(talk)],
    ['fails', () => ({ scan: () => Promise.reject(new Error('broken')) })],
  ])(
    'S99: releases nothing when it %s, and keeps what came for another try',
    async (_, scanner) => {
      expect(await outcome('a.txt', Buffer.alloc(2_000_000, 'words '), await scanner())).toBe(
        'scan-failed',
      );
      expect(await bed.bobsFolder()).toEqual([]);
      expect(await bed.parts()).toHaveLength(2);
    },
  );
});

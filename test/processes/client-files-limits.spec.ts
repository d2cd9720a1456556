import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { AcceptFile } from '../../src/client/files/transfer-events.js';
import { FileTransfers } from '../../src/client/files/transfers.runner.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { LoopBed, sha256, type LoopOptions } from './client-files-bed.js';
import { until } from './relay-udp-endpoint.js';

let bed: LoopBed;
afterEach(async () => {
  await bed.stop();
});

const start = async (options: LoopOptions = {}): Promise<LoopBed> => {
  bed = await LoopBed.make(options);
  return bed;
};

/** A file of Alice's. */
async function file(name: string, content: string | Uint8Array): Promise<string> {
  await mkdir(bed.alice.folder, { recursive: true });
  const path = join(bed.alice.folder, name);
  await writeFile(path, content);
  return path;
}

const SEED_B = { maxFileBytes: 100_000_000, fileTypes: '.doc .pdf .txt' };
const send = (path: string) => bed.alice.files.send('peer', path);

describe('a file that is allowed', () => {
  it('is offered with its name and size, and comes when the person accepts', async () => {
    await start();
    const content = randomBytes(300_000);
    const sending = send(await file('a.bin', content));
    const offer = await bed.bob.heard.offered();
    expect(offer.file).toMatchObject({
      fingerprint: 'peer',
      name: 'a.bin',
      size: 300_000,
      type: '.bin',
    });
    expect(await bed.parts()).toEqual([]);
    offer.answer(true);
    await sending;
    expect(sha256(await readFile(join(bed.bob.folder, 'a.bin')))).toBe(sha256(content));
  });

  it('does not come when the person refuses, and the sender is told', async () => {
    await start();
    const sending = send(await file('a.bin', 'x'));
    const offer = await bed.bob.heard.offered();
    offer.answer(false);
    await expect(sending).rejects.toMatchObject({ code: 'ERR_FILE_REFUSED', reason: 'declined' });
    expect([await bed.bobsFolder(), await bed.parts()]).toEqual([[], []]);
  });

  it('does not come when the application decides nothing, or fails to', async () => {
    await start();
    bed.bob.files.close();
    const path = await file('a.bin', 'x');
    const { folder, client } = bed.bob;
    const refused: string[] = [];
    const answers: AcceptFile[] = [
      () => Promise.reject(new Error('no terminal')),
      // An answer that only looks like one.
      () => 'yes' as never,
    ];
    for (const accept of [undefined, ...answers]) {
      const options = accept === undefined ? {} : { accept };
      const files = new FileTransfers(client, { folder, backend: nodeBackend, ...options });
      files.on('refused', (reason) => refused.push(reason));
      await expect(send(path)).rejects.toMatchObject({ reason: 'declined' });
      files.close();
      bed.lose();
    }
    expect(refused).toEqual(['accept-failed']);
    expect([await bed.bobsFolder(), await bed.parts()]).toEqual([[], []]);
  });

  it('is no question any more when the sender has given up, and a late yes changes nothing', async () => {
    await start();
    const stop = new AbortController();
    const path = await file('a.bin', 'x');
    const sending = bed.alice.files.send('peer', path, { signal: stop.signal });
    const { signal, answer } = await bed.bob.heard.offered();
    expect(signal.aborted).toBe(false);
    stop.abort(new Error('enough'));
    await expect(sending).rejects.toThrow('enough');
    await until('the question is withdrawn', () => signal.aborted);
    answer(true);
    await bed.bob.heard.heard('ended');
    expect([await bed.bobsFolder(), await bed.parts()]).toEqual([[], []]);
  });

  it('of no bytes comes as well', async () => {
    (await start()).willing();
    await send(await file('empty', ''));
    expect(await readFile(join(bed.bob.folder, 'empty'))).toHaveLength(0);
  });

  it('T41: never replaces a file, follows no link, and is told apart in whatever case', async () => {
    (await start()).willing();
    await mkdir(bed.bob.folder);
    await writeFile(join(bed.bob.folder, 'REPORT.txt'), 'mine');
    await symlink('/nowhere/at/all', join(bed.bob.folder, 'link.txt'));
    await send(await file('report.txt', 'yours'));
    await send(await file('link.txt', 'yours'));
    expect(await bed.bobsFolder()).toEqual([
      'REPORT.txt',
      'link (2).txt',
      'link.txt',
      'report (2).txt',
    ]);
    expect(await readFile(join(bed.bob.folder, 'REPORT.txt'), 'utf8')).toBe('mine');
  });
});

describe('the lengths of the messages of a transfer', () => {
  /** Of everything that either side sends, in order. */
  async function lengths(name: string, size: number): Promise<readonly number[]> {
    (await start()).willing();
    const path = await file(name, randomBytes(size));
    await bed.alice.client.session();
    const seen: number[] = [];
    for (const { client } of [bed.alice, bed.bob])
      client.current!.meddle = (bytes) => {
        seen.push(bytes.length);
        return bytes;
      };
    await send(path);
    return seen;
  }

  it('T43: are the same for every name and for all sizes that are filled up to one', async () => {
    const small = await lengths('a', 1);
    await bed.stop();
    expect(await lengths('a-much-longer-name-of-a-file.txt', 1_000)).toEqual(small);
    await bed.stop();
    const large = await lengths('a', 1_000_000);
    await bed.stop();
    expect(await lengths('b.pdf', 1_015_000)).toEqual(large);
  });
});

describe('a role of one side that does not allow a file', () => {
  it.each<[string, LoopOptions, string]>([
    ['the sender may not send', { alice: { sendFiles: false } }, 'not-allowed'],
    ['the receiver may not receive', { bob: { receiveFiles: false } }, 'not-allowed'],
    ['the sender may send less', { alice: { maxFileBytes: 9 } }, 'too-large'],
    ['the receiver may receive less', { bob: { maxFileBytes: 9 } }, 'too-large'],
    ['the type is not the sender\u2019s', { alice: { fileTypes: '.txt' } }, 'type-not-allowed'],
    ['the type is not the receiver\u2019s', { bob: { fileTypes: '.txt' } }, 'type-not-allowed'],
    [
      'the content is not the sender\u2019s',
      { alice: { fileTypes: '.pdf' } },
      'content-not-allowed',
    ],
    [
      'the content is not the receiver\u2019s',
      { bob: { fileTypes: '.pdf' } },
      'content-not-allowed',
    ],
    [
      'the receiver\u2019s wants a scan and he has no scanner',
      { bob: { scanFiles: true } },
      'scan-failed',
    ],
  ])('S97, S98, S99: ends it when %s, and nothing is left', async (_, options, reason) => {
    (await start(options)).willing();
    const sending = send(await file('a.pdf', 'not a pdf!'));
    await expect(sending).rejects.toMatchObject({ code: 'ERR_FILE_REFUSED', reason });
    expect([await bed.bobsFolder(), await bed.parts()]).toEqual([[], []]);
  });

  it.each([
    [99_999_999, 'comes'],
    [100_000_000, 'comes'],
    [100_000_001, 'too-large'],
  ])('S97: a file of %i bytes %s where 100 MB are allowed', async (size, outcome) => {
    (await start({ alice: SEED_B, bob: SEED_B })).willing();
    const path = await file('a.txt', 'text');
    await truncate(path, size);
    await writeFile(path, Buffer.alloc(Math.min(size, 4_096), 'a'), { flag: 'r+' });
    const sent = send(path).then(
      () => 'comes',
      (error: unknown) => (error as { reason: string }).reason,
    );
    expect(await sent).toBe(outcome);
    expect(await bed.bobsFolder()).toEqual(outcome === 'comes' ? ['a.txt'] : []);
  });

  it('S97: is caught by the receiver when the sender does not look himself', async () => {
    (await start({ bob: SEED_B })).willing();
    const path = await file('a.txt', 'text');
    await truncate(path, 100_000_001);
    await expect(send(path)).rejects.toMatchObject({ reason: 'too-large' });
    expect(bed.bob.heard.offers).toEqual([]);
  });

  it('ends what is under way when it changes meanwhile', async () => {
    (await start()).willing();
    const path = await file('a.bin', randomBytes(30_000_000));
    const sending = send(path);
    await bed.bob.heard.heard('progress');
    bed.bob.client.allowed = { receiveFiles: false };
    bed.bob.client.tell('permissions');
    await expect(sending).rejects.toMatchObject({ reason: 'not-allowed' });
    expect(await bed.bobsFolder()).toEqual([]);
  });
});

describe('what is no file', () => {
  it('is not sent', async () => {
    await start();
    await mkdir(bed.alice.folder);
    const pipe = join(bed.alice.folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, bed.alice.folder, '/dev/zero', join(bed.alice.folder, 'missing')])
      await expect(send(path)).rejects.toMatchObject({ code: 'ERR_FILE_SOURCE' });
  });
});

describe('a grant that is not genuine', () => {
  it.each<[string, LoopOptions]>([
    ['has ended', { alice: { exp: Math.floor(Date.now() / 1_000) - 1 } }],
    ['is for another device', { alice: { device: 'AwMDAwMDAwMDAwMDAwMDAw' } }],
    ['lives for an hour', { alice: { exp: Math.floor(Date.now() / 1_000) + 3_600 } }],
  ])('allows nothing when it %s', async (_, options) => {
    (await start(options)).willing();
    await expect(send(await file('a.bin', 'x'))).rejects.toMatchObject({ reason: 'no-grant' });
    expect(bed.bob.heard.all('refused')).toHaveLength(1);
    expect(bed.bob.heard.offers).toEqual([]);
  });
});

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ClamdScanner } from '../../src/client/files/clamd.scanner.js';
import { LoopBed } from './client-files-bed.js';
import { Clamd, EICAR } from './client-files-clamd.js';

const DEFLATE = 8;
/** More than clamd unpacks (client-files-clamd.ts, MaxScanSize). */
const BOMB_BYTES = 150_000_000;
/** Deeper than the 17 archives in each other that it unpacks (MaxRecursion). */
const DEPTH = 25;

interface Entry {
  readonly name: string;
  readonly content: Uint8Array;
}

/** A zip archive of deflated entries (APPNOTE, 4.3). */
function zip(entries: readonly Entry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of entries) {
    const packed = deflateRawSync(content, { level: 9 });
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(DEFLATE, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const version = Buffer.from([20, 0]);
    const head = [Buffer.from('PK\x01\x02'), version, common, place, Buffer.from(name)];
    files.push(local);
    directory.push(Buffer.concat(head));
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, listed, Buffer.from('PK\x05\x06'), end]);
}

const text = (content: string): Entry => ({ name: 'a.txt', content: Buffer.from(content) });

/** `inner` in an archive, in an archive, and so on. */
function nested(inner: Entry, depth: number): Buffer {
  let archive = zip([inner]);
  for (let level = 1; level < depth; level++) archive = zip([{ name: 'a.zip', content: archive }]);
  return archive;
}

let clamd: Clamd;
let bed: LoopBed;
beforeAll(async () => {
  clamd = await Clamd.start();
});
afterAll(async () => {
  await clamd.stop();
});
afterEach(async () => {
  await bed.stop();
});

/** Sends `archive` to Bob, whose role asks for a scan; gives the reason for which it is not taken. */
async function outcome(archive: Uint8Array): Promise<string> {
  const scanner = new ClamdScanner({ path: clamd.socket });
  bed = await LoopBed.make({ bob: { scanFiles: true }, bobsFiles: { scanner } });
  bed.willing();
  await mkdir(bed.alice.folder, { recursive: true });
  const path = join(bed.alice.folder, 'a.zip');
  await writeFile(path, archive);
  return bed.alice.files.send('peer', path).then(
    () => 'received',
    (error: unknown) => (error as { reason: string }).reason,
  );
}

describe('an archive for a scanner to choke on', () => {
  it('T42: that holds what it says is looked into, and taken or not', async () => {
    expect(await outcome(zip([text('plain words')]))).toBe('received');
    await bed.stop();
    expect(await outcome(nested(text(EICAR), 3))).toBe('scan-found');
  });

  it.each([
    ['becomes 150 MB of 150 kB', () => zip([{ name: 'a', content: Buffer.alloc(BOMB_BYTES) }])],
    [
      'hides what a scanner finds behind 150 MB',
      () =>
        zip([
          { name: 'a', content: Buffer.concat([Buffer.alloc(BOMB_BYTES), Buffer.from(EICAR)]) },
        ]),
    ],
    ['has an archive in it, 25 times', () => nested(text('plain words'), DEPTH)],
    ['hides what a scanner finds 25 archives deep', () => nested(text(EICAR), DEPTH)],
  ])('T42: that %s is not released, and the scanner goes on', async (_, archive) => {
    const bytes = archive();
    expect(bytes.length).toBeLessThan(200_000);
    expect(await outcome(bytes)).toBe('scan-found');
    expect(await bed.bobsFolder()).toEqual([]);
    await bed.stop();
    expect(await outcome(zip([text('plain words')]))).toBe('received');
  });
});

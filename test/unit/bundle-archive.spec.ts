import { generateKeyPairSync } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readBundle } from '../../src/cli/bundle/archive.files.js';
import { aBundle, signer } from './bundle-archive.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-bundle-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const trust = { signers: [signer.publicKey] };

async function read(bytes: Buffer, more: { installed?: string } = {}, into?: string) {
  const path = join(folder, 'a.bundle.tar');
  writeFileSync(path, bytes);
  return readBundle(path, { ...trust, ...more }, into);
}

describe('an archive for an air-gapped site', () => {
  it('T52: is refused whichever of its bytes was flipped', async () => {
    const whole = aBundle();
    expect(await read(whole)).toHaveProperty('manifest.version', '1.2.3');
    const path = join(folder, 'a.bundle.tar');
    const file = openSync(path, 'r+');
    const taken: number[] = [];
    for (let at = 0; at < whole.length; at++) {
      writeSync(file, Buffer.of(whole[at]! ^ (1 << (at % 8))), 0, 1, at);
      if ('manifest' in (await readBundle(path, trust))) taken.push(at);
      writeSync(file, whole, at, 1, at);
    }
    closeSync(file);
    expect(taken).toEqual([]);
    expect(await readBundle(path, trust)).toHaveProperty('manifest');
  });

  it('T52: is refused cut short anywhere, and with bytes after its end', async () => {
    const whole = aBundle();
    for (let length = 0; length < whole.length; length += 97)
      expect(await read(whole.subarray(0, length))).toHaveProperty('refusal');
    expect(await read(whole.subarray(0, -1))).toEqual({ refusal: 'cut-short', at: 'the end' });
    expect(await read(Buffer.concat([whole, Buffer.of(0)]))).toEqual({
      refusal: 'trailing-bytes',
      at: 'the end',
    });
  });

  it('T52: is refused when it is older than what is installed, and taken when it is not', async () => {
    const older = await read(aBundle('1.2.3'), { installed: '1.10.0' });
    expect(older).toEqual({ refusal: 'older-version', at: '1.2.3' });
    expect(await read(aBundle('1.2.3'), { installed: '1.2.3' })).toHaveProperty('manifest');
    expect(await read(aBundle('1.2.3'), { installed: '1.2.2' })).toHaveProperty('manifest');
  });

  it('T52: of a strange signer, or without a signature, is refused before anything is written', async () => {
    const into = join(folder, 'into');
    const strange = aBundle('1.2.3', generateKeyPairSync('ed25519').privateKey);
    expect(await read(strange, {}, into)).toEqual({
      refusal: 'strange-signer',
      at: 'manifest.json',
    });
    const whole = aBundle();
    const end = whole.indexOf('manifest.sig');
    const unsigned = Buffer.concat([whole.subarray(0, end), whole.subarray(end + 1024)]);
    expect(await read(unsigned, {}, into)).toEqual({ refusal: 'unsigned', at: 'manifest.sig' });
    expect(existsSync(into)).toBe(false);
  });

  it('is refused when it is something else', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(4096), Buffer.alloc(4096, 'a')])
      expect(await read(bytes)).toEqual({ refusal: 'no-bundle', at: 'manifest.json' });
  });

  it('S81: gives back the very files that were signed', async () => {
    const into = join(folder, 'files');
    expect(await read(aBundle(), {}, into)).toHaveProperty('manifest');
    expect(readFileSync(join(into, 'charts/sallyport/Chart.yaml'), 'utf8')).toBe(
      'version: 1.2.3\n',
    );
    expect(readFileSync(join(into, 'image/a.tar'), 'utf8')).toBe('not really an image');
  });
});

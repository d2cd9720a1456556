import { createCipheriv, hkdfSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { nobleBackend } from '../../crypto/noble.backend.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import { concat, fromHex, u32 } from '../../protocol/bytes.js';
import { KeyStore } from '../../protocol/key-store.js';
import { ChunkCipher } from './chunk-cipher.js';

const fileKey = fromHex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
const id = fromHex('202122232425262728292a2b2c2d2e2f');
const plaintext = Buffer.from('meet me by moonlight');

/** The same by Node's own functions, as the table at the top of chunk-cipher.ts says it. */
function independent(index: number, total: number): Uint8Array {
  const place = concat([id, u32(index), u32(total)]);
  const both = Buffer.from(hkdfSync('sha256', fileKey, 'sallyport file chunk v1', place, 44));
  const cipher = createCipheriv('chacha20-poly1305', both.subarray(0, 32), both.subarray(32), {
    authTagLength: 16,
  });
  cipher.setAAD(place, { plaintextLength: plaintext.length });
  return concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

describe.each([nodeBackend, nobleBackend])('a chunk sealed by the back end $name', (backend) => {
  const context = { backend, keys: new KeyStore() };
  const cipher = new ChunkCipher(context, { fileKey, id, total: 9 });
  const sealed = (index: number) => {
    const bytes = concat([plaintext, new Uint8Array(16)]);
    cipher.seal(index, bytes);
    return bytes;
  };

  it('S62: is what an independent implementation makes of it', () => {
    expect(sealed(3)).toEqual(independent(3, 9));
    expect(sealed(3)).not.toEqual(independent(4, 9));
  });

  it.each([
    ['another place', { fileKey, id, total: 9 }, 4],
    ['a file of another length', { fileKey, id, total: 10 }, 3],
    ['another offer', { fileKey, id: fileKey.subarray(0, 16), total: 9 }, 3],
    ['another key', { fileKey: fileKey.map((byte) => byte ^ 1), id, total: 9 }, 3],
  ])('T42: does not open in %s', (_, offer, index) => {
    const other = new ChunkCipher(context, offer);
    const out = new Uint8Array(plaintext.length);
    expect(other.open(index, sealed(3), out)).toBe(false);
    expect(cipher.open(3, sealed(3), out)).toBe(true);
    expect(Buffer.from(out).equals(plaintext)).toBe(true);
    other.close();
  });

  it('leaves no key behind when it is closed', () => {
    cipher.close();
    cipher.close();
    expect(context.keys.liveSlices).toBe(0);
  });
});

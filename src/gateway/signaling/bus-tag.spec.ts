import { describe, expect, it } from '@jest/globals';
import { busKeys, tagged, TAGGED_HEAD_BYTES, untagged, type BusKey } from './bus-tag.js';

const ALL = 'sallyport.uid-1.all';
const COLUMN_KEY: BusKey = { id: '0011223344556677', key: new Uint8Array(32).fill(7) };
const [KEY] = busKeys([COLUMN_KEY], 'uid-1') as [BusKey];
const FRAME = new TextEncoder().encode('{}');
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('a frame with its tag', () => {
  it('has the bytes that another implementation of HKDF and HMAC gives', () => {
    expect(hex(KEY.key)).toBe('b1f17c04b3058b0efc55d1936e43823204a6816b66babf8da7202eca3a470c31');
    expect(hex(tagged(KEY, ALL, FRAME))).toBe(
      '0011223344556677' +
        'ad1f18793de31c0e0f185f46f1f8d3efc59d62a971020e8af50fe728442d0273' +
        '7b7d',
    );
  });
  it('is read by whoever has the key, also as an older one', () => {
    const newer: BusKey = { id: 'ffffffffffffffff', key: new Uint8Array(32).fill(8) };
    expect(untagged([newer, KEY], ALL, tagged(KEY, ALL, FRAME))).toEqual(FRAME);
  });
  it('is refused when any of its bits is another one', () => {
    const bytes = tagged(KEY, ALL, FRAME);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(untagged([KEY], ALL, changed)).toBe(bit < 64 ? 'unknown-key' : 'bad-tag');
    }
  });
  it('is refused at every length below that of a tag', () => {
    const bytes = tagged(KEY, ALL, new Uint8Array(0));
    for (let length = 0; length < TAGGED_HEAD_BYTES; length += 1)
      expect(untagged([KEY], ALL, bytes.subarray(0, length))).toBe(
        length < 8 ? 'unknown-key' : 'bad-tag',
      );
  });
  it('is worth nothing on another subject, nor at another gateway with the same column keys', () => {
    const bytes = tagged(KEY, 'sallyport.uid-1.to.a', FRAME);
    expect(untagged([KEY], 'sallyport.uid-1.to.b', bytes)).toBe('bad-tag');
    expect(untagged(busKeys([COLUMN_KEY], 'uid-2'), ALL, tagged(KEY, ALL, FRAME))).toBe('bad-tag');
  });
  it('is read by nobody without a key', () => {
    expect(untagged([], ALL, tagged(KEY, ALL, FRAME))).toBe('unknown-key');
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeyStore, KeyStoreError } from './key-store.js';

const EXHAUSTED = expect.objectContaining({ code: 'ERR_KEY_STORE_EXHAUSTED' });
const NOT_LIVE = expect.objectContaining({ code: 'ERR_KEY_STORE_NOT_LIVE' });

/** All bytes of the store, which every slice of it is a view of. */
const everyByteOf = (slice: Uint8Array): Uint8Array => new Uint8Array(slice.buffer);

describe('a key store', () => {
  it('gives zeroed slices of one buffer that is larger than any that V8 keeps in its heap', () => {
    const keys = new KeyStore(1_024);
    const [first, second] = [keys.take(32), keys.take(48)];
    expect([...first, ...second].every((byte) => byte === 0)).toBe(true);
    expect(first.buffer).toBe(second.buffer);
    expect(first.buffer.byteLength).toBe(1_024);
    expect(first.byteOffset + first.length).toBeLessThanOrEqual(second.byteOffset);
  });

  it('zeroes a slice when it is erased, and only that one', () => {
    const keys = new KeyStore();
    const [gone, kept] = [keys.takeCopy(Uint8Array.of(1, 2, 3)), keys.takeCopy(Uint8Array.of(4))];
    keys.erase(gone);
    expect([...gone]).toEqual([0, 0, 0]);
    expect([...kept]).toEqual([4]);
    expect([keys.isLive(gone), keys.isLive(kept), keys.liveSlices]).toEqual([false, true, 1]);
  });

  it('zeroes every byte in eraseAll, and is empty then', () => {
    const keys = new KeyStore();
    const slices = [1, 31, 32, 33, 200].map((length) => keys.take(length).fill(0xee));
    keys.eraseAll();
    expect(everyByteOf(slices[0]!).every((byte) => byte === 0)).toBe(true);
    expect(keys.liveSlices).toBe(0);
    expect(() => {
      keys.erase(slices[2]!);
    }).toThrow(NOT_LIVE);
    keys.eraseAll();
  });

  it('throws when a slice is erased twice, even after its room was given to another', () => {
    const keys = new KeyStore();
    const stale = keys.take(32);
    keys.erase(stale);
    const successor = keys.take(32).fill(7);
    expect(successor.byteOffset).toBe(stale.byteOffset);
    expect(() => {
      keys.erase(stale);
    }).toThrow(NOT_LIVE);
    expect(successor[0]).toBe(7);
  });

  it('throws when a slice is not its own, even a view of the same bytes', () => {
    const keys = new KeyStore();
    const slice = keys.take(32);
    for (const stranger of [new KeyStore().take(32), new Uint8Array(32), slice.subarray(0)])
      expect(() => {
        keys.erase(stranger);
      }).toThrow(NOT_LIVE);
  });

  it('throws when it is full, and has room again after one is erased', () => {
    const keys = new KeyStore(1_024);
    const slices = Array.from({ length: 32 }, () => keys.take(32));
    expect(() => keys.take(1)).toThrow(EXHAUSTED);
    keys.erase(slices[5]!);
    expect(() => keys.take(33)).toThrow(EXHAUSTED);
    expect(keys.take(32).byteOffset).toBe(slices[5]!.byteOffset);
  });

  it('refuses sizes that are no sizes', () => {
    for (const length of [0, -1, 1.5, Number.NaN])
      expect(() => new KeyStore().take(length)).toThrow(RangeError);
    for (const capacity of [0, 64, 1_000, 1_025, Number.NaN])
      expect(() => new KeyStore(capacity)).toThrow(RangeError);
    expect(new KeyStoreError('ERR_KEY_STORE_EXHAUSTED', '').name).toBe('KeyStoreError');
  });

  it('never gives a byte to two live slices, whatever is taken and erased', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.nat())), (steps) => {
        const keys = new KeyStore(1_024);
        const live: Uint8Array[] = [];
        for (const [length, choice] of steps) {
          const erase = live.length > 4 || (choice % 3 === 0 && live.length > 0);
          if (erase) keys.erase(live.splice(choice % live.length, 1)[0]!);
          else live.push(keys.take(length));
          live.forEach((slice, i) => slice.fill(i + 1));
          expect(live.every((slice, i) => slice.every((byte) => byte === i + 1))).toBe(true);
        }
        expect(keys.liveSlices).toBe(live.length);
      }),
    );
  });
});

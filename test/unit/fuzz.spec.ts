import { describe, expect, it } from '@jest/globals';
import { fuzzDecoder, numbers } from '../fuzz/fuzz.js';

const target = {
  refusals: ['too-short', 'not-zero'],
  corpus: [new Uint8Array(8), Uint8Array.of(1, 2, 3)],
  runs: 500,
  seed: 1,
};
const decode = (bytes: Uint8Array) => {
  if (bytes.length < 4) return 'too-short';
  return bytes[0] === 0 ? { rest: bytes.subarray(1) } : 'not-zero';
};

describe('the fuzzer', () => {
  it('counts every input once: taken, or refused by name', () => {
    const counts = fuzzDecoder({ ...target, decode });
    expect(counts.total).toBe(2 + 500 + 25);
    expect(counts.accepted).toBeGreaterThan(50);
    expect([...counts.refused.keys()].sort()).toEqual(['not-zero', 'too-short']);
  });

  it('does the same again with the same seed, and something else with another', () => {
    const once = fuzzDecoder({ ...target, decode });
    expect(fuzzDecoder({ ...target, decode })).toEqual(once);
    expect(fuzzDecoder({ ...target, decode, seed: 2 })).not.toEqual(once);
    const firsts = [0, 1, 2, 3].map((seed) => numbers(seed)(1_000_000));
    expect(new Set(firsts).size).toBe(4);
  });

  it('reports a decoder that throws, with the bytes', () => {
    const throws = (bytes: Uint8Array) => {
      if (bytes.length > 30) throw new TypeError('no');
      return decode(bytes);
    };
    expect(() => fuzzDecoder({ ...target, decode: throws })).toThrow(/run \d+ threw on [0-9a-f]+/);
  });

  it('reports a refusal outside of the closed list', () => {
    const strange = (bytes: Uint8Array) => (bytes.length === 0 ? 'empty' : decode(bytes));
    expect(() => fuzzDecoder({ ...target, decode: strange })).toThrow('gave "empty"');
  });

  it('reports a decoder that writes into its input', () => {
    const writes = (bytes: Uint8Array) => {
      if (bytes.length > 20) bytes[20] = (bytes[20] ?? 0) + 1;
      return decode(bytes);
    };
    expect(() => fuzzDecoder({ ...target, decode: writes })).toThrow('changed its input');
  });

  it('leaves its corpus as it was', () => {
    fuzzDecoder({ ...target, decode });
    expect(target.corpus).toEqual([new Uint8Array(8), Uint8Array.of(1, 2, 3)]);
  });
});

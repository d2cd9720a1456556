import { hmacBlake2s } from './blake2s.js';
import { HASH_BYTES, type CryptoBackend, type HashName } from './crypto-backend.js';
import type { CryptoContext } from './key-store.js';

/** RFC 5869, section 2.3: the block counter is one byte. */
const MAX_BLOCKS = 255;

/** What a key is derived from (RFC 5869, section 2). An empty salt stands for zeros, as HMAC pads its key. */
export interface HkdfInput {
  readonly hash: HashName;
  readonly salt: Uint8Array;
  readonly ikm: Uint8Array;
  readonly info: Uint8Array;
}

/**
 * Fills `out`, which may be of any length up to 255 hashes, with keying material (RFC 5869, sections 2.2 and 2.3). With
 * an empty `info` this is the HKDF of Noise rev 34, section 4.3, its outputs one after the other. What lies between
 * stays in the key store and is erased. With BLAKE2s, the product's hash, no other copy of a key is made; what the back
 * end leaves behind of the other hashes is said there. `out` may not overlap an input.
 * @throws RangeError if `out` is longer.
 */
export function hkdf({ backend, keys }: CryptoContext, input: HkdfInput, out: Uint8Array): void {
  const size = HASH_BYTES[input.hash];
  if (out.length > MAX_BLOCKS * size)
    throw new RangeError(`${out.length} bytes exceed ${MAX_BLOCKS} blocks of HKDF`);
  const hmac = hmacOf(backend, input.hash);
  const pseudorandomKey = keys.take(size);
  const block = keys.take(size);
  try {
    hmac(input.salt, [input.ikm], pseudorandomKey);
    const counter = new Uint8Array(1);
    for (let at = 0; at < out.length; at += size) {
      counter[0] = at / size + 1;
      const previous = at === 0 ? block.subarray(0, 0) : block;
      hmac(pseudorandomKey, [previous, input.info, counter], block);
      out.set(block.subarray(0, Math.min(size, out.length - at)), at);
    }
  } finally {
    keys.erase(pseudorandomKey);
    keys.erase(block);
  }
}

function hmacOf(backend: CryptoBackend, name: HashName): typeof hmacBlake2s {
  if (name === 'BLAKE2s') return hmacBlake2s;
  return (key, parts, out) => {
    backend.hmac(name, key, parts, out);
  };
}

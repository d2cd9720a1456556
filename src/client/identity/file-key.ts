import { scrypt } from 'node:crypto';
import type { ScryptCost } from './sealed-file.js';

/** scrypt needs 128 * N * r bytes and a little more. */
const MEMORY_MARGIN_BYTES = 1 << 20;

/**
 * Writes the file key to `out`, 32 bytes of a key store. Takes 128 MiB and some 0.4 s on another thread at the cost of
 * new files. `passphrase` is what passphraseBytes gave; it stays the caller's to erase.
 */
export async function deriveFileKey(
  passphrase: Uint8Array,
  salt: Uint8Array,
  { log2N, r, p }: ScryptCost,
  out: Uint8Array,
): Promise<void> {
  const N = 2 ** log2N;
  const maxmem = 128 * N * r + MEMORY_MARGIN_BYTES;
  const key = await new Promise<Buffer>((resolve, reject) => {
    scrypt(passphrase, salt, out.length, { N, r, p, maxmem }, (error, derived) => {
      if (error) reject(error);
      else resolve(derived);
    });
  });
  out.set(key);
  key.fill(0);
}

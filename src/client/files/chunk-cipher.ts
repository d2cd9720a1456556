/*
 * Chunks of one offer, each with its own key and nonce:
 *
 *   key 32 | nonce 12   HKDF-SHA-256, salt "sallyport file chunk v1", ikm the file key, info id 16 | index u32 | total u32
 *   sealed              ChaCha20-Poly1305 (RFC 8439), associated data the same id, index and total
 *
 * A chunk opens in its own place of its own offer only. A file key serves one offer, so that no key ever seals two texts.
 */
import { ascii, concat, u32 } from '../../protocol/bytes.js';
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES } from '../../protocol/crypto-backend.js';
import { hkdf } from '../../protocol/hkdf.js';
import type { CryptoContext } from '../../protocol/key-store.js';

const SALT = ascii('sallyport file chunk v1');

/** Seals and opens the chunks of one offer. Owns a copy of the file key until `close`. */
export class ChunkCipher {
  readonly #context: CryptoContext;
  readonly #key: Uint8Array;
  readonly #id: Uint8Array;
  readonly #total: number;

  constructor(
    context: CryptoContext,
    offer: { readonly fileKey: Uint8Array; readonly id: Uint8Array; readonly total: number },
  ) {
    this.#context = context;
    this.#key = context.keys.takeCopy(offer.fileKey);
    this.#id = offer.id.slice();
    this.#total = offer.total;
  }

  /** Seals the plaintext that fills `bytes` but for the last 16, in its place. */
  seal(index: number, bytes: Uint8Array): void {
    const plaintext = bytes.subarray(0, bytes.length - 16);
    this.#withKey(index, (key, nonce, place) => {
      this.#context.backend.aead('ChaChaPoly').seal(key, nonce, place, plaintext, bytes);
    });
  }

  /** Writes the plaintext to `out`, which is 16 bytes shorter than `sealed`. False if it is not this chunk's. */
  open(index: number, sealed: Uint8Array, out: Uint8Array): boolean {
    return this.#withKey(index, (key, nonce, place) =>
      this.#context.backend.aead('ChaChaPoly').open(key, nonce, place, sealed, out),
    );
  }

  /** Erases the key. May be called again. */
  close(): void {
    if (this.#context.keys.isLive(this.#key)) this.#context.keys.erase(this.#key);
  }

  #withKey<Result>(
    index: number,
    use: (key: Uint8Array, nonce: Uint8Array, place: Uint8Array) => Result,
  ): Result {
    const { keys } = this.#context;
    const place = concat([this.#id, u32(index), u32(this.#total)]);
    const both = keys.take(AEAD_KEY_BYTES + AEAD_NONCE_BYTES);
    try {
      hkdf(this.#context, { hash: 'SHA256', salt: SALT, ikm: this.#key, info: place }, both);
      return use(both.subarray(0, AEAD_KEY_BYTES), both.subarray(AEAD_KEY_BYTES), place);
    } finally {
      keys.erase(both);
    }
  }
}

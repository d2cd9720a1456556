/*
 * Where secrets live: slices of one larger buffer. V8 keeps typed arrays of up to 64 bytes inside its heap, where the
 * collector copies them and leaves old copies behind; the memory of a large ArrayBuffer stays where it is, so that
 * overwriting a key removes it from the process.
 */

import type { CryptoBackend } from './crypto-backend.js';

/** Bytes of one block. Most secrets are 32 bytes: keys, digests, private scalars. */
const BLOCK_BYTES = 32;

/** Enough for a handshake and the keys of a session in both directions with room to spare. */
const DEFAULT_CAPACITY_BYTES = 4_096;

/** The smallest store. A buffer of at most 64 bytes could end on V8's heap. */
const MIN_CAPACITY_BYTES = 1_024;

/** Why a key store refused its caller. Closed. */
export type KeyStoreErrorCode = 'ERR_KEY_STORE_EXHAUSTED' | 'ERR_KEY_STORE_NOT_LIVE';

/** A mistake of the code that uses a key store, never of the network. */
export class KeyStoreError extends Error {
  override readonly name = 'KeyStoreError';
  constructor(
    readonly code: KeyStoreErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** What every keyed operation needs: where primitives come from and where its secrets live. */
export interface CryptoContext {
  readonly backend: CryptoBackend;
  readonly keys: KeyStore;
}

/** Memory for secrets of a fixed size in all. A slice belongs to its taker until it is erased; it is never handed out twice at a time. */
export class KeyStore {
  readonly #bytes: Uint8Array;
  /** One byte per block: 1 while a live slice covers it. */
  readonly #taken: Uint8Array;
  /** By identity, so that a view kept beyond its erasure cannot erase its successor. */
  readonly #live = new Set<Uint8Array>();

  /** @throws RangeError if `capacityBytes` is below 1,024 or not a multiple of 32. */
  constructor(capacityBytes: number = DEFAULT_CAPACITY_BYTES) {
    if (!Number.isInteger(capacityBytes / BLOCK_BYTES) || capacityBytes < MIN_CAPACITY_BYTES)
      throw new RangeError(
        `a key store of ${capacityBytes} bytes: use a multiple of ${BLOCK_BYTES} from ${MIN_CAPACITY_BYTES}`,
      );
    this.#bytes = new Uint8Array(new ArrayBuffer(capacityBytes));
    this.#taken = new Uint8Array(capacityBytes / BLOCK_BYTES);
  }

  /** How many slices are live. Zero after everything was erased. */
  get liveSlices(): number {
    return this.#live.size;
  }

  /** Whether `slice` was taken here and not erased since. By identity: a view of the same bytes is not live. */
  isLive(slice: Uint8Array): boolean {
    return this.#live.has(slice);
  }

  /**
   * A zeroed slice of `length` bytes, the taker's until `erase`. Fill it in place; never copy it out.
   * @throws KeyStoreError ERR_KEY_STORE_EXHAUSTED if no room is left; RangeError if `length` is not at least 1.
   */
  take(length: number): Uint8Array {
    if (!Number.isInteger(length) || length < 1)
      throw new RangeError(`a slice of ${length} bytes: ask for at least 1`);
    const blocks = Math.ceil(length / BLOCK_BYTES);
    const first = this.#firstRun(blocks);
    if (first === undefined)
      throw new KeyStoreError(
        'ERR_KEY_STORE_EXHAUSTED',
        `${length} bytes do not fit into a key store of ${this.#bytes.length} with ${this.#live.size} live slices`,
      );
    this.#taken.fill(1, first, first + blocks);
    const start = first * BLOCK_BYTES;
    const slice = this.#bytes.subarray(start, start + length);
    this.#live.add(slice);
    return slice;
  }

  /** As `take`, holding a copy of `secret`, which stays the caller's to erase. */
  takeCopy(secret: Uint8Array): Uint8Array {
    const slice = this.take(secret.length);
    slice.set(secret);
    return slice;
  }

  /**
   * Zeroes `slice` and takes it back; whoever still holds the view sees zeros until the room is used again.
   * @throws KeyStoreError ERR_KEY_STORE_NOT_LIVE if it was erased before or is not from this store.
   */
  erase(slice: Uint8Array): void {
    if (!this.#live.delete(slice))
      throw new KeyStoreError('ERR_KEY_STORE_NOT_LIVE', 'this slice is not live in this key store');
    slice.fill(0);
    const first = (slice.byteOffset - this.#bytes.byteOffset) / BLOCK_BYTES;
    this.#taken.fill(0, first, first + Math.ceil(slice.length / BLOCK_BYTES));
  }

  /** Zeroes the whole buffer and takes every slice back. May be called at any time and again. */
  eraseAll(): void {
    this.#bytes.fill(0);
    this.#taken.fill(0);
    this.#live.clear();
  }

  #firstRun(blocks: number): number | undefined {
    let run = 0;
    for (let i = 0; i < this.#taken.length; i++) {
      run = this.#taken[i] === 0 ? run + 1 : 0;
      if (run === blocks) return i - blocks + 1;
    }
    return undefined;
  }
}

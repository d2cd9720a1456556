import { AEAD_TAG_BYTES } from '../crypto-backend.js';
import type { CipherState } from '../noise/cipher-state.js';
import {
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  MAX_PLAINTEXT_BYTES,
  type DatagramHeader,
} from './datagram.js';
import { INTEGRITY_LIMIT, PREVIOUS_KEY_MS } from './rekey.js';
import { ScratchViews } from './scratch.js';

/** Why a datagram did not open; a metric label. After `integrity-limit` no key of this direction may be used again. */
export type KeyRefusal = 'unknown-epoch' | 'wrong-tag' | 'integrity-limit';

/** A key and how often a tag failed under it. */
interface ReceivingKey {
  readonly cipher: CipherState;
  failedTags: number;
}

/** The receiving direction: the key before (for 30 s), the present one and the next. */
export class ReceivingKeys {
  readonly #datagram = new Uint8Array(MAX_DATAGRAM_BYTES);
  readonly #associated = this.#datagram.subarray(0, HEADER_BYTES);
  readonly #sealed = new ScratchViews(this.#datagram, HEADER_BYTES);
  readonly #plaintext = new Uint8Array(MAX_PLAINTEXT_BYTES);
  readonly #opened = new ScratchViews(this.#plaintext, 0);
  #previous: ReceivingKey | undefined;
  #previousUntilMs = Infinity;
  #present: ReceivingKey;
  #next: ReceivingKey;
  #epoch = 0;
  #failedTags = 0;

  /** `failedTags` under the first key is 0 in the product; tests begin near the limit. */
  constructor(cipher: CipherState, failedTags: number) {
    this.#present = { cipher, failedTags };
    this.#next = { cipher: cipher.rekeyed(), failedTags: 0 };
  }

  /** The number of rekeys that the peer has made, as far as seen. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Datagrams whose tag was wrong, under all keys. */
  get failedTags(): number {
    return this.#failedTags;
  }

  /** When the previous key is to be erased; Infinity if there is none. */
  get expiresMs(): number {
    return this.#previousUntilMs;
  }

  /**
   * Writes the plaintext to the start of `out` and gives its length. Only a verified tag of the next epoch advances the
   * epoch; on a refusal `out` is untouched. @throws RangeError if `out` does not hold the plaintext.
   */
  open(
    header: Readonly<DatagramHeader>,
    datagram: Uint8Array,
    out: Uint8Array,
    nowMs: number,
  ): number | KeyRefusal {
    const length = datagram.length - HEADER_BYTES - AEAD_TAG_BYTES;
    if (out.length < length) throw new RangeError(`${out.length} bytes do not hold the plaintext`);
    this.expire(nowMs);
    const key = this.#keyOf(header.keyEpoch);
    if (key === undefined) return 'unknown-epoch';
    if (!this.#decrypt(key.cipher, header, datagram)) return this.#failed(key);
    out.set(this.#opened.ofLength(length));
    if (key === this.#next) this.#advance(nowMs);
    return length;
  }

  /** Erases the previous key once its 30 s are over. */
  expire(nowMs: number): void {
    if (nowMs < this.#previousUntilMs) return;
    this.#previous?.cipher.destroy();
    this.#previous = undefined;
    this.#previousUntilMs = Infinity;
  }

  /** Erases all keys and the last plaintext. */
  destroy(): void {
    for (const key of [this.#previous, this.#present, this.#next]) key?.cipher.destroy();
    this.#plaintext.fill(0);
  }

  #keyOf(epochByte: number): ReceivingKey | undefined {
    switch ((epochByte - this.#epoch) & 0xff) {
      case 0:
        return this.#present;
      case 1:
        return this.#next;
      case 0xff:
        return this.#previous;
      default:
        return undefined;
    }
  }

  #decrypt(cipher: CipherState, header: Readonly<DatagramHeader>, datagram: Uint8Array): boolean {
    this.#datagram.set(datagram);
    cipher.setNonceHalves(header.counterHigh, header.counterLow);
    const sealedBytes = datagram.length - HEADER_BYTES;
    const opened = cipher.decryptWithAd(
      this.#associated,
      this.#sealed.ofLength(sealedBytes),
      this.#opened.ofLength(sealedBytes - AEAD_TAG_BYTES),
    );
    return typeof opened === 'number';
  }

  #failed(key: ReceivingKey): KeyRefusal {
    this.#failedTags++;
    key.failedTags++;
    return key.failedTags >= INTEGRITY_LIMIT ? 'integrity-limit' : 'wrong-tag';
  }

  #advance(nowMs: number): void {
    this.#previous?.cipher.destroy();
    this.#previous = this.#present;
    this.#previousUntilMs = nowMs + PREVIOUS_KEY_MS;
    this.#present = this.#next;
    this.#next = { cipher: this.#next.cipher.rekeyed(), failedTags: 0 };
    this.#epoch++;
  }
}

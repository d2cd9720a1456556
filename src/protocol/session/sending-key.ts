import { AEAD_TAG_BYTES } from '../crypto-backend.js';
import type { CipherState } from '../noise/cipher-state.js';
import {
  DatagramKind,
  HEADER_BYTES,
  MAX_DATAGRAM_BYTES,
  MAX_U32,
  emptyHeader,
  encodeHeader,
} from './datagram.js';
import { REKEY_AFTER_DATAGRAMS, REKEY_AFTER_MS } from './rekey.js';
import { ScratchViews } from './scratch.js';
import { CounterExhaustedError } from './session-error.js';

/** Where a direction stands. Always the zeros of `FROM_THE_START` in the product; tests begin near the limits. */
export interface SendingPosition {
  readonly counterHigh: number;
  readonly counterLow: number;
  readonly datagramsUnderKey: number;
}

export const FROM_THE_START: SendingPosition = {
  counterHigh: 0,
  counterLow: 0,
  datagramsUnderKey: 0,
};

/**
 * The sending direction: one key, one counter. The counter goes on before the cipher runs and no call sets it back, so
 * that no nonce is used twice even if a back end throws; the cipher state refuses a used nonce once more.
 */
export class SendingKey {
  readonly #cipher: CipherState;
  readonly #header = { ...emptyHeader(), kind: DatagramKind.transport as number };
  readonly #datagram = new Uint8Array(MAX_DATAGRAM_BYTES);
  readonly #associated = this.#datagram.subarray(0, HEADER_BYTES);
  readonly #sealed = new ScratchViews(this.#datagram, HEADER_BYTES);
  readonly #whole = new ScratchViews(this.#datagram, 0);
  #nextHigh: number;
  #nextLow: number;
  #datagramsUnderKey: number;
  #firstUseMs: number | undefined;
  #epoch = 0;
  #confirmed = false;

  constructor(cipher: CipherState, remoteIndex: number, position: SendingPosition) {
    this.#cipher = cipher;
    this.#header.receiverIndex = remoteIndex;
    this.#nextHigh = position.counterHigh;
    this.#nextLow = position.counterLow;
    this.#datagramsUnderKey = position.datagramsUnderKey;
  }

  /** The number of rekeys; its lowest byte stands in each datagram. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether the peer said that it holds the present epoch. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** The peer holds `epoch`. Any other than the present one is old or invented and changes nothing. */
  confirm(epoch: number): void {
    if (epoch === this.#epoch) this.#confirmed = true;
  }

  /** Writes the datagram to the start of `out`, which is long enough, and gives its length. @throws CounterExhaustedError */
  seal(plaintext: Uint8Array, out: Uint8Array, nowMs: number): number {
    this.#rekeyIfDue(nowMs);
    this.#takeCounter();
    encodeHeader(this.#header, this.#datagram);
    this.#cipher.setNonceHalves(this.#header.counterHigh, this.#header.counterLow);
    const sealedBytes = plaintext.length + AEAD_TAG_BYTES;
    this.#cipher.encryptWithAd(this.#associated, plaintext, this.#sealed.ofLength(sealedBytes));
    const length = HEADER_BYTES + sealedBytes;
    out.set(this.#whole.ofLength(length));
    return length;
  }

  /** Erases the key. */
  destroy(): void {
    this.#cipher.destroy();
  }

  #takeCounter(): void {
    if (this.#nextHigh === MAX_U32 && this.#nextLow === MAX_U32) throw new CounterExhaustedError();
    this.#header.counterHigh = this.#nextHigh;
    this.#header.counterLow = this.#nextLow;
    this.#nextLow = (this.#nextLow + 1) >>> 0;
    if (this.#nextLow === 0) this.#nextHigh = (this.#nextHigh + 1) >>> 0;
    this.#datagramsUnderKey++;
  }

  /** Never before the peer confirmed the present epoch: it holds one key ahead and no more. */
  #rekeyIfDue(nowMs: number): void {
    this.#firstUseMs ??= nowMs;
    const due =
      this.#datagramsUnderKey >= REKEY_AFTER_DATAGRAMS ||
      nowMs - this.#firstUseMs >= REKEY_AFTER_MS;
    if (!due || !this.#confirmed) return;
    this.#cipher.rekey();
    this.#epoch++;
    this.#header.keyEpoch = this.#epoch & 0xff;
    this.#confirmed = false;
    this.#datagramsUnderKey = 0;
    this.#firstUseMs = nowMs;
  }
}

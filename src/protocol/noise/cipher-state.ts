/*
 * CipherState of Noise rev 34, section 5.1, that always has a key: what Noise sends before its first key is written by
 * SymmetricState, and there is no way to make a transport that does not encrypt.
 *
 * Nonce (Noise rev 34, sections 12.3 and 12.4), 12 bytes:
 *   4 bytes   zero
 *   8 bytes   n, little-endian for ChaChaPoly, big-endian for AESGCM
 */
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type Aead,
  type AeadName,
} from '../crypto-backend.js';
import type { CryptoContext, KeyStore } from '../key-store.js';
import { NoiseMisuse, type NoiseRefusal } from './noise-error.js';

/** The half of 2^64 - 1, the nonce that REKEY alone uses (Noise rev 34, section 4.2). */
const RESERVED_HALF = 0xffff_ffff;

const MAX_NONCE = 2n ** 64n - 1n;
const HALF_BITS = 32n;
const NOTHING = new Uint8Array(0);
const ZEROS = new Uint8Array(AEAD_KEY_BYTES);

/**
 * One direction's key and its nonce, exact to 2^64. Sealing never uses a nonce twice: one that is not above every nonce
 * sealed with before throws. Opening takes any nonce in any order; refusing replays is the session's business.
 */
export class CipherState {
  readonly #context: CryptoContext;
  readonly #name: AeadName;
  readonly #aead: Aead;
  readonly #keys: KeyStore;
  readonly #key: Uint8Array;
  readonly #nonce = new Uint8Array(AEAD_NONCE_BYTES);
  readonly #nonceView = new DataView(this.#nonce.buffer);
  #high = 0;
  #low = 0;
  /** The lowest nonce that sealing may still use, in two halves. */
  #unusedHigh = 0;
  #unusedLow = 0;

  /** Copies `key` into the key store. @throws NoiseMisuse for a key of a wrong length or of zeros only. */
  constructor(context: CryptoContext, name: AeadName, key: Uint8Array) {
    requireKey(key);
    this.#context = context;
    this.#name = name;
    this.#aead = context.backend.aead(name);
    this.#keys = context.keys;
    this.#key = this.#keys.takeCopy(key);
  }

  /** The nonce of the next message. */
  get nonce(): bigint {
    return (BigInt(this.#high) << HALF_BITS) | BigInt(this.#low);
  }

  /** Whether the key is there: false after `destroy` or after its key store was erased. */
  get isLive(): boolean {
    return this.#keys.isLive(this.#key);
  }

  /** InitializeKey: a copy of `key` replaces the present one and the nonce begins at 0 again. @throws as the constructor does. */
  initializeKey(key: Uint8Array): void {
    this.#requireLive();
    requireKey(key);
    this.#key.set(key);
    this.#high = this.#low = this.#unusedHigh = this.#unusedLow = 0;
  }

  /** SetNonce: `nonce` is that of the next message. @throws RangeError below 0 or above 2^64 - 1. */
  setNonce(nonce: bigint): void {
    if (nonce < 0n || nonce > MAX_NONCE) throw new RangeError('a nonce is a 64-bit number');
    this.setNonceHalves(Number(nonce >> HALF_BITS), Number(nonce & 0xffff_ffffn));
  }

  /** SetNonce in two unsigned 32-bit halves, as they stand in a packet: no bigint is made. Larger numbers lose their upper bits. */
  setNonceHalves(high: number, low: number): void {
    this.#high = high >>> 0;
    this.#low = low >>> 0;
  }

  /**
   * EncryptWithAd: writes ciphertext and tag to `out` and counts the nonce up; gives the bytes written, 16 more than
   * the plaintext. `out` may be the plaintext's own buffer from its first byte. It allocates nothing if `out` has exactly
   * that length.
   * @throws NoiseMisuse for a nonce that was used, 2^64 - 1, an `out` too short, or an erased key.
   */
  encryptWithAd(associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array): number {
    this.#requireLive();
    this.#requireUnused();
    const length = plaintext.length + AEAD_TAG_BYTES;
    if (out.length < length)
      throw new NoiseMisuse('ERR_NOISE_BUFFER', `${length} bytes do not fit into ${out.length}`);
    const target = out.length === length ? out : out.subarray(0, length);
    this.#writeNonce(this.#high, this.#low);
    this.#aead.seal(this.#key, this.#nonce, associated, plaintext, target);
    this.#advance();
    this.#unusedHigh = this.#high;
    this.#unusedLow = this.#low;
    return length;
  }

  /**
   * DecryptWithAd: writes the plaintext to `out`, counts the nonce up and gives the plaintext's length; or gives why
   * the bytes are refused, then the nonce stays and `out` holds nothing secret. Never throws on bytes from strangers.
   * `out` may be the buffer of `sealed` from its first byte; a refusal may then have overwritten it.
   * @throws NoiseMisuse if the key was erased.
   */
  decryptWithAd(
    associated: Uint8Array,
    sealed: Uint8Array,
    out: Uint8Array,
  ): number | NoiseRefusal {
    this.#requireLive();
    const length = sealed.length - AEAD_TAG_BYTES;
    if (length < 0) return 'too-short';
    if (length > out.length) return 'too-long';
    if (this.#isReserved()) return 'reserved-nonce';
    const target = out.length === length ? out : out.subarray(0, length);
    this.#writeNonce(this.#high, this.#low);
    if (!this.#aead.open(this.#key, this.#nonce, associated, sealed, target)) return 'wrong-tag';
    this.#advance();
    return length;
  }

  /** Rekey: k = REKEY(k), the first 32 bytes of ENCRYPT(k, 2^64 - 1, nothing, zeros) (Noise rev 34, sections 4.2 and 11.3). The nonce goes on. */
  rekey(): void {
    this.#requireLive();
    const sealed = this.#keys.take(AEAD_KEY_BYTES + AEAD_TAG_BYTES);
    try {
      this.#writeNonce(RESERVED_HALF, RESERVED_HALF);
      this.#aead.seal(this.#key, this.#nonce, NOTHING, ZEROS, sealed);
      this.#key.set(sealed.subarray(0, AEAD_KEY_BYTES));
    } finally {
      this.#keys.erase(sealed);
    }
  }

  /** A second state with REKEY of this key and the same nonces, for a receiver that holds several epochs at a time. This one stays as it is. */
  rekeyed(): CipherState {
    const next = this.copy();
    next.rekey();
    return next;
  }

  /** The same key and nonces once more, so that a message can be tried. Only one of both may ever seal: the other is destroyed unused. */
  copy(): CipherState {
    this.#requireLive();
    const twin = new CipherState(this.#context, this.#name, this.#key);
    twin.#high = this.#high;
    twin.#low = this.#low;
    twin.#unusedHigh = this.#unusedHigh;
    twin.#unusedLow = this.#unusedLow;
    return twin;
  }

  /** Erases the key. May be called again; every other call throws from now on. */
  destroy(): void {
    if (this.isLive) this.#keys.erase(this.#key);
  }

  #isReserved(): boolean {
    return this.#high === RESERVED_HALF && this.#low === RESERVED_HALF;
  }

  #requireLive(): void {
    if (!this.isLive) throw new NoiseMisuse('ERR_NOISE_SPENT', 'the key of this cipher was erased');
  }

  #requireUnused(): void {
    if (this.#isReserved())
      throw new NoiseMisuse('ERR_NOISE_NONCE_EXHAUSTED', 'every nonce of this key was used');
    const used =
      this.#high < this.#unusedHigh ||
      (this.#high === this.#unusedHigh && this.#low < this.#unusedLow);
    if (used)
      throw new NoiseMisuse('ERR_NOISE_NONCE_REUSED', 'this key has sealed with that nonce before');
  }

  #advance(): void {
    this.#low = (this.#low + 1) >>> 0;
    if (this.#low === 0) this.#high = (this.#high + 1) >>> 0;
  }

  #writeNonce(high: number, low: number): void {
    const littleEndian = this.#name === 'ChaChaPoly';
    this.#nonceView.setUint32(4, littleEndian ? low : high, littleEndian);
    this.#nonceView.setUint32(8, littleEndian ? high : low, littleEndian);
  }
}

function requireKey(key: Uint8Array): void {
  if (key.length !== AEAD_KEY_BYTES)
    throw new NoiseMisuse('ERR_NOISE_KEY', `a cipher key has ${AEAD_KEY_BYTES} bytes`);
  let bits = 0;
  for (const byte of key) bits |= byte;
  if (bits === 0) throw new NoiseMisuse('ERR_NOISE_NULL_KEY', 'a key of zeros is no key');
}

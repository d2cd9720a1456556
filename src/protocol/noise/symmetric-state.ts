/*
 * SymmetricState of Noise rev 34, section 5.2: chaining key, handshake hash and, after the first mixKey, a cipher.
 */
import { AEAD_KEY_BYTES, AEAD_TAG_BYTES } from '../crypto-backend.js';
import { ascii } from '../bytes.js';
import { hkdf } from '../hkdf.js';
import type { CryptoContext } from '../key-store.js';
import { CipherState } from './cipher-state.js';
import type { NoiseRefusal } from './noise-error.js';
import type { Suite } from './suites.js';

const NOTHING = new Uint8Array(0);

/** The state that both sides mix the whole handshake into. It belongs to one HandshakeState. */
export class SymmetricState {
  readonly #context: CryptoContext;
  readonly #suite: Suite;
  readonly #chainingKey: Uint8Array;
  /** The handshake hash is of public bytes only, so it needs no place in the key store. */
  readonly #hash: Uint8Array;
  #cipher: CipherState | undefined;

  /** InitializeSymmetric: `protocolName` padded with zeros to HASHLEN, or its hash if it is longer. */
  constructor(context: CryptoContext, suite: Suite, protocolName: string) {
    this.#context = context;
    this.#suite = suite;
    this.#hash = new Uint8Array(suite.hashBytes);
    const name = ascii(protocolName);
    if (name.length <= suite.hashBytes) this.#hash.set(name);
    else context.backend.hash(suite.hash, [name], this.#hash);
    this.#chainingKey = context.keys.takeCopy(this.#hash);
  }

  /** What encryptAndHash adds at present: 16 bytes once there is a key, none before. */
  get tagBytes(): number {
    return this.#cipher ? AEAD_TAG_BYTES : 0;
  }

  /** Whether the secrets are there: false after `destroy` or after the key store was erased. */
  get isLive(): boolean {
    return this.#context.keys.isLive(this.#chainingKey);
  }

  /** GetHandshakeHash: a copy, public, the same on both sides after the last message. */
  handshakeHash(): Uint8Array {
    return this.#hash.slice();
  }

  /** MixKey. `inputKeyMaterial` stays the caller's to erase. */
  mixKey(inputKeyMaterial: Uint8Array): void {
    this.#derive(inputKeyMaterial, (chainingKey, key) => {
      this.#chainingKey.set(chainingKey);
      const cipherKey = key.subarray(0, AEAD_KEY_BYTES);
      if (this.#cipher) this.#cipher.initializeKey(cipherKey);
      else this.#cipher = new CipherState(this.#context, this.#suite.aead, cipherKey);
    });
  }

  /** MixHash. */
  mixHash(bytes: Uint8Array): void {
    this.#context.backend.hash(this.#suite.hash, [this.#hash, bytes], this.#hash);
  }

  /** EncryptAndHash: writes to `out` and gives the bytes written. Before the first key Noise sends these bytes as they are. */
  encryptAndHash(plaintext: Uint8Array, out: Uint8Array): number {
    const length = plaintext.length + this.tagBytes;
    if (this.#cipher) this.#cipher.encryptWithAd(this.#hash, plaintext, out);
    else out.set(plaintext);
    this.mixHash(out.subarray(0, length));
    return length;
  }

  /** DecryptAndHash: writes to `out` and gives the bytes written, or why `sealed` is refused. `out` may not overlap `sealed`. */
  decryptAndHash(sealed: Uint8Array, out: Uint8Array): number | NoiseRefusal {
    const length = sealed.length - this.tagBytes;
    if (length > out.length) return 'too-long';
    if (this.#cipher) {
      const opened = this.#cipher.decryptWithAd(this.#hash, sealed, out);
      if (typeof opened === 'string') return opened;
    } else {
      out.set(sealed);
    }
    this.mixHash(sealed);
    return length;
  }

  /** Split: the cipher from initiator to responder, and the other. */
  split(): [CipherState, CipherState] {
    return this.#derive(NOTHING, (first, second) => [
      this.#transportCipher(first),
      this.#transportCipher(second),
    ]);
  }

  /** A second state that a message can be tried on; whichever of both is not kept must be destroyed. */
  copy(): SymmetricState {
    const twin = new SymmetricState(this.#context, this.#suite, '');
    twin.#chainingKey.set(this.#chainingKey);
    twin.#hash.set(this.#hash);
    twin.#cipher = this.#cipher?.copy();
    return twin;
  }

  /** Erases chaining key and cipher key. May be called again. */
  destroy(): void {
    this.#cipher?.destroy();
    if (this.isLive) this.#context.keys.erase(this.#chainingKey);
  }

  /** HKDF with two outputs (Noise rev 34, section 4.3), which are erased when `use` returns. */
  #derive<Result>(ikm: Uint8Array, use: (first: Uint8Array, second: Uint8Array) => Result): Result {
    const { hash, hashBytes } = this.#suite;
    const outputs = this.#context.keys.take(2 * hashBytes);
    try {
      hkdf(this.#context, { hash, salt: this.#chainingKey, ikm, info: NOTHING }, outputs);
      return use(outputs.subarray(0, hashBytes), outputs.subarray(hashBytes));
    } finally {
      this.#context.keys.erase(outputs);
    }
  }

  #transportCipher(key: Uint8Array): CipherState {
    return new CipherState(this.#context, this.#suite.aead, key.subarray(0, AEAD_KEY_BYTES));
  }
}

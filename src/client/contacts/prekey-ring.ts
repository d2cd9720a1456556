/*
 * The prekeys of this device: a new one every day, each destroyed 48 h after it was made, together with the ids of what
 * came to it. They live in memory only: an endpoint that starts again makes a new one.
 */
import { X25519_BYTES } from '../../protocol/crypto-backend.js';
import type { HeldPrekey } from '../../protocol/envelope/open-envelope.js';
import { SeenIds } from '../../protocol/envelope/seen-ids.js';
import { MAX_PREKEY_LIFETIME_MS, type Prekey } from '../../protocol/identity/prekey.js';
import type { CryptoContext } from '../../protocol/key-store.js';
import type { RandomBytes } from '../../protocol/session/path-proofs.js';

export const RENEW_PREKEY_EVERY_MS = 24 * 3_600_000;
const MAX_PREKEY_ID = 0xffff_ffff;

/** Signs prekeys of this device. */
export interface PrekeySigner {
  signPrekey(prekey: Omit<Prekey, 'identity' | 'deviceId'>): Uint8Array;
}

interface Held extends HeldPrekey {
  readonly bytes: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** At most three prekeys at a time, the newest last. Their private halves are slices of the key store. */
export class PrekeyRing {
  readonly #context: CryptoContext;
  readonly #signer: PrekeySigner;
  readonly #random: RandomBytes;
  #held: readonly Held[] = [];

  constructor(context: CryptoContext, signer: PrekeySigner, random: RandomBytes) {
    this.#context = context;
    this.#signer = signer;
    this.#random = random;
  }

  /** Those that open envelopes now. */
  get held(): readonly HeldPrekey[] {
    return this.#held;
  }

  /** The 164 signed bytes of the newest: what a gateway gives to those who address this device. */
  get newest(): Uint8Array | undefined {
    return this.#held.at(-1)?.bytes;
  }

  /** Destroys what is too old and makes a new one when it is time; true if there is a new one to be published. */
  turn(nowMs: number): boolean {
    for (const { notAfterMs, keyPair } of this.#held)
      if (nowMs >= notAfterMs) this.#context.keys.erase(keyPair.privateKey);
    this.#held = this.#held.filter(({ notAfterMs }) => nowMs < notAfterMs);
    const newest = this.#held.at(-1);
    if (newest !== undefined && nowMs - newest.notBeforeMs < RENEW_PREKEY_EVERY_MS) return false;
    this.#held = [...this.#held, this.#make(nowMs, newest?.prekeyId)];
    return true;
  }

  /** Destroys all of them. */
  close(): void {
    for (const { keyPair } of this.#held) this.#context.keys.erase(keyPair.privateKey);
    this.#held = [];
  }

  /** The id is the second in which it was made: it grows over restarts of which nothing is remembered. */
  #make(nowMs: number, lastId = -1): Held {
    const { backend, keys } = this.#context;
    const privateKey = keys.take(X25519_BYTES);
    this.#random(privateKey);
    const publicKey = new Uint8Array(X25519_BYTES);
    backend.x25519PublicKey(privateKey, publicKey);
    const prekeyId = Math.max(Math.floor(nowMs / 1_000) % MAX_PREKEY_ID, lastId + 1);
    const validity = { notBeforeMs: nowMs, notAfterMs: nowMs + MAX_PREKEY_LIFETIME_MS };
    const bytes = this.#signer.signPrekey({ prekeyId, x25519: publicKey, ...validity });
    return {
      prekeyId,
      keyPair: { privateKey, publicKey },
      seen: new SeenIds(),
      bytes,
      ...validity,
    };
  }
}

/*
 * An account on one device: its identity key, this device's own keys, and what the identity key has signed. Pure: time
 * and randomness come in.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { fingerprintOf } from '../../protocol/identity/account.js';
import {
  decodeDeviceBinding,
  DEVICE_ID_BYTES,
  signDeviceBinding,
  type DeviceBinding,
} from '../../protocol/identity/device-binding.js';
import { loginSigningInput, type LoginStatement } from '../../protocol/identity/login.js';
import { identitySeed, phraseOf, readPhrase } from '../../protocol/identity/phrase.js';
import { signPrekey, type Prekey } from '../../protocol/identity/prekey.js';
import { RevocationSet } from '../../protocol/identity/revocation-set.js';
import { signRevocation, verifyRevocation } from '../../protocol/identity/revocation.js';
import type { CryptoContext } from '../../protocol/key-store.js';
import type { KeyPair } from '../../protocol/noise/handshake-state.js';
import { IdentityError } from './identity-error.js';
import { encodeIdentityRecord, ENTROPY_BYTES, type IdentityRecord } from './identity-record.js';

const DAY_MS = 86_400_000;
/** A device that is not used for a year is enrolled again from the phrase. */
const BINDING_LIFETIME_MS = 365 * DAY_MS;
const RENEW_BEFORE_MS = 60 * DAY_MS;
/** Clocks of peers may be slow (architecture, 9). */
const BACKDATED_MS = 60_000;

/** What making an identity needs: unpredictable bytes and the time, unix ms. */
export interface Making {
  readonly random: (out: Uint8Array) => void;
  readonly nowMs: number;
}

/** The words as somebody typed them; see protocol/identity/phrase.ts on strings. */
export interface TypedPhrase {
  readonly phrase: string;
  /** BIP39's own passphrase, which makes another identity of the same words; not that of the file. */
  readonly passphrase?: string;
}

/** An unlocked identity. Its secrets are slices of the context's key store until `close`; then every method that signs throws. */
export class Identity {
  readonly #context: CryptoContext;
  readonly #identitySeed: Uint8Array;
  readonly #deviceSeed: Uint8Array;
  readonly #deviceKey: Uint8Array;
  readonly #revoked = new RevocationSet();
  #binding: DeviceBinding;
  #bindingBytes: Uint8Array;
  #serial: bigint;
  #entropy: Uint8Array | undefined;
  #closed = false;

  private constructor(context: CryptoContext, record: IdentityRecord) {
    const binding = decodeDeviceBinding(record.binding.slice());
    if (typeof binding === 'string')
      throw new IdentityError(
        'ERR_IDENTITY_FILE_FORMAT',
        `The identity file holds no device binding (${binding}).`,
        'Restore the identity from its phrase into a new file.',
        binding,
      );
    const { keys } = context;
    this.#context = context;
    this.#identitySeed = keys.takeCopy(record.identitySeed);
    this.#deviceSeed = keys.takeCopy(record.deviceSeed);
    this.#deviceKey = keys.takeCopy(record.deviceKey);
    this.#entropy = record.entropy.length > 0 ? keys.takeCopy(record.entropy) : undefined;
    this.#binding = binding;
    this.#bindingBytes = record.binding.slice();
    this.#serial = record.serial;
    for (const bytes of record.revocations) this.#keep(bytes);
  }

  /** A new identity with a phrase of 12, 15, 18, 21 or 24 words. @throws RangeError for another number of words. */
  static create(context: CryptoContext, words: number, making: Making): Identity {
    const bytes = (words * 4) / 3;
    if (bytes === 0 || !ENTROPY_BYTES.includes(bytes))
      throw new RangeError(`a phrase of ${words} words`);
    const entropy = context.keys.take(bytes);
    try {
      making.random(entropy);
      return Identity.#enrol(context, { phrase: phraseOf(entropy) }, entropy, making);
    } finally {
      context.keys.erase(entropy);
    }
  }

  /**
   * The identity of a phrase, with new keys for this device.
   * @throws IdentityError ERR_IDENTITY_PHRASE with the refusal of protocol/identity/phrase.ts as its reason.
   */
  static restore(context: CryptoContext, typed: TypedPhrase, making: Making): Identity {
    // Who types the words has them written down: no copy of them is kept.
    return Identity.#enrol(context, typed, new Uint8Array(), making);
  }

  /** The identity of an opened file. The record stays the caller's to erase. @throws IdentityError ERR_IDENTITY_FILE_FORMAT. */
  static of(context: CryptoContext, record: IdentityRecord): Identity {
    return new Identity(context, record);
  }

  static #enrol(
    context: CryptoContext,
    { phrase, passphrase = '' }: TypedPhrase,
    entropy: Uint8Array,
    { random, nowMs }: Making,
  ): Identity {
    const { backend, keys } = context;
    const [seed, deviceSeed, deviceKey] = [keys.take(32), keys.take(32), keys.take(32)];
    try {
      const refusal = identitySeed(context, { phrase, passphrase }, seed);
      if (refusal !== undefined)
        throw new IdentityError(
          'ERR_IDENTITY_PHRASE',
          `These words are no phrase (${refusal}).`,
          'Compare each word with what was written down; their order counts.',
          refusal,
        );
      random(deviceSeed);
      random(deviceKey);
      const deviceId = new Uint8Array(DEVICE_ID_BYTES);
      random(deviceId);
      const x25519 = new Uint8Array(32);
      backend.x25519PublicKey(deviceKey, x25519);
      const serial = BigInt(nowMs);
      const binding = signDeviceBinding(backend, seed, {
        identity: backend.ed25519PublicKey(seed),
        deviceId,
        ed25519: backend.ed25519PublicKey(deviceSeed),
        x25519,
        serial,
        ...validityFrom(nowMs),
      });
      const made = { identitySeed: seed, deviceSeed, deviceKey, binding, serial, entropy };
      return new Identity(context, { ...made, revocations: [] });
    } finally {
      for (const slice of [seed, deviceSeed, deviceKey]) keys.erase(slice);
    }
  }

  /** The account: the 32-byte public identity key. */
  get account(): Uint8Array {
    return this.#binding.identity;
  }

  /** `sp1...` */
  get fingerprint(): string {
    return fingerprintOf(this.#context.backend, this.account);
  }

  /** What the identity key says of this device, as views of `bindingBytes`. */
  get binding(): DeviceBinding {
    return this.#binding;
  }

  /** The 201 signed bytes. */
  get bindingBytes(): Uint8Array {
    return this.#bindingBytes;
  }

  /** Signed revocations of devices of this account, oldest first. */
  get revocations(): readonly Uint8Array[] {
    return this.#revoked.of(this.account);
  }

  /** Whether the phrase still waits to be written down and checked. */
  get needsBackup(): boolean {
    return this.#entropy !== undefined;
  }

  /** The X25519 pair of this device; the private half is a slice that `close` erases. */
  get staticKey(): KeyPair {
    this.#requireOpen();
    return { privateKey: this.#deviceKey, publicKey: this.#binding.x25519 };
  }

  /** The device's signature of a login. */
  signLogin(statement: LoginStatement): Uint8Array {
    this.#requireOpen();
    return this.#context.backend.ed25519Sign(this.#deviceSeed, loginSigningInput(statement));
  }

  /** A prekey of this device, 164 bytes. */
  signPrekey(prekey: Omit<Prekey, 'identity' | 'deviceId'>): Uint8Array {
    this.#requireOpen();
    const { identity, deviceId } = this.#binding;
    return signPrekey(this.#context.backend, this.#deviceSeed, { ...prekey, identity, deviceId });
  }

  /** A binding with later dates when the present one ends in less than 60 days; true if there is a new one to be saved. */
  renewBinding(nowMs: number): boolean {
    this.#requireOpen();
    if (this.#binding.notAfterMs - nowMs > RENEW_BEFORE_MS) return false;
    if (this.#revoked.isRevoked(this.account, this.#binding.deviceId))
      throw new IdentityError(
        'ERR_IDENTITY_REVOKED',
        'This device is revoked for ever.',
        'Restore the identity from its phrase: that makes a new device.',
      );
    this.#bindingBytes = signDeviceBinding(this.#context.backend, this.#identitySeed, {
      ...this.#binding,
      ...validityFrom(nowMs),
      serial: this.#nextSerial(nowMs),
    });
    this.#binding = decodeDeviceBinding(this.#bindingBytes) as DeviceBinding;
    return true;
  }

  /**
   * The revocation of another device of this account, 128 bytes, to be given to the gateway (`device.revoke`) and saved.
   * @throws IdentityError ERR_IDENTITY_REVOKED for this device itself: revoke it from another one.
   */
  revoke(deviceId: Uint8Array, nowMs: number): Uint8Array {
    this.#requireOpen();
    if (equalBytes(deviceId, this.#binding.deviceId))
      throw new IdentityError(
        'ERR_IDENTITY_REVOKED',
        'A device cannot revoke itself and go on.',
        'Revoke it from another device, or restore the phrase elsewhere and revoke it from there.',
      );
    const revocation = signRevocation(this.#context.backend, this.#identitySeed, {
      identity: this.account,
      deviceId,
      serial: this.#nextSerial(nowMs),
      timeMs: nowMs,
    });
    this.#keep(revocation);
    return revocation;
  }

  /** The words, until they were checked; a string, which cannot be erased: show it once and end soon. */
  phrase(): string | undefined {
    this.#requireOpen();
    return this.#entropy && phraseOf(this.#entropy);
  }

  /** Whether `typed` are the words. If so they are erased here: from then on only paper has them. Save afterwards. */
  confirmBackup(typed: string): boolean {
    const expected = this.phrase();
    const read = readPhrase(typed);
    if (expected === undefined || typeof read === 'string' || read.words.join(' ') !== expected)
      return false;
    if (this.#entropy) this.#context.keys.erase(this.#entropy);
    this.#entropy = undefined;
    return true;
  }

  /** What the file holds: full of secrets, the caller erases it. */
  encode(): Uint8Array {
    this.#requireOpen();
    return encodeIdentityRecord({
      identitySeed: this.#identitySeed,
      deviceSeed: this.#deviceSeed,
      deviceKey: this.#deviceKey,
      binding: this.#bindingBytes,
      serial: this.#serial,
      entropy: this.#entropy ?? new Uint8Array(),
      revocations: this.revocations,
    });
  }

  /** Erases every key. May be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { keys } = this.#context;
    for (const slice of [this.#identitySeed, this.#deviceSeed, this.#deviceKey, this.#entropy])
      if (slice && keys.isLive(slice)) keys.erase(slice);
  }

  /** Grows on one device by counting and between devices by their clocks: nobody knows what the others have signed. */
  #nextSerial(nowMs: number): bigint {
    const now = BigInt(nowMs);
    this.#serial = now > this.#serial ? now : this.#serial + 1n;
    return this.#serial;
  }

  #keep(bytes: Uint8Array): void {
    const revocation = verifyRevocation(this.#context.backend, bytes);
    if (typeof revocation !== 'string') this.#revoked.add(revocation);
  }

  #requireOpen(): void {
    if (this.#closed)
      throw new IdentityError(
        'ERR_IDENTITY_CLOSED',
        'The identity is closed and its keys are erased.',
        'Open the identity file again.',
      );
  }
}

const validityFrom = (nowMs: number) => ({
  notBeforeMs: nowMs - BACKDATED_MS,
  notAfterMs: nowMs + BINDING_LIFETIME_MS,
});

/*
 * Whom this endpoint knows. A contact is an account, named by its fingerprint; what its identity key says of devices is
 * learned from the network and believed only when it verifies.
 *
 *   asked     this side introduced itself, no answer yet
 *   asking    the other side did, and waits for an answer
 *   accepted  both sides know each other
 *   blocked   nothing of it is heard any more
 *
 * A contact is verified when a person compared the safety number. The mark belongs to the keys of that moment: a device
 * that was not there then, one with other keys, or another account under the same name takes it away and warns, since
 * whoever has the phrase of an account can enrol a device; only its owner can say whose it is.
 */
import { equalBytes } from '../../protocol/bytes.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { fingerprintOf, parseFingerprint } from '../../protocol/identity/account.js';
import {
  decodeDeviceBinding,
  verifyBindingBeforeHandshake,
  type BindingRefusal,
  type DeviceBinding,
} from '../../protocol/identity/device-binding.js';
import { RevocationSet } from '../../protocol/identity/revocation-set.js';
import { verifyRevocation } from '../../protocol/identity/revocation.js';
import { safetyNumber } from '../../protocol/identity/safety-number.js';
import { ContactError } from './contact-error.js';

export const MAX_CONTACTS = 1_000;
/** The devices that a gateway names at once; a ninth takes the place of the oldest. */
export const MAX_DEVICES = 8;
const NAME = /^[\p{L}\p{N}\p{P}\p{S} ]{1,64}$/u;

export type ContactState = 'asked' | 'asking' | 'accepted' | 'blocked';
/** Whether the peer may see an address of this endpoint. */
export type PathPolicy = 'RelayOnly' | 'DirectAllowed';

/** A device of a contact: its verified binding. */
export interface ContactDevice {
  readonly bytes: Uint8Array;
  readonly keys: DeviceBinding;
}

/** A contact as it is now; a copy, which does not change later. */
export interface Contact {
  readonly fingerprint: string;
  /** What this person calls it; it never leaves this endpoint. */
  readonly name: string | undefined;
  readonly state: ContactState;
  readonly pathPolicy: PathPolicy;
  readonly verified: boolean;
  /** A key has changed since the mark was set, or under this name; until the next mark. */
  readonly keyChanged: boolean;
  /** Known after something of the contact has verified. */
  readonly identity: Uint8Array | undefined;
  readonly devices: readonly ContactDevice[];
}

/** What to do about contacts whose keys changed, or that nobody has verified. */
export interface ContactPolicy {
  readonly changedKeys: 'Warn' | 'Block';
  readonly unverified: 'Allow' | 'Block';
}

/** What became of a binding that was shown. */
export type Learned = 'known' | 'first-device' | 'device-added' | 'device-changed';

/** Why a contact may not be talked to. A closed list. */
export type TalkRefusal = 'not-accepted' | 'blocked' | 'key-changed' | 'not-verified';

type Mutable = { -readonly [Key in keyof Contact]: Contact[Key] };

/** The contacts, and the revocations of their devices, which are kept for ever. Pure: who owns it writes it to disk. */
export class ContactBook {
  readonly revocations = new RevocationSet();
  readonly #backend: CryptoBackend;
  readonly #own: Uint8Array;
  readonly #contacts = new Map<string, Mutable>();

  /** `own` is the 32-byte identity key of this account. */
  constructor(backend: CryptoBackend, own: Uint8Array) {
    this.#backend = backend;
    this.#own = own;
  }

  /** All contacts, in the order in which they came. */
  get all(): readonly Contact[] {
    return [...this.#contacts.values()].map((contact) => ({ ...contact }));
  }

  get(fingerprint: string): Contact | undefined {
    const contact = this.#contacts.get(fingerprint);
    return contact && { ...contact };
  }

  /** @throws ContactError ERR_CONTACT_UNKNOWN. */
  require(fingerprint: string): Contact {
    return { ...this.#require(fingerprint) };
  }

  /**
   * A new contact in `state`, or the one that is there with its state raised to it.
   * @throws ContactError ERR_CONTACT_FINGERPRINT, ERR_CONTACT_TOO_MANY (1,000).
   */
  add(fingerprint: string, state: ContactState): Contact {
    const known = this.#contacts.get(fingerprint);
    if (known !== undefined) {
      known.state = state;
      return { ...known };
    }
    if (typeof parseFingerprint(fingerprint) === 'string' || this.#isOwn(fingerprint))
      throw new ContactError('ERR_CONTACT_FINGERPRINT', 'This is no fingerprint of a contact.');
    if (this.#contacts.size >= MAX_CONTACTS)
      throw new ContactError('ERR_CONTACT_TOO_MANY', 'There are 1,000 contacts: remove one.');
    const contact: Mutable = {
      fingerprint,
      name: undefined,
      state,
      // An address is shown only where a person said so.
      pathPolicy: 'RelayOnly',
      verified: false,
      keyChanged: false,
      identity: undefined,
      devices: [],
    };
    this.#contacts.set(fingerprint, contact);
    return { ...contact };
  }

  /** Puts back a contact that was read from disk. Its bindings are judged again before each use. */
  restore(contact: Contact): void {
    this.#contacts.set(contact.fingerprint, { ...contact });
  }

  /**
   * Names a contact. If another account had the name, the person has a new key: the old contact loses the name, and the
   * new one is marked as changed until it is verified. @throws ContactError ERR_CONTACT_NAME, ERR_CONTACT_UNKNOWN.
   */
  rename(fingerprint: string, name: string, replaces: 'replaces' | 'new' = 'new'): void {
    const contact = this.#require(fingerprint);
    if (!NAME.test(name))
      throw new ContactError('ERR_CONTACT_NAME', 'A name is 1 to 64 printable characters.');
    const before = [...this.#contacts.values()].find(
      (other) => other.name === name && other !== contact,
    );
    if (before !== undefined) {
      if (replaces === 'new')
        throw new ContactError('ERR_CONTACT_NAME', 'Another contact has this name.');
      before.name = undefined;
      contact.keyChanged = true;
      contact.verified = false;
    }
    contact.name = name;
  }

  setPathPolicy(fingerprint: string, pathPolicy: PathPolicy): void {
    this.#require(fingerprint).pathPolicy = pathPolicy;
  }

  /** Forgets a contact; revocations of its devices stay. */
  remove(fingerprint: string): void {
    this.#contacts.delete(fingerprint);
  }

  /** The number that both people read to each other. @throws ContactError ERR_CONTACT_UNKNOWN while no key of it is known. */
  safetyNumber(fingerprint: string): string {
    const { identity } = this.#require(fingerprint);
    if (identity === undefined)
      throw new ContactError(
        'ERR_CONTACT_UNKNOWN',
        'No key of this contact is known yet: connect to it once.',
      );
    return safetyNumber(this.#backend, this.#own, identity);
  }

  /** The person has compared the safety number, and knows of every device that the contact has now. */
  mark(fingerprint: string): void {
    const contact = this.#require(fingerprint);
    if (contact.identity === undefined) this.safetyNumber(fingerprint);
    contact.verified = true;
    contact.keyChanged = false;
  }

  unmark(fingerprint: string): void {
    this.#require(fingerprint).verified = false;
  }

  /** Whether a session with it may be opened or taken; undefined if it may. */
  refusalOf(fingerprint: string, policy: ContactPolicy): TalkRefusal | undefined {
    const { state, keyChanged, verified } = this.#require(fingerprint);
    if (state === 'blocked') return 'blocked';
    if (state !== 'accepted') return 'not-accepted';
    if (keyChanged && policy.changedKeys === 'Block') return 'key-changed';
    return !verified && policy.unverified === 'Block' ? 'not-verified' : undefined;
  }

  /**
   * Takes a binding that was shown as the contact's, with revocations of its account: gives whether the device was known,
   * or the rule that it breaks; then nothing has changed but for genuine revocations.
   */
  learn(
    fingerprint: string,
    {
      binding,
      revocations,
    }: { readonly binding: Uint8Array; readonly revocations: readonly Uint8Array[] },
    nowMs: number,
  ): Learned | BindingRefusal {
    const contact = this.#require(fingerprint);
    const digest = parseFingerprint(fingerprint);
    if (typeof digest === 'string') return 'binding-other-identity';
    this.#takeRevocations(contact, revocations);
    const expected = { fingerprint: digest, nowMs, revocations: this.revocations };
    const keys = verifyBindingBeforeHandshake(this.#backend, binding, expected);
    return typeof keys === 'string' ? keys : this.#keep(contact, binding);
  }

  /** Whether this device of the contact was revoked. */
  isRevoked({ keys }: ContactDevice): boolean {
    return this.revocations.isRevoked(keys.identity, keys.deviceId);
  }

  #keep(contact: Mutable, binding: Uint8Array): Learned {
    const bytes = binding.slice();
    const keys = decodeDeviceBinding(bytes);
    if (typeof keys === 'string') throw new RangeError('the binding was verified before');
    const before = contact.devices.find((device) => isDevice(device, keys));
    if (before !== undefined && before.keys.serial > keys.serial) return 'known';
    const others = contact.devices.filter((device) => device !== before);
    contact.identity = keys.identity;
    contact.devices = [...others, { bytes, keys }].slice(-MAX_DEVICES);
    if (before !== undefined && hasSameKeys(before.keys, keys)) return 'known';
    const isFirst = before === undefined && others.length === 0;
    if (isFirst && !contact.verified) return 'first-device';
    contact.verified = false;
    contact.keyChanged = true;
    return before === undefined ? 'device-added' : 'device-changed';
  }

  #takeRevocations(contact: Mutable, revocations: readonly Uint8Array[]): void {
    for (const bytes of revocations) {
      const revocation = verifyRevocation(this.#backend, bytes);
      if (typeof revocation === 'string') continue;
      if (fingerprintOf(this.#backend, revocation.identity) !== contact.fingerprint) continue;
      this.revocations.add(revocation);
    }
    contact.devices = contact.devices.filter((device) => !this.isRevoked(device));
  }

  #require(fingerprint: string): Mutable {
    const contact = this.#contacts.get(fingerprint);
    if (contact === undefined)
      throw new ContactError('ERR_CONTACT_UNKNOWN', 'There is no such contact: add it first.');
    return contact;
  }

  #isOwn(fingerprint: string): boolean {
    return fingerprintOf(this.#backend, this.#own) === fingerprint;
  }
}

const isDevice = (device: ContactDevice, { deviceId }: DeviceBinding): boolean =>
  equalBytes(device.keys.deviceId, deviceId);

const hasSameKeys = (one: DeviceBinding, other: DeviceBinding): boolean =>
  equalBytes(one.ed25519, other.ed25519) && equalBytes(one.x25519, other.x25519);

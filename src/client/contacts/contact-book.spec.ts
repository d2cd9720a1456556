import { describe, expect, it } from '@jest/globals';
import { anAccount, bytesOf, keyPairOf, NOON_MS } from '../../../test/identities.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import { fingerprintOf } from '../../protocol/identity/account.js';
import { signDeviceBinding } from '../../protocol/identity/device-binding.js';
import { safetyNumber } from '../../protocol/identity/safety-number.js';
import { ContactBook } from './contact-book.js';

const own = anAccount(0x10);
const alice = anAccount(0x20);
const mallory = anAccount(0x40);
const nameOf = ({ identity }: { identity: Uint8Array }) => fingerprintOf(nodeBackend, identity);
const ALICE = nameOf(alice);
const WARN = { changedKeys: 'Warn', unverified: 'Allow' } as const;
const BLOCK = { changedKeys: 'Block', unverified: 'Allow' } as const;

/** A book that knows Alice's device. */
function aBook(): ContactBook {
  const book = new ContactBook(nodeBackend, own.identity);
  book.add(ALICE, 'accepted');
  expect(learn(book, alice.binding)).toBe('first-device');
  return book;
}
const learn = (book: ContactBook, binding: Uint8Array, revocations: readonly Uint8Array[] = []) =>
  book.learn(ALICE, { binding, revocations }, NOON_MS);

/** Another statement of Alice's identity key. */
const bindingOf = (changes: Partial<typeof alice.keys>) =>
  signDeviceBinding(nodeBackend, alice.identitySeed, { ...alice.keys, serial: 5n, ...changes });

describe('a contact that was verified', () => {
  const verified = () => {
    const book = aBook();
    book.mark(ALICE);
    return book;
  };

  it('S199: keeps its mark while its device shows the same keys', () => {
    const book = verified();
    expect(learn(book, alice.binding)).toBe('known');
    expect(learn(book, bindingOf({ notAfterMs: alice.keys.notAfterMs + 1 }))).toBe('known');
    expect(book.require(ALICE)).toMatchObject({ verified: true, keyChanged: false });
  });

  it('S199: loses its mark and warns when its device has other keys', () => {
    const book = verified();
    const changed = bindingOf({ x25519: keyPairOf(bytesOf(0x66)).publicKey });
    expect(learn(book, changed)).toBe('device-changed');
    expect(book.require(ALICE)).toMatchObject({ verified: false, keyChanged: true });
  });

  it('S199: loses its mark and warns when it has a device that was not there', () => {
    const book = verified();
    expect(learn(book, bindingOf({ deviceId: bytesOf(0x55, 16) }))).toBe('device-added');
    expect(book.require(ALICE)).toMatchObject({ verified: false, keyChanged: true });
  });

  it('S199: is blocked after a change where policy says so, until it is verified again', () => {
    const book = verified();
    learn(book, bindingOf({ deviceId: bytesOf(0x55, 16) }));
    expect(book.refusalOf(ALICE, WARN)).toBeUndefined();
    expect(book.refusalOf(ALICE, BLOCK)).toBe('key-changed');
    book.mark(ALICE);
    expect(book.refusalOf(ALICE, BLOCK)).toBeUndefined();
  });

  it('S199: gives its name to another account only on demand, and then that one is marked as changed', () => {
    const book = verified();
    book.rename(ALICE, 'Alice');
    book.add(nameOf(mallory), 'accepted');
    expect(() => {
      book.rename(nameOf(mallory), 'Alice');
    }).toThrow(expect.objectContaining({ code: 'ERR_CONTACT_NAME' }));
    book.rename(nameOf(mallory), 'Alice', 'replaces');
    expect(book.require(nameOf(mallory))).toMatchObject({ keyChanged: true, verified: false });
    expect(book.refusalOf(nameOf(mallory), BLOCK)).toBe('key-changed');
    expect(book.require(ALICE).name).toBeUndefined();
  });
});

describe('a contact', () => {
  it('is not talked to before it was accepted, when it is blocked, or not verified where policy asks for it', () => {
    const book = aBook();
    expect(book.refusalOf(ALICE, { ...WARN, unverified: 'Block' })).toBe('not-verified');
    book.add(ALICE, 'asked');
    expect(book.refusalOf(ALICE, WARN)).toBe('not-accepted');
    book.add(ALICE, 'blocked');
    expect(book.refusalOf(ALICE, WARN)).toBe('blocked');
  });

  it('S57: has the safety number of both accounts, and none before a key of it is known', () => {
    const book = aBook();
    expect(book.safetyNumber(ALICE)).toBe(safetyNumber(nodeBackend, alice.identity, own.identity));
    book.add(nameOf(mallory), 'accepted');
    expect(() => book.safetyNumber(nameOf(mallory))).toThrow(
      expect.objectContaining({ code: 'ERR_CONTACT_UNKNOWN' }),
    );
    expect(() => {
      book.mark(nameOf(mallory));
    }).toThrow(expect.objectContaining({ code: 'ERR_CONTACT_UNKNOWN' }));
  });

  it('keeps what it has when something else is shown as its device', () => {
    const book = aBook();
    const before = book.require(ALICE);
    expect(learn(book, mallory.binding)).toBe('binding-other-identity');
    expect(learn(book, alice.binding.slice(1))).toBe('binding-length');
    expect(learn(book, bindingOf({ notAfterMs: NOON_MS - 1, notBeforeMs: 1 }))).toBe(
      'binding-expired',
    );
    expect(book.require(ALICE)).toEqual(before);
  });

  it('does not fall back to an older statement about a device', () => {
    const book = aBook();
    const later = bindingOf({ notAfterMs: alice.keys.notAfterMs + 1 });
    learn(book, later);
    expect(learn(book, alice.binding)).toBe('known');
    expect(book.require(ALICE).devices[0]?.bytes).toEqual(later);
  });

  it('loses a device for ever when its account revokes it, and by nobody else', () => {
    const book = aBook();
    learn(book, alice.binding, [mallory.revocation(alice.deviceId)]);
    expect(book.require(ALICE).devices).toHaveLength(1);
    expect(learn(book, alice.binding, [alice.revocation()])).toBe('binding-revoked');
    expect(book.require(ALICE).devices).toEqual([]);
    expect(learn(book, bindingOf({ serial: 99n }))).toBe('binding-revoked');
  });

  it('has eight devices at most; a ninth takes the place of the oldest', () => {
    const book = aBook();
    for (let i = 1; i <= 8; i++) learn(book, bindingOf({ deviceId: bytesOf(i, 16) }));
    const ids = book.require(ALICE).devices.map(({ keys }) => keys.deviceId[0]);
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('is no text that is no fingerprint, and not the own account', () => {
    const book = aBook();
    for (const text of ['', 'sp1', ALICE.toUpperCase(), `${ALICE}a`, nameOf(own), '__proto__'])
      expect(() => book.add(text, 'asked')).toThrow(
        expect.objectContaining({ code: 'ERR_CONTACT_FINGERPRINT' }),
      );
  });
});

import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import {
  anAccount,
  bytesOf,
  expecting,
  hex,
  patched,
  withBitTurned,
} from '../../../test/identities.js';
import { concat, labelled, toHex, u64 } from '../bytes.js';
import type { BindingExpectation } from './device-binding.js';
import {
  decodeDeviceBinding,
  signDeviceBinding,
  verifyBindingBeforeHandshake,
  verifyDeviceBinding,
} from './device-binding.js';
import { RevocationSet } from './revocation-set.js';
import { verifyRevocation } from './revocation.js';

const alice = anAccount(0x10);
const mallory = anAccount(0x40);
const verify = (
  bytes: Uint8Array,
  changes: Partial<BindingExpectation & { staticKey: Uint8Array }> = {},
) => verifyDeviceBinding(nodeBackend, bytes, { ...expecting(alice), ...changes });

/** A point of each small order (RFC 8032 curve) and encodings with y at or above p; every one with both signs. */
const WEAK_KEYS = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].flatMap((y) => [hex(y), patched(hex(y), 31, Uint8Array.of(hex(y)[31]! | 0x80))]);

/** Signs fields that signDeviceBinding would not. */
const signedAnyway = (fields: Uint8Array) =>
  concat([
    fields,
    nodeBackend.ed25519Sign(alice.identitySeed, labelled('sallyport device binding v1', [fields])),
  ]);

describe('a device binding', () => {
  it('is written byte by byte as the table says', () => {
    expect(toHex(alice.binding.subarray(0, 137))).toBe(
      [
        '01',
        toHex(alice.identity),
        '13131313131313131313131313131313',
        toHex(alice.keys.ed25519),
        toHex(alice.s.publicKey),
        '000001a057b0ce00',
        '000001a7b4885600',
        '0000000000000001',
      ].join(''),
    );
    expect(alice.binding).toHaveLength(201);
  });

  it('is signed over its label, a zero byte and its fields', () => {
    const message = concat([
      Buffer.from('sallyport device binding v1\0', 'latin1'),
      alice.binding.subarray(0, 137),
    ]);
    expect(nodeBackend.ed25519Verify(alice.identity, message, alice.binding.subarray(137))).toBe(
      true,
    );
  });

  it('is read as it was written, as views of the bytes given', () => {
    const read = decodeDeviceBinding(alice.binding);
    expect(read).toMatchObject({ ...alice.keys, signature: alice.binding.subarray(137) });
    expect(read).toHaveProperty('x25519.buffer', alice.binding.buffer);
  });

  it('is accepted from the expected account for the static key of this handshake', () => {
    expect(verify(alice.binding)).toMatchObject(alice.keys);
  });

  it('is not written with weak keys, wrong lengths, dates out of order or the seed of another identity', () => {
    const sign =
      (changes: object, seed = alice.identitySeed) =>
      () =>
        signDeviceBinding(nodeBackend, seed, { ...alice.keys, ...changes });
    expect(sign({ ed25519: WEAK_KEYS[0] })).toThrow(RangeError);
    expect(sign({ deviceId: bytesOf(1, 15) })).toThrow(RangeError);
    expect(sign({ x25519: bytesOf(1, 33) })).toThrow(RangeError);
    expect(sign({ notAfterMs: alice.keys.notBeforeMs })).toThrow(RangeError);
    expect(sign({ notBeforeMs: -1 })).toThrow(RangeError);
    expect(sign({}, mallory.identitySeed)).toThrow(RangeError);
  });
});

describe('a device binding that a stranger shows', () => {
  it.each([0, 1, 136, 137, 200, 202])('is refused when it has %i bytes', (length) => {
    const bytes = concat([alice.binding, bytesOf(0)]).subarray(0, length);
    expect(verify(bytes)).toBe('binding-length');
  });

  it.each([0, 2, 255])('is refused when its version is %i', (version) => {
    expect(verify(patched(alice.binding, 0, Uint8Array.of(version)))).toBe('binding-version');
  });

  it.each([
    ['are in the wrong order', u64(2n), u64(1n)],
    ['are equal', u64(2n), u64(2n)],
    ['begin beyond 2^53 - 1', u64(2n ** 53n), u64(2n ** 53n + 1n)],
    ['end beyond 2^53 - 1', u64(1n), u64(2n ** 64n - 1n)],
  ])('is refused when its dates %s', (_, notBefore, notAfter) => {
    const bytes = patched(patched(alice.binding, 113, notBefore), 121, notAfter);
    expect(verify(bytes)).toBe('binding-dates');
  });

  it('is refused when it is of another account', () => {
    expect(verify(mallory.binding)).toBe('binding-other-identity');
  });

  it('is refused when any byte of it was changed', () => {
    for (let offset = 0; offset < alice.binding.length; offset++)
      expect(typeof verify(withBitTurned(alice.binding, offset))).toBe('string');
    for (const offset of [33, 49, 81, 129, 137, 169])
      expect(verify(withBitTurned(alice.binding, offset))).toBe('binding-signature');
  });

  it('is refused before its dates less 30 s of clock skew, and exactly from its end on', () => {
    const { notBeforeMs, notAfterMs } = alice.keys;
    expect(verify(alice.binding, { nowMs: notBeforeMs - 30_001 })).toBe('binding-not-yet-valid');
    expect(verify(alice.binding, { nowMs: notBeforeMs - 30_000 })).toMatchObject(alice.keys);
    expect(verify(alice.binding, { nowMs: notAfterMs - 1 })).toMatchObject(alice.keys);
    expect(verify(alice.binding, { nowMs: notAfterMs })).toBe('binding-expired');
  });

  it('is refused once its device was revoked', () => {
    const revocations = new RevocationSet();
    const revocation = verifyRevocation(nodeBackend, alice.revocation());
    if (typeof revocation === 'string') throw new Error(revocation);
    revocations.add(revocation);
    expect(verify(alice.binding, { revocations })).toBe('binding-revoked');
  });

  it("T2: is refused when it is the victim's own, shown by another static key", () => {
    expect(verify(alice.binding, { staticKey: mallory.s.publicKey })).toBe(
      'binding-other-static-key',
    );
  });

  it('T2: is refused when the static key was swapped in it and it was signed by another identity', () => {
    const forged = patched(alice.binding, 81, mallory.s.publicKey);
    const message = labelled('sallyport device binding v1', [forged.subarray(0, 137)]);
    const resigned = patched(forged, 137, nodeBackend.ed25519Sign(mallory.identitySeed, message));
    expect(verify(resigned, { staticKey: mallory.s.publicKey })).toBe('binding-signature');
  });

  it('is judged without a handshake only where the name of the function says so', () => {
    const expected = expecting(alice);
    expect(verifyBindingBeforeHandshake(nodeBackend, alice.binding, expected)).toMatchObject(
      alice.keys,
    );
    expect(verifyBindingBeforeHandshake(nodeBackend, mallory.binding, expected)).toBe(
      'binding-other-identity',
    );
  });
});

describe('a weak Ed25519 key', () => {
  it.each(WEAK_KEYS.map((key) => [toHex(key), key] as const))(
    'T45: %s is refused as a device key that the identity signed',
    (_, key) => {
      const fields = patched(alice.binding.subarray(0, 137), 49, key);
      expect(verify(signedAnyway(fields))).toBe('binding-weak-device-key');
    },
  );

  it.each(WEAK_KEYS.map((key) => [toHex(key), key] as const))(
    'S54, T45: %s is refused as an identity key, whose signature of zeros some verifiers take',
    (_, key) => {
      const bytes = patched(patched(alice.binding, 1, key), 137, new Uint8Array(64));
      const fingerprint = expecting({ ...alice, identity: key }).fingerprint;
      expect(verify(bytes, { fingerprint })).toBe('binding-weak-identity-key');
    },
  );

  it('is none that an honest device has', () => {
    for (let seed = 1; seed < 100; seed++)
      expect(
        verify(anAccount(0x10, { ed25519: nodeBackend.ed25519PublicKey(bytesOf(seed)) }).binding),
      ).toMatchObject({ serial: 1n });
  });
});

import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import { anAccount, bytesOf, NOON_MS, patched, withBitTurned } from '../../../test/identities.js';
import { concat, toHex, u64 } from '../bytes.js';
import { MAX_REVOCATIONS_PER_ACCOUNT, RevocationSet } from './revocation-set.js';
import { signRevocation, verifyRevocation, type SignedRevocation } from './revocation.js';

const alice = anAccount(0x10);
const mallory = anAccount(0x40);

function verified(bytes: Uint8Array): SignedRevocation {
  const revocation = verifyRevocation(nodeBackend, bytes);
  if (typeof revocation === 'string') throw new Error(revocation);
  return revocation;
}

describe('a revocation', () => {
  it('is written byte by byte as the table says', () => {
    const bytes = alice.revocation();
    expect(toHex(bytes.subarray(0, 64))).toBe(
      `${toHex(alice.identity)}131313131313131313131313131313130000000000000002000001a05cd72a00`,
    );
    expect(bytes).toHaveLength(128);
  });

  it('is signed over its label, a zero byte and its fields', () => {
    const bytes = alice.revocation();
    const label = Buffer.from('sallyport device revocation v1\0', 'latin1');
    const message = concat([label, bytes.subarray(0, 64)]);
    expect(nodeBackend.ed25519Verify(alice.identity, message, bytes.subarray(64))).toBe(true);
  });

  it('is believed when its identity signed it, whatever its time', () => {
    const fields = { identity: alice.identity, deviceId: alice.deviceId, serial: 2n ** 64n - 1n };
    for (const timeMs of [0, NOON_MS, Number.MAX_SAFE_INTEGER]) {
      const bytes = signRevocation(nodeBackend, alice.identitySeed, { ...fields, timeMs });
      expect(verifyRevocation(nodeBackend, bytes)).toMatchObject({ ...fields, timeMs, bytes });
    }
  });

  it('is refused when it is too short, too long, out of range, changed, or of a weak key', () => {
    const bytes = alice.revocation();
    const verify = (given: Uint8Array) => verifyRevocation(nodeBackend, given);
    expect(verify(bytes.subarray(1))).toBe('revocation-length');
    expect(verify(concat([bytes, bytesOf(0, 1)]))).toBe('revocation-length');
    expect(verify(patched(bytes, 56, u64(2n ** 53n)))).toBe('revocation-time');
    expect(verify(withBitTurned(bytes, 32))).toBe('revocation-signature');
    expect(verify(withBitTurned(bytes, 100))).toBe('revocation-signature');
    expect(verify(patched(bytes, 0, mallory.identity))).toBe('revocation-signature');
    expect(verify(patched(bytes, 0, new Uint8Array(32)))).toBe('revocation-weak-identity-key');
  });

  it('is not a binding, nor a binding it: the labels differ', () => {
    const message = concat([
      Buffer.from('sallyport device binding v1\0', 'latin1'),
      alice.revocation().subarray(0, 64),
    ]);
    const signature = nodeBackend.ed25519Sign(alice.identitySeed, message);
    expect(verifyRevocation(nodeBackend, patched(alice.revocation(), 64, signature))).toBe(
      'revocation-signature',
    );
  });

  it('is not written with the seed of another identity', () => {
    const fields = { identity: alice.identity, deviceId: alice.deviceId, serial: 1n, timeMs: 0 };
    expect(() => signRevocation(nodeBackend, mallory.identitySeed, fields)).toThrow(RangeError);
  });
});

describe('a set of revocations', () => {
  it('knows a revoked device for ever, and no other', () => {
    const set = new RevocationSet();
    expect(set.isRevoked(alice.identity, alice.deviceId)).toBe(false);
    expect(set.add(verified(alice.revocation()))).toBe('added');
    expect(set.add(verified(alice.revocation()))).toBe('known');
    expect(set.isRevoked(alice.identity, alice.deviceId)).toBe(true);
    expect(set.isRevoked(alice.identity, mallory.deviceId)).toBe(false);
  });

  it("does not take one account's word about another's device", () => {
    const set = new RevocationSet();
    set.add(verified(mallory.revocation(alice.deviceId)));
    expect(set.isRevoked(alice.identity, alice.deviceId)).toBe(false);
    expect(set.isRevoked(mallory.identity, alice.deviceId)).toBe(true);
  });

  it('gives the signed bytes back, in copies of its own', () => {
    const set = new RevocationSet();
    const bytes = alice.revocation();
    set.add(verified(bytes));
    bytes.fill(0);
    expect(set.of(alice.identity)).toEqual([alice.revocation()]);
    expect(set.of(mallory.identity)).toEqual([]);
  });

  it('closes an account that revokes more than 1,024 devices, forgets none, and grows no more', () => {
    const set = new RevocationSet();
    const revoke = (device: number) =>
      set.add({
        ...verified(alice.revocation()),
        deviceId: concat([u64(0n), u64(BigInt(device))]),
      });
    for (let i = 0; i < MAX_REVOCATIONS_PER_ACCOUNT; i++) expect(revoke(i)).toBe('added');
    expect(set.isRevoked(alice.identity, alice.deviceId)).toBe(false);
    expect(revoke(5_000)).toBe('account-closed');
    expect(revoke(5_001)).toBe('account-closed');
    expect(set.isRevoked(alice.identity, alice.deviceId)).toBe(true);
    expect(set.of(alice.identity)).toHaveLength(MAX_REVOCATIONS_PER_ACCOUNT + 1);
    expect(set.isRevoked(mallory.identity, mallory.deviceId)).toBe(false);
  });
});

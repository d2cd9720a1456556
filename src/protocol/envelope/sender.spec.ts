import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import { aContext, anAccount, aPrekey, bytesOf, NOON_MS } from '../../../test/identities.js';
import { equalBytes } from '../bytes.js';
import type { CryptoBackend } from '../crypto-backend.js';
import { RevocationSet } from '../identity/revocation-set.js';
import { HandshakeState } from '../noise/handshake-state.js';
import { openEnvelope } from './open-envelope.js';
import { envelopePrologue, type DeviceName } from './prologue.js';
import { NOISE_X_BYTES, sealEnvelope } from './seal-envelope.js';
import { encodeSealedMessage, type SealedMessage } from './sealed-message.js';
import { SeenIds } from './seen-ids.js';

const PROFILE = 'Standard';
const alice = anAccount(0x10);
const bob = anAccount(0x20);
const mallory = anAccount(0x40);
const { prekey, keyPair } = aPrekey(bob);

const random = (out: Uint8Array) => out.fill(9);

const aMessage = (body: string): SealedMessage => ({
  kind: 'offer',
  id: bytesOf(0x1d, 16),
  timeMs: NOON_MS,
  binding: alice.binding,
  revocations: [],
  body: Buffer.from(body),
});

/** As bob opens what came to the token of alice. */
const open = (bytes: Uint8Array, from: DeviceName = alice) =>
  openEnvelope(
    aContext(),
    bytes,
    {
      profile: PROFILE,
      recipient: bob,
      prekeys: [{ prekeyId: 7, keyPair, seen: new SeenIds() }],
      from,
    },
    { nowMs: NOON_MS, revocations: new RevocationSet() },
  );

/** In the place of a private key that the recipient does not have. */
const NOT_HIS = bytesOf(0xf0);

/** As sealEnvelope does it, but with any static key beside the binding of alice. */
function sealedAnyway(s: typeof alice.s, sender: DeviceName = alice): Uint8Array {
  const parties = { profile: PROFILE, sender, recipient: bob, prekeyId: prekey.prekeyId };
  const handshake = new HandshakeState({
    ...aContext(),
    ...{ pattern: 'X', suite: 'ChaChaPoly_BLAKE2s', initiator: true, s, rs: prekey.x25519, random },
    prologue: envelopePrologue(parties),
  });
  const envelope = new Uint8Array(512);
  handshake.writeMessage(
    encodeSealedMessage(aMessage('what is offered'), 512 - NOISE_X_BYTES),
    envelope,
  );
  return envelope;
}

describe('somebody else than the sender', () => {
  /** As sealEnvelope, with a static key that the binding inside does not name. */
  const sealedBy = (s: typeof alice.s) => {
    const lying: CryptoBackend = Object.assign(Object.create(nodeBackend) as CryptoBackend, {
      x25519: (privateKey: Uint8Array, publicKey: Uint8Array, out: Uint8Array) =>
        nodeBackend.x25519(
          equalBytes(privateKey, alice.s.privateKey) ? s.privateKey : privateKey,
          publicKey,
          out,
        ),
    });
    const address = { profile: PROFILE, s: alice.s, prekey, firstContact: false };
    return sealEnvelope(
      { ...aContext(), backend: lying, random },
      address,
      aMessage('what is offered'),
    );
  };

  it('cannot seal in the name of a device without its static key', () => {
    expect(open(sealedBy(mallory.s) as Uint8Array)).toBe('envelope-unopenable');
    expect(open(sealedBy(alice.s) as Uint8Array)).toMatchObject({ sender: alice.keys });
  });

  it("cannot use its own static key with a victim's binding inside", () => {
    expect(open(sealedAnyway(mallory.s))).toBe('binding-other-static-key');
    expect(open(sealedAnyway(alice.s))).toMatchObject({ sender: alice.keys });
  });

  it('cannot use its genuine binding under the name of another device of its account', () => {
    const otherDevice = { identity: alice.identity, deviceId: mallory.deviceId };
    expect(open(sealedAnyway(alice.s, otherDevice), otherDevice)).toBe('envelope-other-sender');
  });

  it('can show that anyone who holds the prekey wrote it: the recipient forges one of any content, byte for byte', () => {
    const forging: CryptoBackend = Object.assign(Object.create(nodeBackend) as CryptoBackend, {
      x25519: (privateKey: Uint8Array, publicKey: Uint8Array, out: Uint8Array) =>
        equalBytes(privateKey, NOT_HIS) // ss, from the other side: the prekey's private half and the sender's public key.
          ? nodeBackend.x25519(keyPair.privateKey, alice.s.publicKey, out)
          : nodeBackend.x25519(privateKey, publicKey, out),
    });
    const s = { privateKey: NOT_HIS, publicKey: alice.s.publicKey };
    const forge = (body: string) =>
      sealEnvelope(
        { ...aContext(), backend: forging, random },
        { profile: PROFILE, s, prekey, firstContact: false },
        aMessage(body),
      ) as Uint8Array;
    expect(open(forge('what she never said'))).toMatchObject({
      sender: alice.keys,
      body: Buffer.from('what she never said'),
    });
    expect(forge('what is offered')).toEqual(sealedBy(alice.s));
  });
});

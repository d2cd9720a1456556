import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import {
  aContext,
  anAccount,
  aPrekey,
  bytesOf,
  hex,
  NOON_MS,
  patched,
  withBitTurned,
  type Account,
} from '../../../test/identities.js';
import { RevocationSet } from '../identity/revocation-set.js';
import { verifyRevocation } from '../identity/revocation.js';
import { concat } from '../bytes.js';
import type { EnvelopeArrival } from './open-envelope.js';
import { openEnvelope } from './open-envelope.js';
import type { EnvelopeAddress } from './seal-envelope.js';
import { sealEnvelope } from './seal-envelope.js';
import type { SealedMessage } from './sealed-message.js';
import { SeenIds } from './seen-ids.js';

const PROFILE = 'Standard';
const alice = anAccount(0x10);
const bob = anAccount(0x20);
const mallory = anAccount(0x40);
const { prekey, keyPair } = aPrekey(bob);

/** Ephemeral keys that differ from call to call and are the same in every run. */
let ephemeral = 0;
const random = (out: Uint8Array) => out.fill(1 + (ephemeral++ % 250));

const aMessage = (from: Account, changes: Partial<SealedMessage> = {}): SealedMessage => ({
  kind: 'offer',
  id: bytesOf(0x1d, 16),
  timeMs: NOON_MS,
  binding: from.binding,
  revocations: [],
  body: Buffer.from('what is offered'),
  ...changes,
});

function sealed(
  message: Partial<SealedMessage> = {},
  address: Partial<EnvelopeAddress> = {},
): Uint8Array {
  const bytes = sealEnvelope(
    { ...aContext(), random },
    { profile: PROFILE, s: alice.s, prekey, firstContact: false, ...address },
    aMessage(alice, message),
  );
  if (typeof bytes === 'string') throw new Error(bytes);
  return bytes;
}

const anArrival = (changes: Partial<EnvelopeArrival> = {}): EnvelopeArrival => ({
  profile: PROFILE,
  recipient: bob,
  prekeys: [{ prekeyId: 7, keyPair, seen: new SeenIds() }],
  from: alice,
  ...changes,
});

const open = (
  bytes: Uint8Array,
  arrival: Partial<EnvelopeArrival> = {},
  now: { nowMs?: number; revocations?: RevocationSet } = {},
) =>
  openEnvelope(aContext(), bytes, anArrival(arrival), {
    nowMs: NOON_MS,
    revocations: new RevocationSet(),
    ...now,
  });

describe('an envelope', () => {
  it.each(['offer', 'candidates', 'chat-invitation'] as const)(
    'brings a known sender and the %s that was sealed',
    (kind) => {
      expect(open(sealed({ kind }))).toMatchObject({
        ...{ kind, id: bytesOf(0x1d, 16), timeMs: NOON_MS, sender: alice.keys, revocations: [] },
        body: Buffer.from('what is offered'),
      });
    },
  );

  it('names its sender before the ciphertext in a first contact, and only then', () => {
    const first = sealed({}, { firstContact: true });
    expect(first.subarray(0, 48)).toEqual(concat([alice.identity, alice.deviceId]));
    expect(open(first, { from: 'first-contact' })).toMatchObject({ sender: alice.keys });
    const known = Buffer.from(sealed());
    for (const name of [
      alice.identity,
      alice.deviceId,
      bob.identity,
      bob.deviceId,
      alice.s.publicKey,
    ])
      expect(known.includes(Buffer.from(name))).toBe(false);
  });

  it.each([
    [0, false, 512],
    [187, false, 512],
    [188, false, 2_048],
    [1_723, false, 2_048],
    [1_724, false, 8_192],
    [7_867, false, 8_192],
    [139, true, 512],
    [140, true, 2_048],
    [7_819, true, 8_192],
  ])(
    'with %i bytes of body, first contact %s, has %i bytes in all',
    (body, firstContact, length) => {
      const bytes = sealed({ body: bytesOf(3, body) }, { firstContact });
      expect(bytes).toHaveLength(length);
      const from = firstContact ? 'first-contact' : alice;
      expect(open(bytes, { from })).toMatchObject({ body: bytesOf(3, body) });
    },
  );

  it('is not made for a body that fits no length, or with a binding of another key', () => {
    expect(() => sealed({ body: bytesOf(3, 7_868) })).toThrow(RangeError);
    expect(() => sealed({ binding: mallory.binding })).toThrow(RangeError);
    expect(() => sealed({ id: bytesOf(1, 15) })).toThrow(RangeError);
    const revocation = alice.revocation();
    expect(() => sealed({ revocations: Array<Uint8Array>(17).fill(revocation) })).toThrow(
      RangeError,
    );
  });

  it('T45: is not sealed to a prekey of low order', () => {
    const lowOrder = { ...prekey, x25519: hex('01' + '00'.repeat(31)) };
    const context = { ...aContext(), random };
    const address = { profile: PROFILE, s: alice.s, prekey: lowOrder, firstContact: false };
    expect(sealEnvelope(context, address, aMessage(alice))).toBe('zero-shared-secret');
  });

  it('opens with whichever of three prekeys it was sealed to', () => {
    const others = [8, 9].map((prekeyId) => ({
      prekeyId,
      keyPair: aPrekey(mallory).keyPair,
      seen: new SeenIds(),
    }));
    const prekeys = [...others, ...anArrival().prekeys];
    expect(open(sealed(), { prekeys })).toMatchObject({ sender: alice.keys });
    expect(prekeys.map(({ seen }) => seen.size)).toEqual([0, 0, 1]);
    expect(() => open(sealed(), { prekeys: [...prekeys, ...others] })).toThrow(RangeError);
  });

  it('leaves no secret in the key store and nothing inside after it was erased', () => {
    const context = aContext();
    const opened = openEnvelope(context, sealed(), anArrival(), {
      nowMs: NOON_MS,
      revocations: new RevocationSet(),
    });
    if (typeof opened === 'string') throw new Error(opened);
    expect(context.keys.liveSlices).toBe(0);
    opened.erase();
    expect(opened.body.every((byte) => byte === 0)).toBe(true);
    expect(opened.sender.x25519.every((byte) => byte === 0)).toBe(true);
  });
});

describe('an envelope that is refused', () => {
  it.each([0, 511, 513, 2_047, 8_193])('has %i bytes', (length) => {
    const bytes = concat([sealed({ body: bytesOf(1, 7_000) }), bytesOf(1)]).subarray(0, length);
    expect(open(bytes)).toBe('envelope-length');
  });

  it('was changed in any byte', () => {
    const bytes = sealed();
    for (let offset = 0; offset < bytes.length; offset++)
      expect(open(withBitTurned(bytes, offset))).toBe('envelope-unopenable');
  });

  it('is of another profile, recipient, device, prekey or sender', () => {
    const unopenable = [
      { profile: 'Other' },
      { recipient: { ...bob, identity: mallory.identity } },
      { recipient: { ...bob, deviceId: mallory.deviceId } },
      { prekeys: [{ prekeyId: 8, keyPair, seen: new SeenIds() }] },
      { prekeys: [{ prekeyId: 7, keyPair: mallory.s, seen: new SeenIds() }] },
      { prekeys: [] },
      { from: mallory },
      { from: { ...alice, deviceId: mallory.deviceId } },
      { from: 'first-contact' as const },
    ];
    for (const arrival of unopenable) expect(open(sealed(), arrival)).toBe('envelope-unopenable');
  });

  it('is a first contact under another name', () => {
    const bytes = sealed({}, { firstContact: true });
    const renamed = patched(bytes, 0, mallory.identity);
    expect(open(renamed, { from: 'first-contact' })).toBe('envelope-unopenable');
  });

  it('came before', () => {
    const arrival = anArrival();
    expect(open(sealed(), arrival)).toMatchObject({ kind: 'offer' });
    expect(open(sealed(), arrival)).toBe('message-repeated');
    expect(open(sealed({ id: bytesOf(0x1e, 16) }), arrival)).toMatchObject({ kind: 'offer' });
  });

  it.each([-300_001, 300_001])('has a time that is %i ms off', (offMs) => {
    expect(open(sealed({ timeMs: NOON_MS + offMs }))).toBe('message-time');
  });

  it('is remembered only if it was taken, so that a refused one uses up no place', () => {
    const arrival = anArrival();
    const revocations = new RevocationSet();
    const revocation = verifyRevocation(nodeBackend, alice.revocation());
    if (typeof revocation === 'string') throw new Error(revocation);
    revocations.add(revocation);
    expect(open(sealed(), arrival, { revocations })).toBe('binding-revoked');
    expect(arrival.prekeys[0]!.seen.size).toBe(0);
  });

  it('is of a device whose binding expired', () => {
    const old = anAccount(0x10, { notAfterMs: NOON_MS - 60_000 });
    expect(open(sealed({ binding: old.binding }))).toBe('binding-expired');
  });

  it('carries a revocation of its own device, of another account, or one that is not signed', () => {
    const carrying = (...revocations: Uint8Array[]) => open(sealed({ revocations }));
    expect(carrying(alice.revocation())).toBe('binding-revoked');
    expect(carrying(mallory.revocation())).toBe('revocation-other-identity');
    expect(carrying(withBitTurned(alice.revocation(), 40))).toBe('revocation-signature');
  });
});

describe('an envelope with revocations of other devices of its sender', () => {
  it('brings them verified, to be kept', () => {
    const revocation = alice.revocation(bytesOf(0x99, 16));
    const opened = open(sealed({ revocations: [revocation] }));
    if (typeof opened === 'string') throw new Error(opened);
    expect(opened.revocations).toMatchObject([{ deviceId: bytesOf(0x99, 16), bytes: revocation }]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { fuzzDecoder } from '../../../test/fuzz/fuzz.js';
import {
  aContext,
  anAccount,
  aPrekey,
  bytesOf,
  expecting,
  NOON_MS,
  withBitTurned,
} from '../../../test/identities.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import { parseFingerprint, fingerprintOf } from '../identity/account.js';
import { decodeDeviceBinding, verifyDeviceBinding } from '../identity/device-binding.js';
import { readPhrase, phraseOf } from '../identity/phrase.js';
import { decodePrekey, verifyPrekey } from '../identity/prekey.js';
import { RevocationSet } from '../identity/revocation-set.js';
import { decodeRevocation, verifyRevocation } from '../identity/revocation.js';
import { openEnvelope } from './open-envelope.js';
import { sealEnvelope } from './seal-envelope.js';
import { decodeSealedMessage, encodeSealedMessage } from './sealed-message.js';
import { SeenIds } from './seen-ids.js';

const alice = anAccount(0x10);
const bob = anAccount(0x20);
const bobsPrekey = aPrekey(bob);
const message = {
  kind: 'offer',
  id: bytesOf(0x1d, 16),
  timeMs: NOON_MS,
  binding: alice.binding,
  revocations: [alice.revocation(bytesOf(1, 16))],
  body: bytesOf(0xb0, 5),
} as const;

const BINDING_LAYOUT = ['binding-length', 'binding-version', 'binding-dates'];
const BINDING = [
  ...BINDING_LAYOUT,
  ...['binding-other-identity', 'binding-weak-identity-key', 'binding-weak-device-key'],
  ...['binding-signature', 'binding-not-yet-valid', 'binding-expired', 'binding-revoked'],
  'binding-other-static-key',
];
const REVOCATION_LAYOUT = ['revocation-length', 'revocation-time'];
const REVOCATION = [...REVOCATION_LAYOUT, 'revocation-weak-identity-key', 'revocation-signature'];
const PREKEY_LAYOUT = ['prekey-length', 'prekey-dates'];
const MESSAGE = ['message-length', 'message-kind', 'message-time', 'message-padding'];

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** Name, decoder, closed list, corpus, inputs; with the twentieth of fast-check they are above 20,000. */
const TARGETS = [
  ['decodeDeviceBinding', decodeDeviceBinding, BINDING_LAYOUT, [alice.binding, bob.binding], 3_000],
  ['decodeRevocation', decodeRevocation, REVOCATION_LAYOUT, [alice.revocation()], 3_000],
  ['decodePrekey', decodePrekey, PREKEY_LAYOUT, [bobsPrekey.bytes], 3_000],
  [
    'decodeSealedMessage',
    decodeSealedMessage,
    MESSAGE,
    [encodeSealedMessage(message, 416), encodeSealedMessage(message, 1_952)],
    4_000,
  ],
  [
    'parseFingerprint',
    (bytes: Uint8Array) => parseFingerprint(text(bytes)),
    ['fingerprint-length', 'fingerprint-prefix', 'fingerprint-alphabet'],
    [Buffer.from(fingerprintOf(nodeBackend, alice.identity))],
    3_000,
  ],
  [
    'readPhrase',
    (bytes: Uint8Array) => readPhrase(text(bytes)),
    ['phrase-too-long', 'phrase-word-count', 'phrase-unknown-word', 'phrase-checksum'],
    [Buffer.from(phraseOf(bytesOf(7, 16))), Buffer.from('zoo '.repeat(12))],
    2_000,
  ],
  [
    'verifyDeviceBinding',
    (bytes: Uint8Array) => verifyDeviceBinding(nodeBackend, bytes, expecting(alice)),
    BINDING,
    [alice.binding, bob.binding],
    1_000,
  ],
  [
    'verifyRevocation',
    (bytes: Uint8Array) => verifyRevocation(nodeBackend, bytes),
    REVOCATION,
    [alice.revocation()],
    500,
  ],
  [
    'verifyPrekey',
    (bytes: Uint8Array) => verifyPrekey(nodeBackend, bytes, bob.keys, NOON_MS),
    [
      ...PREKEY_LAYOUT,
      ...['prekey-lifetime', 'prekey-other-identity', 'prekey-other-device', 'prekey-signature'],
      ...['prekey-not-yet-valid', 'prekey-expired'],
    ],
    [bobsPrekey.bytes],
    500,
  ],
] as const;

describe('bytes from strangers', () => {
  it.each(TARGETS)('never make %s throw or give what is not in its list', (...target) => {
    const [, decode, refusals, corpus, runs] = target;
    // A decoder that took none of a quarter of good inputs would be a broken test, not a strict decoder.
    const { accepted, refused } = fuzzDecoder({ decode, refusals, corpus, runs, seed: 4_711 });
    expect(accepted).toBeGreaterThan(0);
    expect(refused.size).toBeGreaterThan(1);
  });

  it('never make openEnvelope throw, leave a key behind, or be remembered', () => {
    const sealed = sealEnvelope(
      { ...aContext(), random: (out) => out.fill(9) },
      { profile: 'Standard', s: alice.s, prekey: bobsPrekey.prekey, firstContact: true },
      message,
    ) as Uint8Array;
    const seen = new SeenIds();
    const context = aContext();
    const arrival = {
      profile: 'Standard',
      recipient: bob,
      prekeys: [{ prekeyId: 7, keyPair: bobsPrekey.keyPair, seen }],
      from: 'first-contact',
    } as const;
    const now = { nowMs: NOON_MS, revocations: new RevocationSet() };
    const { accepted } = fuzzDecoder({
      decode: (bytes) => openEnvelope(context, bytes, arrival, now),
      refusals: ['envelope-length', 'envelope-unopenable', 'message-repeated'],
      corpus: [sealed, ...[0, 40, 60, 90, 300, 511].map((at) => withBitTurned(sealed, at))],
      runs: 1_000,
      seed: 4_711,
    });
    expect(accepted).toBe(1);
    expect(seen.size).toBe(1);
    expect(context.keys.liveSlices).toBe(0);
  });
});

import { describe, expect, it } from '@jest/globals';
import {
  ALICE,
  BOB,
  PARTIES,
  open,
  randomOf,
  seal,
  twoSessions,
} from '../../../test/session/two-sessions.js';
import {
  dh,
  openDatagram,
  readTranscript,
  sealWith,
  writeTranscript,
} from '../../../test/session/xx-by-hand.js';
import { expecting, hex, keyPairOf, type Account } from '../../../test/identities.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import { verifyDeviceBinding } from '../identity/device-binding.js';
import { decodeHandshakeDatagram, encodeHandshakeDatagram } from './handshake-datagram.js';
import { sessionPrologue } from './offer.js';

/*
 * A judge is handed a transcript by one of the two, the accuser, with everything that the accuser has: his static and
 * ephemeral private keys, the public keys and the binding of the other. If the accuser can make such a transcript
 * alone, it proves nothing about the other.
 */

const PROLOGUE = sessionPrologue(PARTIES);
const NEVER_SAID = Buffer.from('something that the other never said');

interface Evidence {
  readonly handshake: readonly Uint8Array[];
  /** Transport datagrams, the accuser's and the other's, in turn from the initiator on. */
  readonly packets: readonly Uint8Array[];
  readonly ephemeralPrivate: Uint8Array;
}

type Role = 'initiator' | 'responder';
interface Accuser {
  readonly role: Role;
  readonly self: Account;
  readonly other: Account;
}

const BOB_ACCUSES: Accuser = { role: 'responder', self: BOB, other: ALICE };
const ALICE_ACCUSES: Accuser = { role: 'initiator', self: ALICE, other: BOB };

/** What the accuser's private keys say of a transcript. */
function readAs({ role, self, other }: Accuser, { handshake, ephemeralPrivate }: Evidence) {
  const messages = handshake.map((datagram) => {
    const decoded = decodeHandshakeDatagram(datagram);
    return typeof decoded === 'string' ? new Uint8Array(300) : decoded.message;
  });
  const theirEphemeral = messages[role === 'responder' ? 0 : 1]!.subarray(0, 32);
  const withTheirEphemeral = dh(self.s.privateKey, theirEphemeral);
  const withTheirStatic = dh(ephemeralPrivate, other.s.publicKey);
  return readTranscript(PROLOGUE, messages, {
    ee: dh(ephemeralPrivate, theirEphemeral),
    es: role === 'responder' ? withTheirEphemeral : withTheirStatic,
    se: role === 'responder' ? withTheirStatic : withTheirEphemeral,
  });
}

/** The plaintexts of the evidence if all of it fits together, or undefined. It is told nothing of where it came from. */
function judge(accuser: Accuser, evidence: Evidence): Buffer[] | undefined {
  const read = readAs(accuser, evidence);
  const { initiatorStatic, initiatorBinding, responderStatic, responderBinding } = read;
  if (!initiatorStatic || !initiatorBinding || !responderStatic || !responderBinding)
    return undefined;
  const [staticKey, binding] =
    accuser.role === 'responder'
      ? [initiatorStatic, initiatorBinding]
      : [responderStatic, responderBinding];
  const expected = { ...expecting(accuser.other), staticKey };
  if (typeof verifyDeviceBinding(nodeBackend, binding, expected) === 'string') return undefined;
  const plaintexts = evidence.packets.map((packet, i) => openDatagram(read.keys[i % 2]!, packet));
  return plaintexts.every((text) => text !== undefined) ? plaintexts : undefined;
}

/** A real session in which both sides take part. */
function realEvidence({ role }: Accuser): Evidence {
  const { alice, bob, transcript } = twoSessions();
  const packets = [seal(alice, NEVER_SAID), seal(bob, NEVER_SAID)];
  expect(open(bob, packets[0]!)).toEqual(new Uint8Array(NEVER_SAID));
  const ephemeralPrivate = new Uint8Array(32);
  randomOf(role === 'initiator' ? 1 : 2)(ephemeralPrivate);
  return { handshake: transcript, packets, ephemeralPrivate };
}

/** The same with the accuser's private keys only: of the other it uses the public key and the binding. */
function forgedEvidence({ role, self, other }: Accuser): Evidence {
  const own = keyPairOf(Buffer.alloc(32, 0x51));
  const invented = keyPairOf(Buffer.alloc(32, 0x52));
  const withInvented = dh(self.s.privateKey, invented.publicKey);
  const withTheirStatic = dh(own.privateKey, other.s.publicKey);
  const [initiator, responder] = role === 'responder' ? [other, self] : [self, other];
  const { messages, keys } = writeTranscript(
    PROLOGUE,
    {
      initiatorEphemeral: (role === 'responder' ? invented : own).publicKey,
      responderEphemeral: (role === 'responder' ? own : invented).publicKey,
      initiatorStatic: initiator.s.publicKey,
      responderStatic: responder.s.publicKey,
      initiatorBinding: initiator.binding,
      responderBinding: responder.binding,
    },
    {
      ee: dh(own.privateKey, invented.publicKey),
      es: role === 'responder' ? withInvented : withTheirStatic,
      se: role === 'responder' ? withTheirStatic : withInvented,
    },
  );
  const datagram = (i: 0 | 1 | 2, receiverIndex: number, senderIndex: number) =>
    encodeHandshakeDatagram({
      kind: ([1, 2, 3] as const)[i],
      receiverIndex,
      token: PARTIES.token,
      senderIndex,
      message: messages[i],
    });
  return {
    handshake: [
      datagram(0, 0, 0x0a0a0a0a),
      datagram(1, 0x0a0a0a0a, 0x0b0b0b0b),
      datagram(2, 0x0b0b0b0b, 0x0a0a0a0a),
    ],
    packets: [packet(keys[0], '0b0b0b0b'), packet(keys[1], '0a0a0a0a')],
    ephemeralPrivate: own.privateKey,
  };
}

function packet(key: Uint8Array, receiverIndex: string): Buffer {
  const header = hex(`0000000000000000 ${receiverIndex} 04 00 0000`);
  return Buffer.concat([header, sealWith(key, 0n, header, NEVER_SAID)]);
}

/** What everybody sees of a datagram: its length, and the fields that are not random. */
const form = (datagram: Uint8Array) =>
  `${datagram.length} ${Buffer.from(datagram.subarray(0, datagram.length === 512 ? 38 : 16)).toString('hex')}`;

describe.each([
  ['the responder', BOB_ACCUSES],
  ['the initiator', ALICE_ACCUSES],
])('a transcript shown by %s', (_, accuser) => {
  it('T47: convinces the judge when it is real', () => {
    expect(judge(accuser, realEvidence(accuser))).toEqual([NEVER_SAID, NEVER_SAID]);
  });

  it('S61, T47: convinces the same judge when its owner made it alone, so it proves nothing', () => {
    expect(judge(accuser, forgedEvidence(accuser))).toEqual([NEVER_SAID, NEVER_SAID]);
  });

  it('T47: has the form of a real one, datagram by datagram', () => {
    const [real, forged] = [realEvidence(accuser), forgedEvidence(accuser)];
    expect([...forged.handshake, ...forged.packets].map(form)).toEqual(
      [...real.handshake, ...real.packets].map(form),
    );
  });

  it('does not convince the judge when a bit of it is wrong', () => {
    const { handshake, packets, ephemeralPrivate } = realEvidence(accuser);
    const flipped = (bytes: Uint8Array) => {
      const copy = bytes.slice();
      copy[200 % copy.length]! ^= 1;
      return copy;
    };
    const [one, two, three] = handshake as [Uint8Array, Uint8Array, Uint8Array];
    const wrong = [
      { handshake: [one, flipped(two), three], packets, ephemeralPrivate },
      { handshake: [one, two, flipped(three)], packets, ephemeralPrivate },
      { handshake, packets: [packets[0]!, flipped(packets[1]!)], ephemeralPrivate },
      { handshake, packets, ephemeralPrivate: flipped(ephemeralPrivate) },
    ];
    expect(wrong.map((evidence) => judge(accuser, evidence))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

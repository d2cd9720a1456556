import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { sessionPrologue } from '../../src/protocol/session/offer.js';
import { anAccount, bytesOf } from '../identities.js';
import { dh, hkdf2, readTranscript } from '../session/xx-by-hand.js';
import { ALICE_SEED, BOB_SEED, type Meeting } from './endpoint-bed.js';
import { derivedFrom } from './endpoint-guesses.js';
import type { Recorder } from './endpoint-recorder.js';

const RELAY_HEADER_BYTES = 20;
const TRANSPORT = 4;

const alice = anAccount(ALICE_SEED);
const bob = anAccount(BOB_SEED);

/** The session datagrams inside the FORWARD frames of a recording, in both directions. */
export const sessionDatagrams = (recorder: Recorder): Buffer[] =>
  recorder.seen
    .map(({ bytes }) => bytes)
    .filter((bytes) => bytes[2] === 0x10)
    .map((bytes) => bytes.subarray(RELAY_HEADER_BYTES));

/** Those that carry content. */
export const transportDatagrams = (recorder: Recorder): Buffer[] =>
  sessionDatagrams(recorder).filter((bytes) => bytes[12] === TRANSPORT);

/** The Noise messages 1, 2 and 3 of a recording. */
export function noiseMessages(recorder: Recorder): Buffer[] {
  const datagrams = sessionDatagrams(recorder);
  return [1, 2, 3].map((kind) => {
    const datagram = datagrams.find((bytes) => bytes[12] === kind)!;
    return datagram.subarray(38, 38 + datagram.readUInt16BE(36));
  });
}

function transcriptOf(meeting: Meeting, messages: readonly Uint8Array[]) {
  const prologue = sessionPrologue({
    profile: 'Standard',
    sessionId: meeting.session,
    initiatorIdentity: alice.identity,
    responderIdentity: bob.identity,
    token: meeting.token,
  });
  const nothing = { ee: bytesOf(0), es: bytesOf(0), se: bytesOf(0) };
  return { prologue, read: readTranscript(prologue, messages, nothing) };
}

/** Every key that somebody makes of what is public: transcript and its hashes, ids, token, leases, public keys. */
export function keysFromPublic(meeting: Meeting, recorder: Recorder): Uint8Array[] {
  const messages = noiseMessages(recorder);
  const { prologue, read } = transcriptOf(meeting, messages);
  const leases = Object.values(meeting.leases);
  const values = [
    read.handshakeHash,
    ...read.keys,
    createHash('blake2s256').update(prologue).digest(),
    createHash('sha256').update(Buffer.concat(messages)).digest(),
    Buffer.concat([meeting.session, meeting.token]),
    Buffer.concat([meeting.token, meeting.session]),
    ...leases.flatMap(({ token, claims }) => [token, Buffer.from(claims.cpk, 'base64url')]),
    ...messages.map((message) => message.subarray(0, 32)),
    ...[alice, bob].flatMap(({ identity, s, binding }) => [identity, s.publicKey, binding]),
    bytesOf(0),
  ];
  return values.flatMap(derivedFrom);
}

/** Every key that somebody makes who has found the static keys of both sides as well. */
export function keysFromStatics(meeting: Meeting, recorder: Recorder): Uint8Array[] {
  const messages = noiseMessages(recorder);
  const { prologue } = transcriptOf(meeting, messages);
  const [one, two] = messages as [Buffer, Buffer];
  const es = dh(bob.s.privateKey, one.subarray(0, 32));
  const se = dh(alice.s.privateKey, two.subarray(0, 32));
  const ss = dh(alice.s.privateKey, bob.s.publicKey);
  const guesses = [es, se, ss, bytesOf(0), ...hkdf2(es, se), ...hkdf2(ss, Buffer.alloc(0))];
  const split = guesses.flatMap((ee) => readTranscript(prologue, messages, { ee, es, se }).keys);
  const own = [es, se, ss, alice.s.privateKey, bob.s.privateKey];
  return [...split, ...own.flatMap(derivedFrom)];
}

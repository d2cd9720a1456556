/*
 * A million inputs to each decoder of bytes from strangers: no throw, no refusal outside of its closed list, counts that
 * add up (fuzz.ts throws otherwise), and no memory that stays.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { ascii, fromHex } from '../../src/protocol/bytes.js';
import { refusePlaintext } from '../../src/protocol/channels/frame.js';
import {
  decodeSealedMessage,
  encodeSealedMessage,
  type SealedMessage,
} from '../../src/protocol/envelope/sealed-message.js';
import { fingerprintOf, parseFingerprint } from '../../src/protocol/identity/account.js';
import { decodeDeviceBinding } from '../../src/protocol/identity/device-binding.js';
import { decodePrekey } from '../../src/protocol/identity/prekey.js';
import { decodeRevocation } from '../../src/protocol/identity/revocation.js';
import { issueGrant, openGrant } from '../../src/protocol/lease/grant.js';
import { issueLease, openLease } from '../../src/protocol/lease/lease.js';
import { TOKEN_REFUSALS } from '../../src/protocol/lease/signed-claims.js';
import { seenAddress } from '../../src/protocol/relay/address.js';
import * as admission from '../../src/protocol/relay/admission.js';
import { encodeBye, encodeMove } from '../../src/protocol/relay/departure.js';
import { decodeRelayFrame } from '../../src/protocol/relay/frames.js';
import { RELAY_FRAME_REFUSALS } from '../../src/protocol/relay/header.js';
import * as rift from '../../src/protocol/relay/rift.js';
import { FrameSplitter } from '../../src/protocol/relay/stream.js';
import * as version1 from '../../src/protocol/relay/version-1.js';
import {
  decodeControlMessage,
  encodeControlMessage,
} from '../../src/protocol/session/control-message.js';
import { decodeHeader, emptyHeader } from '../../src/protocol/session/datagram.js';
import {
  decodeHandshakeDatagram,
  encodeHandshakeDatagram,
} from '../../src/protocol/session/handshake-datagram.js';
import { readBindingRequest } from '../../src/relay/packet/stun.js';
import { fuzzDecoder, type FuzzTarget } from '../fuzz/fuzz.js';
import { anAccount, aPrekey, bytesOf, NOON_MS } from '../identities.js';
import { aGrant, aLeaseKey, signWith, someClaims } from '../lease-builders.js';
import type { Metric } from './report.js';

type Target = Pick<FuzzTarget, 'decode' | 'refusals' | 'corpus'>;

/** What code and its statistics may grow by while a decoder becomes hot; inputs of a million are above 100 MB. */
const GROWTH_LIMIT_BYTES = 4e6;
const COLLECTIONS = 4;
const SEED = 20_261_122;

const AT = { session: bytesOf(0x5e, 16) };
const NONCE = bytesOf(0x10, 16);
const COOKIE = bytesOf(0x20);
const TOKEN = ascii('v4.public.token');
const SIGNATURE = bytesOf(0x5a, 64);
const SEEN = seenAddress(Uint8Array.of(192, 0, 2, 1), 9);
const PAYLOAD = fromHex('aabbccddeeff');
const ALICE = anAccount(0x10);
const BOB = anAccount(0x20);
const KEY = aLeaseKey(1);

const FRAMES: readonly Uint8Array[] = [
  version1.encodeLeasePresent(AT, { role: 'client', token: TOKEN }),
  version1.encodeLeaseAck(AT, { expiresMs: 1n, softKbps: 1, hardKbps: 2 }),
  version1.encodeLeaseReject(AT, 'banned'),
  version1.encodeLeaseRenew(AT),
  version1.encodeForward(AT, PAYLOAD),
  version1.encodeForward(AT, NONCE).fill(0, 4, 20),
  admission.encodeHello(AT, { nonce: NONCE }),
  admission.encodeCookie(AT, { nonce: NONCE, cookie: COOKIE, seen: SEEN }),
  admission.encodeProve(AT, {
    ...{ nonce: NONCE, cookie: COOKIE, seq: 1n, role: 'client' },
    ...{ token: TOKEN, signature: SIGNATURE },
  }),
  admission.encodeProved(AT, { nonce: NONCE, expiresMs: 1n, softKbps: 1, hardKbps: 2 }),
  admission.encodeRefused(AT, { nonce: NONCE, reason: 'draining' }),
  encodeMove(AT, { nonce: NONCE, deadlineMs: 1n }),
  encodeBye(AT, { seq: 1n, signature: SIGNATURE }),
];

const RIFTS: readonly Uint8Array[] = [
  rift.encodeRiftTransport({ alias: 0x01020304, packetId: 7n, payload: PAYLOAD }),
  rift.encodeRiftHandshake({ session: bytesOf(0, 16), packetId: 2n ** 64n - 1n, payload: PAYLOAD }),
];

const HEADER_REFUSALS = [
  ...['too-short', 'too-long', 'unknown-kind', 'reserved-not-zero'],
  ...['bad-handshake-size', 'bad-handshake-header', 'counter-limit'],
];

const MESSAGE: SealedMessage = {
  kind: 'offer',
  id: bytesOf(0x1d, 16),
  timeMs: NOON_MS,
  binding: ALICE.binding,
  revocations: [ALICE.revocation(bytesOf(1, 16))],
  body: bytesOf(0xb0, 5),
};

const KEYS = new Map([[KEY.kid, KEY]]);
const keyOf = (kid: string) => KEYS.get(kid);
/** So that claims are read behind every signature: strangers cannot get there, their gateway can. */
const believe = () => true;

const padded = (bytes: string, length: number): Uint8Array => {
  const out = new Uint8Array(length);
  out.set(fromHex(bytes));
  return out;
};

const TARGETS: Readonly<Record<string, Target>> = {
  decodeRelayFrame: { decode: decodeRelayFrame, refusals: RELAY_FRAME_REFUSALS, corpus: FRAMES },
  decodeRift: { decode: rift.decodeRift, refusals: rift.RIFT_REFUSALS, corpus: RIFTS },
  decodeForwardBody: {
    decode: rift.decodeForwardBody,
    refusals: rift.RIFT_REFUSALS,
    corpus: RIFTS,
  },
  FrameSplitter: {
    decode: (bytes) => new FrameSplitter().push(bytes).refusal,
    refusals: ['frame-too-short', 'frame-too-long'],
    corpus: FRAMES.map((frame) =>
      Buffer.concat([Uint8Array.of(frame.length >> 8, frame.length), frame]),
    ),
  },
  readBindingRequest: {
    decode: (bytes) => readBindingRequest(bytes) ?? 'no-request',
    refusals: ['no-request'],
    corpus: [
      '000100002112a442000102030405060708090a0b',
      '0001000c2112a442000102030405060708090a0b' + '002600080000000000000000',
    ].map(fromHex),
  },
  decodeHeader: {
    decode: (bytes) => decodeHeader(bytes, emptyHeader()),
    refusals: HEADER_REFUSALS,
    corpus: [
      padded('00000000000000010102030404ff0000', 288),
      padded('fffffffffffffffe0000000004800000', 32),
      padded('00000000000000000000000001000000', 512),
    ],
  },
  decodeHandshakeDatagram: {
    decode: decodeHandshakeDatagram,
    refusals: [...HEADER_REFUSALS, 'not-a-handshake', 'bad-noise-length', 'padding-not-zero'],
    corpus: [2, 474].map((length) =>
      encodeHandshakeDatagram({
        ...{ kind: 2, receiverIndex: 1, token: NONCE, senderIndex: 2 },
        message: bytesOf(3, length),
      }),
    ),
  },
  decodeControlMessage: {
    decode: decodeControlMessage,
    refusals: ['empty-control', 'unknown-control', 'bad-control-length'],
    corpus: [
      encodeControlMessage({ type: 'ask-epoch', epoch: 0 }),
      encodeControlMessage({ type: 'challenge', bytes: bytesOf(3, 8) }),
    ],
  },
  refusePlaintext: {
    decode: refusePlaintext,
    refusals: [
      ...['size', 'form', 'packet-number', 'frame-type', 'truncated', 'padding', 'ack-ranges'],
      ...['channel', 'segment-index', 'segment-length', 'segment-inconsistent'],
    ],
    corpus: [
      padded('0100000000000000000301000000000000000000010002' + '6869', 256),
      padded('000000000000000000' + '0200026869', 256),
      padded('000000000000000000' + '0400000000' + '00026869', 80),
    ],
  },
  decodeDeviceBinding: {
    decode: decodeDeviceBinding,
    refusals: ['binding-length', 'binding-version', 'binding-dates'],
    corpus: [ALICE.binding, BOB.binding],
  },
  decodeRevocation: {
    decode: decodeRevocation,
    refusals: ['revocation-length', 'revocation-time'],
    corpus: [ALICE.revocation()],
  },
  decodePrekey: {
    decode: decodePrekey,
    refusals: ['prekey-length', 'prekey-dates'],
    corpus: [aPrekey(BOB).bytes],
  },
  decodeSealedMessage: {
    decode: decodeSealedMessage,
    refusals: ['message-length', 'message-kind', 'message-time', 'message-padding'],
    corpus: [encodeSealedMessage(MESSAGE, 416), encodeSealedMessage(MESSAGE, 1_952)],
  },
  parseFingerprint: {
    decode: (bytes) => parseFingerprint(Buffer.from(bytes).toString('latin1')),
    refusals: ['fingerprint-length', 'fingerprint-prefix', 'fingerprint-alphabet'],
    corpus: [Buffer.from(fingerprintOf(nodeBackend, ALICE.identity))],
  },
  openLease: {
    decode: (bytes) => openLease(bytes, keyOf, believe),
    refusals: TOKEN_REFUSALS,
    corpus: [someClaims(), someClaims({ role: 'server' })].map((claims) =>
      ascii(issueLease(claims, KEY, signWith)),
    ),
  },
  openGrant: {
    decode: (bytes) => openGrant(bytes, keyOf, believe),
    refusals: TOKEN_REFUSALS,
    corpus: [ascii(issueGrant(aGrant(), KEY, signWith))],
  },
};

/** Every decoder that is fed. */
export const DECODERS: readonly string[] = Object.keys(TARGETS);

/** Feeds `runs` inputs to one decoder. @throws Error as fuzzDecoder does, or if memory stays. */
export function fuzzOne(decoder: string, runs: number): Metric {
  const target = TARGETS[decoder];
  if (!target) throw new Error(`there is no decoder ${decoder}`);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // What the flag above makes.
  fuzzDecoder({ ...target, runs: Math.min(runs, 2_000), seed: SEED + 1 });
  const before = heldBytes(collect);
  const { total, accepted, refused } = fuzzDecoder({ ...target, runs, seed: SEED });
  const growth = heldBytes(collect) - before;
  if (growth > GROWTH_LIMIT_BYTES) throw new Error(`${decoder} keeps ${growth} bytes`);
  const reasons = [...refused].map(([reason, count]) => `${reason} ${count}`).join(', ');
  return {
    ...{ bench: 'session', metric: 'decoder_fuzz_inputs', decoder, value: total },
    ...{ unit: 'inputs', reference: `no throw; accepted ${accepted}, ${reasons}` },
  };
}

/** The least of some readings: buffers that one collection finds unused are freed beside it, and gone after the next. */
function heldBytes(collect: () => void): number {
  const readings = Array.from({ length: COLLECTIONS }, () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  });
  return Math.min(...readings);
}

/*
 * What a relay answers an endpoint, in tests without a socket, and a lease whose text no relay ever reads.
 */
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { LeaseProof } from '../../src/client/lease-proof.js';
import { KeyStore } from '../../src/protocol/key-store.js';
import { seenAddress } from '../../src/protocol/relay/address.js';
import {
  decodeProve,
  encodeCookie,
  encodeProved,
  encodeRefused,
} from '../../src/protocol/relay/admission.js';
import { encodeMove } from '../../src/protocol/relay/departure.js';
import { encodeFrame, frameType, RelayType } from '../../src/protocol/relay/header.js';
import type { RefusedReason } from '../../src/protocol/relay/reasons.js';
import { bytesOf } from '../identities.js';

const HEADER = { session: bytesOf(0xa1, 16) };

/** A lease of one session; `seed` tells keys apart. */
export const aLeaseProof = (seed = 1): LeaseProof =>
  new LeaseProof(
    { backend: nodeBackend, keys: new KeyStore(1_024) },
    {
      ...HEADER,
      token: Buffer.from('v4.public.text'),
      relayId: 'edge/eu/0',
      jti: bytesOf(seed, 16),
      role: 'client',
      proofKey: bytesOf(seed),
    },
  );

/** Where the relay sees the endpoint: 192.0.2.1, port `port`. */
export const seenAt = (port: number) => seenAddress(Uint8Array.of(192, 0, 2, 1), port);

const nonceOf = (question: Uint8Array) => question.subarray(20, 36);

/** The answers to a HELLO or a PROVE, and what comes without a question. */
export const answers = {
  cookie: (hello: Uint8Array, port = 1_000): Uint8Array =>
    encodeCookie(HEADER, { nonce: nonceOf(hello), cookie: bytesOf(7), seen: seenAt(port) }),
  proved: (prove: Uint8Array): Uint8Array =>
    encodeProved(HEADER, {
      nonce: nonceOf(prove),
      expiresMs: 9_000n,
      softKbps: 1,
      hardKbps: 2,
    }),
  refused: (prove: Uint8Array, reason: RefusedReason): Uint8Array =>
    encodeRefused(HEADER, { nonce: nonceOf(prove), reason }),
  move: (prove: Uint8Array): Uint8Array =>
    encodeMove(HEADER, { nonce: nonceOf(prove), deadlineMs: 5_000n }),
  forward: (payload: Uint8Array): Uint8Array => encodeFrame(RelayType.forward, HEADER, [payload]),
};

/** What kind of question `frame` is. */
export function kindOf(frame: Uint8Array): 'hello' | 'prove' | 'bye' | 'other' {
  const type = frameType(frame, 0, frame.length);
  if (type === RelayType.hello) return 'hello';
  if (type === RelayType.prove) return 'prove';
  return type === RelayType.bye ? 'bye' : 'other';
}

/** The `seq` of a PROVE. @throws Error if it is none. */
export function seqOf(prove: Uint8Array): bigint {
  const decoded = decodeProve(prove);
  if (typeof decoded === 'string') throw new Error(decoded);
  return decoded.seq;
}

/** The answer of a relay that takes everything; undefined if there is none. */
export function answerTo(frame: Uint8Array, port = 1_000): Uint8Array | undefined {
  const kind = kindOf(frame);
  if (kind === 'hello') return answers.cookie(frame, port);
  return kind === 'prove' ? answers.proved(frame) : undefined;
}

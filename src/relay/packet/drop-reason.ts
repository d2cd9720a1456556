/*
 * Why a datagram ends at the relay. One closed list: the position in it is the index of the counter in the
 * statistics block (statistics.ts) and the text is the label of the metric. Every datagram that comes in is counted
 * once: forwarded, answered, taken without an answer, or dropped with one of these reasons. The reasons from
 * `send-buffer` on are of datagrams that were on their way out.
 */

import type { RelayFrameRefusal } from '../../protocol/relay/header.js';

/** Every reason, in the order of the counters. */
export const DROP_REASONS = [
  // Frame: nothing but the bytes is looked at. The first nine have the codec's names (RELAY_FRAME_REFUSALS).
  'too-short',
  'too-long',
  'bad-magic', // neither a relay frame nor STUN
  'unknown-version',
  'unknown-type',
  'nil-session',
  'bad-role',
  'bad-token-length',
  'bad-padding',
  'wrong-direction', // a frame that only relays send
  'v1-present', // version 1 presents a lease without a proof: never answered
  'v1-renew', // version 1 renews without a proof: never answered
  // Source and cookie: silent.
  'not-configured', // before the first configuration
  'address-denied', // an address to which the relay never sends
  'address-limit', // too many handshakes of one address
  'global-limit', // too many handshakes of everybody
  'cookie', // no cookie of ours for this address, or an old one
  'sequence', // a PROVE or BYE that is not newer than what its slot has seen
  'bye', // a BYE that is not from its slot's holder
  // Forwarding.
  'no-session', // no session has this id
  'wrong-address', // the source is not the address that proved itself
  'no-peer', // the other slot is empty
  'packet-limit', // more packets than a session may send
  'soft-limit', // above the soft limit while the relay is busy
  'hard-limit', // above the hard limit
  // STUN.
  'stun-malformed',
  'stun-unpadded', // the answer would be longer than the question
  'stun-limit',
  // On the way out.
  'send-buffer', // the kernel had no room
  'send-failed', // the kernel refused: no route, no permission
  'fallback-queue', // a TCP reader that is too slow
] as const;

/** Why a datagram was dropped. */
export type DropReason = (typeof DROP_REASONS)[number];

/** Index of each reason in `DROP_REASONS`. */
export const DROP = Object.fromEntries(
  DROP_REASONS.map((reason, index) => [reason, index]),
) as Readonly<Record<DropReason, number>>; // fromEntries forgets which keys the list has.

/**
 * The drop reason of a codec's refusal. `bad-address` and `unknown-reason` belong to frames that only endpoints read:
 * a relay never decodes them.
 */
export const asDrop = (refusal: RelayFrameRefusal): DropReason =>
  refusal === 'bad-address' || refusal === 'unknown-reason' ? 'wrong-direction' : refusal;

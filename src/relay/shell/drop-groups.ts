/*
 * The label `reason` of dropped datagrams in metrics. A label has at most twelve values, and there are some thirty reasons:
 * those that ask the same of whoever looks stand together. The log keeps each reason (drop-log.ts).
 */
import { DROP_REASONS, type DropReason } from '../packet/drop-reason.js';

/** Every reason and its label; docs/operations.md says what each asks for. */
const GROUPS = {
  'too-short': 'malformed', // no frame of ours: scanners, other protocols
  'too-long': 'malformed',
  'bad-magic': 'malformed',
  'unknown-version': 'malformed',
  'unknown-type': 'malformed',
  'nil-session': 'malformed',
  'bad-role': 'malformed',
  'bad-token-length': 'malformed',
  'bad-padding': 'malformed',
  'wrong-direction': 'unexpected-type', // a frame, but none that this relay takes
  'v1-present': 'unexpected-type',
  'v1-renew': 'unexpected-type',
  'not-configured': 'not-configured',
  'address-denied': 'address-denied', // peerAddresses
  'address-limit': 'handshake-limit', // rateLimits
  'global-limit': 'handshake-limit',
  cookie: 'stale-proof', // late, repeated or invented
  sequence: 'stale-proof',
  bye: 'stale-proof',
  'no-session': 'no-session', // ended here, or open at another relay
  'wrong-address': 'wrong-address',
  'no-peer': 'no-peer', // the other end is not there yet, or has gone
  'packet-limit': 'session-limit', // rateLimits and capacity
  'soft-limit': 'session-limit',
  'hard-limit': 'session-limit',
  'stun-malformed': 'stun',
  'stun-unpadded': 'stun',
  'stun-limit': 'stun',
  'send-buffer': 'not-sent', // on the way out
  'send-failed': 'not-sent',
  'fallback-queue': 'not-sent',
} as const satisfies Readonly<Record<DropReason, string>>;

/** Label of a group of reasons. */
export type DropGroup = (typeof GROUPS)[DropReason];

/** The counts by label; every label is always there. */
export function dropGroups(
  drops: Readonly<Record<DropReason, number>>,
): ReadonlyMap<DropGroup, number> {
  const counts = new Map<DropGroup, number>();
  for (const reason of DROP_REASONS) {
    const group = GROUPS[reason];
    counts.set(group, drops[reason] + (counts.get(group) ?? 0));
  }
  return counts;
}

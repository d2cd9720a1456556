/*
 * Which slot a proven lease gets. Pure decision over what the table holds: the order of the rules is the order of the
 * wire formats, B, and the first that speaks wins.
 */
import type { RefusedReason } from '../../protocol/relay/reasons.js';
import type { Holder, Lease } from './holder.js';
import type { SessionRecord } from './session-table.js';

/** A proof whose cookie, lease and signature hold. */
export interface ProvenLease {
  readonly lease: Lease;
  readonly role: 0 | 1;
  readonly seq: bigint;
  /** Whether it came from the address that holds the slot now. */
  readonly fromSlot: boolean;
  readonly draining: boolean;
}

/**
 * What to do: take the slot (`opened`, `renewed`, `rebound`), answer again and change nothing (`repeated`), say no, or
 * drop without a word because the proof is not newer than what the slot has seen.
 */
export type Seating =
  | 'opened'
  | 'renewed'
  | 'rebound'
  | 'repeated'
  | { readonly refused: RefusedReason }
  | { readonly dropped: 'sequence' };

type Rule = (proof: ProvenLease, record: SessionRecord | undefined) => Seating | undefined;

const holderOf = ({ role }: ProvenLease, record: SessionRecord | undefined): Holder | undefined =>
  record?.holders[role];

const isSameLease = (proof: ProvenLease, holder: Holder | undefined): holder is Holder =>
  holder !== undefined &&
  holder.lease.jti === proof.lease.jti &&
  hasSameKey(proof.lease, holder.lease);

const hasSameKey = (a: Lease, b: Lease): boolean => Buffer.compare(a.cpk, b.cpk) === 0;

const RULES: readonly Rule[] = [
  ({ lease }, record) =>
    record && record.gateway !== lease.gateway ? { refused: 'other-gateway' } : undefined,
  ({ lease, role }, record) => {
    const other = record?.holders[1 - role];
    if (!other) return undefined;
    const same = other.lease.jti === lease.jti || hasSameKey(other.lease, lease);
    return same ? { refused: 'both-slots' } : undefined;
  },
  // The same lease once more: a repeated question, a rebind of a NAT, or a replay.
  (proof, record) => {
    const holder = holderOf(proof, record);
    if (!isSameLease(proof, holder)) return undefined;
    if (proof.seq > holder.seq) return proof.fromSlot ? 'renewed' : 'rebound';
    return proof.seq === holder.seq && proof.fromSlot ? 'repeated' : { dropped: 'sequence' };
  },
  ({ draining }) => (draining ? { refused: 'draining' } : undefined),
  // `seq` belongs to the key: a newer lease with the same key goes on counting.
  (proof, record) => {
    const holder = holderOf(proof, record);
    if (!holder || !hasSameKey(holder.lease, proof.lease)) return undefined;
    return proof.seq > holder.seq ? undefined : { dropped: 'sequence' };
  },
  ({ lease, role }, record) => {
    const newest = record?.newestIat[role] ?? 0;
    if (lease.iatMs < newest) return { refused: 'superseded' };
    // Of two leases of the same second the one that came first stays.
    return record?.holders[role] && lease.iatMs === newest
      ? { refused: 'session-full' }
      : undefined;
  },
  (proof, record) => (holderOf(proof, record) ? 'renewed' : 'opened'),
];

/** What becomes of `proof`. `record` is undefined if nobody holds the session yet. */
export function seat(proof: ProvenLease, record: SessionRecord | undefined): Seating {
  for (const rule of RULES) {
    const seating = rule(proof, record);
    if (seating !== undefined) return seating;
  }
  return { refused: 'session-full' };
}

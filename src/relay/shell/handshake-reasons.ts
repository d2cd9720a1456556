/*
 * The label `reason` of handshakes in metrics. A label has at most twelve values, and REFUSED has nineteen reasons: those
 * that ask the same of whoever looks stand together. The wire keeps each reason.
 */
import { HANDSHAKE_OUTCOMES, type HandshakeOutcome } from '../packet/statistics.js';

/** Every outcome and its label; docs/operations.md says what each asks for. */
const REASONS = {
  opened: 'opened',
  renewed: 'proven-again', // a newer lease, another address, or the same proof once more
  rebound: 'proven-again',
  repeated: 'proven-again',
  expired: 'not-in-time', // clocks, or leases that nobody renewed
  'not-yet-valid': 'not-in-time',
  'malformed-lease': 'malformed-lease',
  'invalid-signature': 'invalid-signature', // of the lease
  'invalid-proof': 'invalid-proof', // somebody else's lease
  'unknown-key': 'lease-key', // gateways.json and the gateway's keys
  'key-not-valid': 'lease-key',
  'wrong-relay': 'other-place', // a lease that was not made for this
  'wrong-session': 'other-place',
  'wrong-role': 'other-place',
  'wrong-profile': 'other-place',
  'other-gateway': 'other-place',
  banned: 'banned',
  'session-full': 'slot-taken',
  superseded: 'slot-taken',
  'both-slots': 'slot-taken',
  'rate-limited': 'limited', // of one address or lease key
  draining: 'no-room', // of the relay
  'at-capacity': 'no-room',
} as const satisfies Readonly<Record<HandshakeOutcome, string>>;

const SUCCESSES: readonly HandshakeOutcome[] = ['opened', 'renewed', 'rebound', 'repeated'];

/** How often handshakes ended for one reason. */
export interface CountedReason {
  readonly outcome: 'success' | 'failure';
  readonly reason: string;
  readonly count: number;
}

/** The counts by label, every label always there and none under both outcomes. */
export function handshakeReasons(
  handshakes: Readonly<Record<HandshakeOutcome, number>>,
): readonly CountedReason[] {
  const counts = new Map<string, CountedReason>();
  for (const end of HANDSHAKE_OUTCOMES) {
    const reason = REASONS[end];
    const count = handshakes[end] + (counts.get(reason)?.count ?? 0);
    const outcome = SUCCESSES.includes(end) ? 'success' : 'failure';
    counts.set(reason, { outcome, reason, count });
  }
  return [...counts.values()];
}

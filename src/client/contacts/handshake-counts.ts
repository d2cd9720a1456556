import { REPORTED_HANDSHAKES } from '../../messages/peer-requests.js';
import type { ConversationEnd } from '../conversation-options.js';

/** An outcome of a handshake as the gateway counts it: no peer, no time. */
export type ReportedHandshake = (typeof REPORTED_HANDSHAKES)[number];

/** One entry of a report. */
export interface HandshakeCount {
  readonly outcome: ReportedHandshake;
  readonly count: number;
}

const MAX_COUNT = 1_000;

/** How handshakes ended since the last report. */
export class HandshakeCounts {
  readonly #counts = new Map<ReportedHandshake, number>();

  add(outcome: ReportedHandshake): void {
    this.#counts.set(outcome, Math.min(MAX_COUNT, (this.#counts.get(outcome) ?? 0) + 1));
  }

  /** The counts, which begin again at zero. */
  take(): readonly HandshakeCount[] {
    const taken = [...this.#counts].map(([outcome, count]) => ({ outcome, count }));
    this.#counts.clear();
    return taken;
  }
}

/**
 * How a conversation that never had a session ended; undefined if this side ended it itself. `reasons` are the refusals
 * that it counted: the first that says more than "no answer" is told.
 */
export function outcomeOf(
  end: ConversationEnd,
  reasons: Iterable<string>,
): ReportedHandshake | undefined {
  if (end === 'closed-here') return undefined;
  if (end === 'stranger') return 'stranger';
  for (const reason of reasons) {
    const outcome = OUTCOMES[reason];
    if (outcome !== undefined) return outcome;
    if (reason.startsWith('binding-')) return 'binding-invalid';
  }
  return end === 'no-answer' ? 'no-answer' : 'other';
}

const OUTCOMES: Readonly<Record<string, ReportedHandshake>> = {
  'binding-revoked': 'device-revoked',
  'binding-expired': 'expired',
  'token-expired': 'expired',
  'wrong-token': 'wrong-token',
};

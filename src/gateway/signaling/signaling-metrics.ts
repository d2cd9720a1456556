import { REPORTED_HANDSHAKES } from '../../messages/peer-requests.js';
import { SUITE } from '../../protocol/noise/suites.js';
import type { Metrics } from '../../runtime/metrics.js';

/** The one suite of the profile Standard. */
const SESSION_SUITE = `Noise_XX_25519_${SUITE}`;
const KINDS = ['token', 'first-contact'] as const;
const OUTCOMES = ['delivered', 'absent', 'refused'] as const;

/** How a handshake ended, as endpoints report it. */
export type ReportedHandshake = (typeof REPORTED_HANDSHAKES)[number];

/** Counters of signaling. */
export interface SignalingMetrics {
  readonly handshakes: (outcome: ReportedHandshake, count: number) => void;
  readonly envelope: (kind: (typeof KINDS)[number], outcome: (typeof OUTCOMES)[number]) => void;
  readonly firstContactLimited: () => void;
}

/** Declares what signaling counts; every series begins at 0. No label says who or where. */
export function signalingMetrics(metrics: Metrics, tokens: () => number): SignalingMetrics {
  const handshakes = metrics.counter({
    name: 'sallyport_handshakes_total',
    help: 'Session handshakes as endpoints report them.',
    labelNames: ['outcome', 'reason', 'suite'],
  });
  const envelopes = metrics.counter({
    name: 'sallyport_envelopes_total',
    help: 'Envelopes that endpoints asked to deliver.',
    labelNames: ['kind', 'outcome'],
  });
  const limited = metrics.counter({
    name: 'sallyport_first_contacts_limited_total',
    help: 'First contacts refused because their account had made too many within an hour.',
  });
  metrics.gauge({
    name: 'sallyport_rendezvous_tokens',
    help: 'Rendezvous tokens that are registered at this replica.',
    collect: (gauge) => {
      gauge.set(tokens());
    },
  });
  for (const outcome of REPORTED_HANDSHAKES) handshakes.inc(handshakeLabels(outcome), 0);
  for (const kind of KINDS) for (const outcome of OUTCOMES) envelopes.inc({ kind, outcome }, 0);
  limited.inc({}, 0);
  return {
    handshakes: (outcome, count) => {
      handshakes.inc(handshakeLabels(outcome), count);
    },
    envelope: (kind, outcome) => {
      envelopes.inc({ kind, outcome });
    },
    firstContactLimited: () => {
      limited.inc();
    },
  };
}

const handshakeLabels = (outcome: ReportedHandshake) =>
  outcome === 'succeeded'
    ? { outcome: 'success', reason: 'none', suite: SESSION_SUITE }
    : { outcome: 'failure', reason: outcome, suite: SESSION_SUITE };

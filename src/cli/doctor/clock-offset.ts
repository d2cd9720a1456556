import { finding, type Finding } from './finding.js';

/** Leases, grants and pin updates are taken with clocks that differ by this much. */
const MOST_MS = 30_000;
const NOTICEABLE_MS = 5_000;

/** Judges the gateway's clock, `aheadMs` of ours; the measurement took `tookMs`, which is how wrong it may be. */
export function judgeClock(aheadMs: number, tookMs: number): Finding {
  const off = Math.max(0, Math.abs(aheadMs) - tookMs);
  const which = aheadMs > 0 ? 'ahead of' : 'behind';
  const text =
    off < 1_000
      ? 'the clocks agree within a second'
      : `the gateway is ${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${which} this machine`;
  const hint =
    'Let this machine take its time from the network (NTP), or ask the administrator to.';
  if (off > MOST_MS) return finding('clock', 'failed', text, hint);
  return off > NOTICEABLE_MS
    ? finding('clock', 'warning', text, hint)
    : finding('clock', 'ok', text);
}

import type { Metric } from './report.js';
import { residentBytes, startOurs, type OurRelay } from './relay-contestants.js';
import type { Load, Run, Seen } from './relay-load.js';

/** The core of what is measured. */
const RELAY_CORE = 1;
/** As settings have it: the generator's addresses share no source with the strangers'. */
const LIMITS = { handshakesPerAddressPerSecond: 20, handshakesPerSecond: 1_000 };
const LEGITIMATE_PER_SECOND = 1_000;
const SPOOFED_PER_SECOND = 50_000;
const LEGITIMATE = 20_000;
const SPOOFED = 1_000_000;
/** A run of the flood; five of them on a machine that does nothing else. */
const FLOOD_MS = 4_000;
const MOST_RUNS = 20;
const FLOWS = 10;
/** Above what one core takes: the loss is published, not promised. */
const CURVE = [100_000, 200_000, 300_000, 400_000, 600_000] as const;

/**
 * Datagrams of every kind from addresses that proved nothing, beside those of holders (threats T7, T8): a million at
 * 50,000 per second beside 20,000, then faster and faster.
 */
export async function benchFlood(
  load: Load,
  report: (metric: Metric) => void,
  smoke: boolean,
): Promise<void> {
  const relay = await startOurs('relay', RELAY_CORE, LIMITS);
  try {
    await load.open();
    const offset = await relay.prepare(load, FLOWS, 1_200);
    const shape = { flows: FLOWS, bytes: 1_200, burst: 1, offset, rate: LEGITIMATE_PER_SECOND };
    await load.run({ ...shape, ms: 500, spoof: 10_000 });
    const before = residentBytes(relay.pid);
    const seen = await flood(load, { ...shape, spoof: SPOOFED_PER_SECOND }, smoke ? 0.01 : 1);
    reportLoss(report, seen, '0 of 20,000');
    report({
      bench: 'relay',
      metric: 'relay_flood_memory_mb',
      value: (residentBytes(relay.pid) - before) / 1e6,
      unit: 'MB',
      reference: `< 8 after ${seen.spoofed} spoofed datagrams`,
    });
    await reportDrops(report, relay);
    for (const spoof of smoke ? CURVE.slice(0, 1) : CURVE)
      reportLoss(report, await load.run({ ...shape, ms: smoke ? 300 : 3_000, spoof }));
  } finally {
    await relay.stop();
  }
}

/** Goes on until so many were sent, of both; a generator that had to pause sends for longer. */
async function flood(load: Load, shape: Omit<Run, 'ms'>, part: number): Promise<Seen> {
  const runs: Seen[] = [];
  const sum = (name: 'sent' | 'received' | 'spoofed') =>
    runs.reduce((total, seen) => total + seen[name], 0);
  while (sum('sent') < LEGITIMATE * part || sum('spoofed') < SPOOFED * part) {
    if (runs.length === MOST_RUNS) throw new Error('the generator is too slow for a flood');
    runs.push(await load.run({ ...shape, ms: part * FLOOD_MS }));
  }
  const [sent, received, spoofed] = [sum('sent'), sum('received'), sum('spoofed')];
  return { ...runs[0]!, sent, received, spoofed, lossRatio: 1 - received / sent };
}

function reportLoss(report: (metric: Metric) => void, seen: Seen, reference?: string): void {
  const seconds = seen.sent / seen.sentPerSecond;
  report({
    bench: 'relay',
    metric: 'relay_flood_loss_ratio',
    value: seen.lossRatio,
    unit: 'ratio',
    packet_bytes: 1_200,
    flows: FLOWS,
    burst: 1,
    spoofed_per_second: Math.round(seen.spoofed / seconds),
    reference: `${seen.sent - seen.received} of ${seen.sent} lost${reference ? `; ${reference}` : ''}`,
  });
}

/** Every spoofed datagram was dropped and counted, or answered within the limit, or never reached the socket. */
async function reportDrops(report: (metric: Metric) => void, relay: OurRelay): Promise<void> {
  const { drops, values } = await relay.statistics();
  const counted = Object.entries(drops).filter(([, count]) => count > 0);
  report({
    bench: 'relay',
    metric: 'relay_flood_drops',
    value: counted.reduce((sum, [, count]) => sum + count, 0),
    unit: 'datagrams',
    reference: `${counted.map(([name, count]) => `${name} ${count}`).join(', ')}; answers ${values.answers}, kernel drops ${values.kernel_drops}`,
  });
}

import type { Metric } from './report.js';
import { admit } from './relay-admission.js';
import { residentBytes, startOurs } from './relay-contestants.js';
import type { Load } from './relay-load.js';

/** The core of what is measured. */
const RELAY_CORE = 1;

/** What many sessions cost that are held at one time, and what is forwarded beside them. */
export async function benchHeldSessions(
  load: Load,
  report: (metric: Metric) => void,
  sessions: number,
): Promise<void> {
  const relay = await startOurs('relay', RELAY_CORE);
  try {
    await load.open();
    // The relay is warm: what it allocates for the first sessions and packets is not counted for the many.
    const offset = await relay.prepare(load, 100, 1_200);
    const run = { flows: 100, bytes: 1_200, burst: 1, offset };
    await load.run({ ...run, rate: 50_000, ms: 500 });
    const before = residentBytes(relay.pid);
    const begin = performance.now();
    await admit(load, relay.issuer, sessions, 100);
    const seconds = (performance.now() - begin) / 1_000;
    const { values } = await relay.statistics();
    if (values.sessions < sessions) throw new Error(`only ${values.sessions} sessions are held`);
    const size = { bench: 'relay', sessions };
    report({
      ...size,
      metric: 'relay_bytes_per_session',
      value: (residentBytes(relay.pid) - before) / sessions,
      unit: 'B',
      reference: 'resident memory; both leases verified and held',
    });
    report({
      ...size,
      metric: 'relay_admissions_per_second',
      value: (2 * sessions) / seconds,
      unit: '1/s',
      reference: 'the bench signs on the other core and may be the limit',
    });
    const flows = Math.min(1_000, sessions);
    const seen = await load.run({ ...run, flows, rate: 150_000, ms: 2_000 });
    report({
      ...size,
      metric: 'relay_loss_at_150k_pps',
      value: seen.lossRatio,
      unit: 'ratio',
      reference: `0; ${flows} flows, ${Math.round(seen.sentPerSecond)}/s sent`,
      packet_bytes: 1_200,
      flows,
      burst: 1,
    });
  } finally {
    await relay.stop();
  }
}

/*
 * `npm run bench -- gateway`: memory of idle connections, routed messages and logins, each beside a bare server on
 * node:tls and ws in the same run. The server has one core, the generator the other one. Loopback only.
 */
import { parseArgs } from 'node:util';
import {
  bundleGateway,
  pinGenerator,
  requireOpenFiles,
  unpinGenerator,
} from './gateway-contestants.js';
import { benchIdle, type IdlePlan } from './gateway-idle.js';
import { benchLogins } from './gateway-logins.js';
import { benchRouted } from './gateway-routed.js';
import { machine } from './relay-contestants.js';
import type { Metric } from './report.js';

const SOCKETS = 10_000;
const SMOKE_SOCKETS = 200;
/** Connections that warm a server up come to the others. */
const WARM = 2_000;
/** Besides connections. */
const SPARE_SOCKETS = 100;

/** Everything, or the part that `--part idle|routed|logins` names. `--smoke` only looks whether it works. */
export async function benchGateway(
  report: (metric: Metric) => void,
  args: readonly string[],
): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      smoke: { type: 'boolean', default: false },
      part: { type: 'string' },
      sockets: { type: 'string' },
      // Options of other benches that run in the same call.
      full: { type: 'boolean', default: false },
      only: { type: 'string' },
      fuzz: { type: 'string' },
    },
  });
  const { smoke, part } = values;
  const idle = idlePlan(smoke, values.sockets);
  const wanted = (name: string) => part === undefined || part === name;
  if (wanted('idle')) requireOpenFiles(idle.warm + idle.sockets + SPARE_SOCKETS);
  console.error(machine());
  await bundleGateway();
  pinGenerator();
  try {
    if (wanted('routed'))
      await benchRouted(
        report,
        smoke ? { ms: 1_500, repetitions: 1 } : { ms: 5_000, repetitions: 3 },
      );
    if (wanted('logins')) await benchLogins(report, smoke ? 1_000 : 8_000);
    if (wanted('idle')) await benchIdle(report, idle);
  } finally {
    unpinGenerator();
  }
}

const idlePlan = (smoke: boolean, sockets: string | undefined): IdlePlan => ({
  sockets: Number(sockets ?? (smoke ? SMOKE_SOCKETS : SOCKETS)),
  warm: smoke ? SMOKE_SOCKETS : WARM,
  settleMs: smoke ? 500 : 6_000,
});

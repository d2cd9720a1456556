/*
 * Replicas of one gateway in one process, joined by a real NATS server as real replicas are.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '../../src/gateway/bus.js';
import { busKeys, tagged } from '../../src/gateway/signaling/bus-tag.js';
import { createBus } from '../../src/gateway/signaling/nats.bus.js';
import { SILENT_LOGGER } from '../../src/runtime/log.js';
import { createMetricsRegistry, type MetricsRegistry } from '../../src/runtime/metrics.registry.js';
import { systemClock } from '../../src/runtime/system.clock.js';
import type { NatsServer } from './nats.js';

/** UID of the gateway in these tests. */
export const GATEWAY_UID = '0b1c7b0a-4f8e-4b61-9f43-3f6a6f0e1d11';

/** What the replicas of these tests share, also those in processes of their own. */
const KEYS = busKeys([{ id: '0011223344556677', key: new Uint8Array(32).fill(9) }], GATEWAY_UID);

/** A frame as a replica sends it to everybody. */
export const taggedForAll = (frame: string): Uint8Array =>
  tagged(KEYS[0]!, `sallyport.${GATEWAY_UID}.all`, Buffer.from(frame));

/** A bus and what it counts. */
export interface TestBus {
  readonly bus: Bus;
  readonly registry: MetricsRegistry;
  /** Value of a series, by its text without the value. */
  readonly count: (series: string) => Promise<number>;
}

/** A bus that is joined to `nats`, as settings.json says it. */
export function aBus(nats: NatsServer, uid = GATEWAY_UID, keys = () => KEYS): TestBus {
  const registry = createMetricsRegistry({ processMetrics: false });
  const bus = createBus(
    {
      type: 'NATS',
      servers: [nats.url],
      ...(nats.caFile === undefined ? {} : { caFile: nats.caFile }),
      ...(nats.credentialsFile === undefined ? {} : { credentialsFile: nats.credentialsFile }),
    },
    {
      uid,
      clock: systemClock,
      random: (bytes) => randomBytes(bytes),
      keys,
      metrics: registry,
      log: SILENT_LOGGER,
    },
  );
  return {
    bus,
    registry,
    count: async (series) => {
      const line = (await registry.text()).split('\n').find((one) => one.startsWith(`${series} `));
      return Number(line?.slice(series.length + 1));
    },
  };
}

/** Waits until `holds`, at most 20 s. @throws Error naming `what` when it never does */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error(`never: ${what}`);
}

/** Waits until each of `buses` is connected and hears all others. */
export const joined = (buses: readonly TestBus[]): Promise<void> =>
  until('all replicas hear each other', async () => {
    for (const { bus, count } of buses)
      if (!bus.connected || (await count('sallyport_bus_replicas')) !== buses.length) return false;
    return true;
  });

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApiServer } from '../apiserver/bed/api-server.js';
import type { TestApiServer } from '../apiserver/bed/api-server.js';
import { missedEventSoak } from '../apiserver/engine/missed-event-soak.js';
import { startFaultProxy } from '../faults/fault-proxy.js';
import type { FaultProxy } from '../faults/fault-proxy.js';

const SOAK_MS = 60 * 60_000;

describe('caches over a network that is cut and stalled for an hour', () => {
  let server: TestApiServer;
  let proxy: FaultProxy;

  beforeAll(async () => {
    server = await startApiServer();
    proxy = await startFaultProxy(server);
  }, 120_000);
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  it(
    'equal a fresh list at the end, and no change was missing for more than 5 seconds once the network had healed',
    async () => {
      const report = await missedEventSoak({ server, proxy, durationMs: SOAK_MS, seed: 60 });
      process.stderr.write(`${JSON.stringify(report)}\n`);
      expect(report.differences).toEqual([]);
      expect(report.worstLatenessMs).toBeLessThanOrEqual(5_000);
      expect(report.writes).toBeGreaterThan(50_000);
    },
    SOAK_MS + 10 * 60_000,
  );
});

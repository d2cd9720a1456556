import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClusterClient } from '../../../src/kubernetes/cluster.client.js';
import { Reflector } from '../../../src/kubernetes/reflector.client.js';
import { Store } from '../../../src/kubernetes/store.js';
import { startFaultProxy } from '../../faults/fault-proxy.js';
import type { FaultProxy } from '../../faults/fault-proxy.js';
import { startApiServer } from '../bed/api-server.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { missedEventSoak } from './missed-event-soak.js';

const SOAK_MS = 60_000;
/** The server sends a bookmark about every minute and a quarter at the latest. */
const BOOKMARK_MS = 80_000;

describe('caches over a network that is cut and stalled all the time', () => {
  let server: TestApiServer;
  let proxy: FaultProxy;
  let quiet: Reflector;
  let client: ClusterClient;
  let watches = 0;

  beforeAll(async () => {
    server = await startApiServer();
    proxy = await startFaultProxy(server);
    // Beside the soak, on a sound network, somebody watches a kind in which nothing happens.
    client = new ClusterClient(
      { server: server.url, ca: server.ca, token: server.tokenOf('admin') },
      { onCall: ({ verb }) => (watches += verb === 'watch' ? 1 : 0) },
    );
    const scope = { apiVersion: 'apps/v1', kind: 'StatefulSet' };
    const store = new Store({ fieldManager: 'sallyport' });
    quiet = new Reflector({ client, store, scope, onChange: () => undefined });
    quiet.start();
  });
  afterAll(async () => {
    await quiet.stop();
    await client.close();
    await proxy.stop();
    await server.stop();
  });

  it('equal a fresh list after 60 seconds, and no change was missing for more than 5 seconds once the network had healed', async () => {
    const report = await missedEventSoak({ server, proxy, durationMs: SOAK_MS, seed: 20 });
    process.stderr.write(`${JSON.stringify(report)}\n`);
    expect(report.differences).toEqual([]);
    expect(report.worstLatenessMs).toBeLessThanOrEqual(5_000);
    expect(report.writes).toBeGreaterThan(500);
    expect(report.reconnects).toBeGreaterThan(20);
  });

  it('are quiet where nothing happens: bookmarks keep one watch alive and its version young', async () => {
    await eventually('a bookmark came', () => quiet.metrics().bookmarksTotal > 0, {
      timeoutMs: BOOKMARK_MS,
    });
    expect(watches).toBe(1);
    expect(quiet.metrics()).toMatchObject({ relistsTotal: 1, reconnectsTotal: 0 });
  });
});

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startFaultProxy } from '../../faults/fault-proxy.js';
import type { FaultProxy } from '../../faults/fault-proxy.js';
import type { TestApiServer } from '../bed/api-server.js';
import { applyBeacon, settled, startEngine, startEngineBed } from './engine-bed.js';

let server: TestApiServer;
let proxy: FaultProxy;
beforeAll(async () => {
  server = await startEngineBed();
  proxy = await startFaultProxy(server);
  for (const namespace of ['near', 'far']) await server.createNamespace(namespace);
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

it('plans nothing while a namespace of its scope was never read: a plan may read other namespaces', async () => {
  await applyBeacon(server, 'one', {}, { namespace: 'near' });
  proxy.add({ match: { path: /\/namespaces\/far\// }, fault: { kind: 'Delay', ms: 2_000 } });
  const running = startEngine(server, {
    url: proxy.url,
    scope: { type: 'Named', namespaces: ['near', 'far'] },
  });
  try {
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(running.engine.health().synced).toBe(false);
    expect(running.writes).toEqual([]);
    await settled(running);
    expect(running.writes.length).toBeGreaterThan(0);
  } finally {
    await running.stop();
  }
});

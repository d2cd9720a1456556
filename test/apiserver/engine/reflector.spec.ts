import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CallRecord, Scope } from '../../../src/kubernetes/client-types.js';
import { ClusterClient } from '../../../src/kubernetes/cluster.client.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { keyId } from '../../../src/kubernetes/object.js';
import { Reflector } from '../../../src/kubernetes/reflector.client.js';
import type { ReflectorTimings, RelistReason } from '../../../src/kubernetes/reflector.client.js';
import { Store } from '../../../src/kubernetes/store.js';
import { startFaultProxy } from '../../faults/fault-proxy.js';
import type { FaultProxy } from '../../faults/fault-proxy.js';
import { startApiServer } from '../bed/api-server.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';

let server: TestApiServer;
let proxy: FaultProxy;
let admin: ClusterClient;
let namespace: string;
let namespaces = 0;

/** A reflector behind the proxy, with everything that it told. */
interface Followed {
  readonly reflector: Reflector;
  readonly store: Store;
  readonly scope: Scope;
  readonly calls: CallRecord[];
  /** `Added a`, `Updated a`, `Deleted a tombstone`. */
  readonly changes: string[];
  readonly relists: RelistReason[];
  readonly handlerErrors: unknown[];
  readonly client: ClusterClient;
}

const open: Followed[] = [];
const SHORT: Partial<ReflectorTimings> = { backoff: { firstMs: 20, maxMs: 200 } };

function follow(
  timings: Partial<ReflectorTimings> = {},
  more: { scope?: Partial<Scope>; onChange?: () => void } = {},
): Followed {
  const calls: CallRecord[] = [];
  const changes: string[] = [];
  const relists: RelistReason[] = [];
  const handlerErrors: unknown[] = [];
  const config = { server: proxy.url, ca: server.ca, token: server.tokenOf('admin') };
  const client = new ClusterClient(config, { onCall: (record) => calls.push(record) });
  const store = new Store({ fieldManager: 'sallyport' });
  const scope = { apiVersion: 'v1', kind: 'ConfigMap', namespace, ...more.scope };
  const reflector = new Reflector({
    client,
    store,
    scope,
    timings: { ...SHORT, ...timings },
    onChange: ({ type, ref, tombstone }) => {
      changes.push(`${type} ${ref.name}${tombstone ? ' tombstone' : ''}`);
      more.onChange?.();
    },
    hooks: {
      onRelist: (_scope, reason) => relists.push(reason),
      onHandlerError: (_scope, error) => handlerErrors.push(error),
    },
  });
  const followed = { reflector, store, scope, calls, changes, relists, handlerErrors, client };
  open.push(followed);
  reflector.start();
  return followed;
}

const configMap = (name: string, data: Record<string, string> = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { app: 'test' } },
  data,
});
const write = (name: string, data: Record<string, string> = {}): Promise<KubernetesObject> =>
  admin.apply(configMap(name, data), { fieldManager: 'sallyport' });
const remove = (name: string): Promise<boolean> =>
  admin.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });

/** Waits until the cache equals a fresh list. */
async function equalsFreshList({ store, scope }: Followed, timeoutMs = 10_000): Promise<void> {
  const { items } = await admin.list(scope, { resourceVersion: '' });
  const fresh = Object.fromEntries(
    items.map(({ metadata }) => [
      keyId({ namespace: metadata.namespace ?? '', name: metadata.name }),
      `${metadata.uid}@${metadata.resourceVersion}`,
    ]),
  );
  let cached = {};
  const same = (): boolean => {
    cached = Object.fromEntries(store.versions(scope));
    return (
      Object.keys(cached).length === items.length &&
      JSON.stringify(sorted(cached)) === JSON.stringify(sorted(fresh))
    );
  };
  await eventually('the cache equals a fresh list', same, { timeoutMs });
  expect(cached).toEqual(fresh);
}
const sorted = (record: object): unknown =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
const watches = ({ calls }: Followed): number =>
  calls.filter(({ verb }) => verb === 'watch').length;
const lists = ({ calls }: Followed): number => calls.filter(({ verb }) => verb === 'list').length;
const watching = (followed: Followed, times = 1): Promise<boolean> =>
  eventually(`watch ${times} is open`, () => watches(followed) >= times);

beforeAll(async () => {
  server = await startApiServer();
  proxy = await startFaultProxy(server);
  admin = new ClusterClient({ server: server.url, ca: server.ca, token: server.tokenOf('admin') });
});
beforeEach(async () => {
  namespaces += 1;
  namespace = await server.createNamespace(`reflector-${namespaces}`);
});
afterEach(async () => {
  proxy.resume();
  await Promise.all(
    open.splice(0).map(async ({ reflector, client }) => {
      await reflector.stop();
      await client.close();
    }),
  );
});
afterAll(async () => {
  await admin.close();
  await proxy.stop();
  await server.stop();
});

describe('a reflector', () => {
  it('streams the whole set, publishes it at once, and follows it with the same request', async () => {
    await Promise.all(['a', 'b', 'c'].map((name) => write(name)));
    const followed = follow();
    await followed.reflector.synced;
    expect(followed.changes.slice().sort()).toEqual(['Added a', 'Added b', 'Added c']);
    expect(followed.reflector.hasSynced).toBe(true);
    await write('a', { x: '1' });
    await remove('b');
    await write('d');
    await equalsFreshList(followed);
    expect(followed.changes.slice(3)).toEqual(['Updated a', 'Deleted b', 'Added d']);
    expect([watches(followed), lists(followed)]).toEqual([1, 0]);
  });

  it('lists in pages when the server refuses to stream, and watches from there', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, i) => write(`n${i}`)));
    const refused = proxy.add({
      match: { path: 'sendInitialEvents' },
      fault: { kind: 'Status', code: 422 },
    });
    const followed = follow();
    await followed.reflector.synced;
    expect(followed.changes).toHaveLength(30);
    expect(lists(followed)).toBe(1);
    const listed = proxy.calls.findLast(
      ({ method, path }) => method === 'GET' && path.includes('limit='),
    );
    expect(listed?.path).toContain('resourceVersion=0');
    expect(listed?.path).toContain('limit=500');
    await write('later');
    await equalsFreshList(followed);
    refused.remove();
  });

  it('lists when the stream of the whole set stands still, and does not wait for it', async () => {
    await write('a');
    await write('b');
    const match = { path: namespace, watch: true };
    proxy.add({ match, fault: { kind: 'StallWatch', afterEvents: 1 } });
    const followed = follow({ initialMs: 500 });
    await followed.reflector.synced;
    expect(lists(followed)).toBe(1);
    await equalsFreshList(followed);
  });

  it('lists once more in one piece when the server forgets a list', async () => {
    await write('a');
    const streams = { path: 'sendInitialEvents' };
    proxy.add({ match: streams, fault: { kind: 'Status', code: 422 } });
    proxy.add({ match: { path: 'limit=' }, fault: { kind: 'Status', code: 410 } });
    const followed = follow();
    await followed.reflector.synced;
    expect(lists(followed)).toBe(2);
    expect(followed.relists).toEqual(['Start']);
    await equalsFreshList(followed);
  });

  it('asks for bookmarks, and for an end of the watch after 5 to 10 minutes at random', async () => {
    const followed = [follow(), follow(), follow()];
    await Promise.all(followed.map((each) => each.reflector.synced));
    const asked = proxy.calls.slice(-3).map(({ path }) => new URLSearchParams(path.split('?')[1]));
    const seconds = asked.map((query) => Number(query.get('timeoutSeconds')));
    expect(asked.map((query) => query.get('allowWatchBookmarks'))).toEqual([
      'true',
      'true',
      'true',
    ]);
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(300);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(600);
    expect(new Set(seconds).size).toBeGreaterThan(1);
  });

  it('opens the watch again without a list when the server ends it in order', async () => {
    const followed = follow({ watchMs: 1_000 });
    await followed.reflector.synced;
    await watching(followed, 3);
    await write('a');
    await equalsFreshList(followed);
    expect(followed.relists).toEqual(['Start']);
  });

  it('keeps to its label selector: an object that loses the label is deleted from the cache, and comes back with it', async () => {
    const followed = follow({}, { scope: { labelSelector: 'app=test' } });
    await followed.reflector.synced;
    await write('a');
    await eventually('a is there', () => followed.changes.includes('Added a'));
    const bare = { ...configMap('a'), metadata: { name: 'a', namespace } };
    await admin.apply(bare, { fieldManager: 'sallyport' });
    await eventually('a is gone', () => followed.changes.includes('Deleted a'));
    followed.store.put(await write('a'));
    await eventually('a is back', () => followed.store.versions(followed.scope).size === 1);
    await equalsFreshList(followed);
  });

  it('follows all namespaces when none is named', async () => {
    const followed = follow({}, { scope: { namespace: '' } });
    await followed.reflector.synced;
    await write('everywhere');
    await eventually('it is there', () =>
      followed.store.versions(followed.scope).has(`${namespace}/everywhere`),
    );
  });
});

describe('a reflector whose watch breaks', () => {
  it.each([
    [
      'is cut between two events',
      () => {
        proxy.cut();
      },
    ],
    [
      'is cut in the middle of a line',
      () => {
        proxy.cutWatches();
      },
    ],
    [
      'is closed in order',
      () => {
        proxy.closeWatches();
      },
    ],
  ])(
    'that %s goes on from the last version, without a list, and misses nothing',
    async (_how, harm) => {
      await write('before');
      const followed = follow();
      await followed.reflector.synced;
      await write('earlier');
      await write('earlier', { changed: 'yes' });
      await equalsFreshList(followed);
      harm();
      await write('while');
      await remove('before');
      await write('after');
      await equalsFreshList(followed);
      expect(followed.relists).toEqual(['Start']);
      // Each event came once: the new watch did not begin where the old one had.
      expect(followed.reflector.metrics().eventsTotal).toBe(5);
      expect(lists(followed)).toBe(0);
    },
  );

  it('goes on after a 500, and after ten of them', async () => {
    const followed = follow();
    await followed.reflector.synced;
    proxy.add({ match: { watch: true }, times: 10, fault: { kind: 'Status', code: 500 } });
    proxy.cut();
    await write('a');
    await equalsFreshList(followed);
    expect(followed.relists).toEqual(['Start']);
  });

  it.each([
    [
      'an ERROR event',
      () => {
        proxy.expireWatches();
      },
    ],
    [
      'an HTTP status',
      () => {
        proxy.add({ match: { watch: true }, fault: { kind: 'Status', code: 410 } });
        proxy.cut();
      },
    ],
  ])('reads the whole set again after a 410 as %s', async (_how, harm) => {
    await write('a');
    const followed = follow();
    await followed.reflector.synced;
    harm();
    await write('b');
    await equalsFreshList(followed);
    await eventually('it was read again', () => followed.relists.length === 2);
    expect(followed.relists).toEqual(['Start', 'Gone']);
  });

  it('reads the whole set again after a line that is no event', async () => {
    proxy.add({
      match: { path: namespace, watch: true },
      fault: { kind: 'BadLine', afterEvents: 1 },
    });
    const followed = follow();
    await eventually('it was read again', () => followed.relists.includes('BadLine'));
    await write('a');
    await equalsFreshList(followed);
  });

  it('reports what was deleted meanwhile as a tombstone, and a namesake as deleted and added', async () => {
    await Promise.all(['gone', 'again', 'stays'].map((name) => write(name)));
    const followed = follow();
    await followed.reflector.synced;
    followed.changes.length = 0;
    // The next session must start with a whole set, and finds out what it did not see.
    await proxy.down();
    await remove('gone');
    await remove('again');
    await write('again');
    proxy.add({ match: { watch: true }, fault: { kind: 'Status', code: 410 } });
    await proxy.up();
    await equalsFreshList(followed);
    expect(followed.changes.slice().sort()).toEqual([
      'Added again',
      'Deleted again tombstone',
      'Deleted gone tombstone',
    ]);
  });

  it('finds a half-open connection by its silence and opens another', async () => {
    const followed = follow({ livenessMs: 800 });
    await followed.reflector.synced;
    proxy.freezeWatches();
    await write('unheard');
    await equalsFreshList(followed);
    expect(followed.relists).toEqual(['Start']);
  });
});

describe('a reflector and its surroundings', () => {
  it('does not wait for a watch that is not answered as long as for one that is quiet', async () => {
    const followed = follow();
    await followed.reflector.synced;
    proxy.add({ match: { path: namespace, watch: true }, fault: { kind: 'Stall' } });
    proxy.cut();
    await write('a');
    await equalsFreshList(followed, 25_000);
  });

  it('waits for a server that is away, and says that it has synced only then', async () => {
    await write('a');
    await proxy.down();
    const followed = follow();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(followed.reflector.hasSynced).toBe(false);
    await proxy.up();
    await followed.reflector.synced;
    await equalsFreshList(followed);
  });

  it('pauses longer after each failure, with jitter, and not less because one watch was short', async () => {
    const followed = follow({ backoff: { firstMs: 40, maxMs: 640 } });
    await followed.reflector.synced;
    proxy.add({
      match: { path: namespace, watch: true },
      times: 6,
      fault: { kind: 'Status', code: 500 },
    });
    const begin = performance.now();
    proxy.cut();
    await watching(followed, 8);
    // Pauses of at least half of 40, 80, 160, 320, 640, 640, 640 ms.
    expect(performance.now() - begin).toBeGreaterThan(1_200);
    proxy.add({ match: { path: namespace, watch: true }, fault: { kind: 'Status', code: 500 } });
    const again = performance.now();
    proxy.cut();
    await watching(followed, 10);
    expect(performance.now() - again).toBeGreaterThan(600);
  });

  it('starts at the shortest pause again after a watch that lived long enough', async () => {
    const followed = follow({ healthyMs: 500, backoff: { firstMs: 40, maxMs: 20_000 } });
    await followed.reflector.synced;
    proxy.add({
      match: { path: namespace, watch: true },
      times: 6,
      fault: { kind: 'Status', code: 500 },
    });
    proxy.cut();
    await watching(followed, 8);
    await new Promise((resolve) => setTimeout(resolve, 700));
    const again = performance.now();
    proxy.cut();
    await watching(followed, 9);
    expect(performance.now() - again).toBeLessThan(1_000);
  });

  it('goes on when a handler throws', async () => {
    const followed = follow(
      {},
      {
        onChange: () => {
          throw new Error('of a handler');
        },
      },
    );
    await followed.reflector.synced;
    await write('a');
    await write('b');
    await equalsFreshList(followed);
    expect(followed.handlerErrors).toHaveLength(2);
    expect(watches(followed)).toBe(1);
  });

  it('opens one watch however often it is started, and leaves none however it is stopped', async () => {
    const followed = follow();
    followed.reflector.start();
    await followed.reflector.synced;
    expect(watches(followed)).toBe(1);
    await Promise.all([followed.reflector.stop(), followed.reflector.stop()]);
    await write('after');
    followed.reflector.start();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(followed.changes).toEqual([]);
    expect(watches(followed)).toBe(1);
  });

  it('leaves no watch behind when it is stopped while its first request is on the way', async () => {
    proxy.add({ match: { path: namespace, watch: true }, fault: { kind: 'Delay', ms: 300 } });
    const followed = follow();
    await followed.reflector.stop();
    await expect(followed.reflector.synced).rejects.toThrow('stopped before');
    await write('a');
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(followed.changes).toEqual([]);
    expect(followed.store.versions(followed.scope).size).toBe(0);
  });
});

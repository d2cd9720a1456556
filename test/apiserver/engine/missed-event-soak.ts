import { ClusterClient } from '../../../src/kubernetes/cluster.client.js';
import type { Scope } from '../../../src/kubernetes/client-types.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { keyId } from '../../../src/kubernetes/object.js';
import { Reflector } from '../../../src/kubernetes/reflector.client.js';
import { isOlder } from '../../../src/kubernetes/resource-version.js';
import { Store } from '../../../src/kubernetes/store.js';
import type { Change } from '../../../src/kubernetes/store.js';
import type { FaultProxy } from '../../faults/fault-proxy.js';
import type { TestApiServer } from '../bed/api-server.js';

/** What a soak needs. */
export interface SoakOptions {
  readonly server: TestApiServer;
  readonly proxy: FaultProxy;
  readonly durationMs: number;
  readonly seed: number;
}

/** What a soak saw. */
export interface SoakReport {
  readonly writes: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly relists: number;
  readonly reconnects: number;
  /** The longest that a change was missing from the cache after it was written, or after the network had healed. */
  readonly worstLatenessMs: number;
  /** Objects in which the cache, what the handlers were told, and a fresh list differ at the end. */
  readonly differences: readonly string[];
}

const NAMES = 150;
const CHAOS_MS = 6_000;
const HEALED_MS = 6_000;

/** The state of one name as the writer left it. */
interface Written {
  /** `uid@resourceVersion`, or undefined when it was deleted or lost its label. */
  readonly version: string | undefined;
  readonly resourceVersion: string;
  readonly atMs: number;
}

/** One kind that is written and followed. */
class Followed {
  readonly store = new Store({ fieldManager: 'sallyport' });
  /** What handlers were told, and nothing else. */
  readonly told = new Map<string, string>();
  readonly written = new Map<string, Written>();
  readonly reflector: Reflector;
  readonly client: ClusterClient;

  constructor(
    server: TestApiServer,
    url: string,
    readonly scope: Scope,
  ) {
    this.client = new ClusterClient({ server: url, ca: server.ca, token: server.tokenOf('admin') });
    const { client, store } = this;
    const onChange = (change: Change): void => {
      this.tell(change);
    };
    this.reflector = new Reflector({ client, store, scope, onChange });
  }

  /** How long each change that is not in the cache yet has been missing; those that are there are forgotten. */
  missingMs(healedAtMs: number, nowMs: number): number {
    const cached = this.store.versions(this.scope);
    let worst = 0;
    for (const [key, written] of this.written) {
      const now = cached.get(key);
      if (now === written.version || (now !== undefined && isLater(now, written))) {
        this.written.delete(key);
      } else worst = Math.max(worst, nowMs - Math.max(written.atMs, healedAtMs));
    }
    return worst;
  }

  private tell({ type, ref, uid, now }: Change): void {
    const key = keyId(ref);
    const version = now.own ? now.object.metadata.resourceVersion : now.child.resourceVersion;
    if (type !== 'Deleted') this.told.set(key, `${uid}@${version}`);
    else if (this.told.get(key)?.startsWith(`${uid}@`)) this.told.delete(key);
  }
}

function isLater(cached: string, { resourceVersion }: Written): boolean {
  return isOlder(resourceVersion, cached.slice(cached.indexOf('@') + 1));
}

/**
 * Writes and deletes objects while the network between reflectors and API server is broken and healed in
 * turns. In each healed turn and at the end every change must reach the cache.
 */
export async function missedEventSoak(options: SoakOptions): Promise<SoakReport> {
  const { server, proxy, durationMs } = options;
  const random = randomOf(options.seed);
  const namespace = await server.createNamespace(`soak-${options.seed}`);
  const admin = new ClusterClient({
    server: server.url,
    ca: server.ca,
    token: server.tokenOf('admin'),
  });
  const labelSelector = 'soak=yes';
  const kinds = ['ConfigMap', 'Secret', 'Service'].map(
    (kind) =>
      new Followed(server, proxy.url, {
        apiVersion: 'v1',
        kind,
        labelSelector,
        namespace: kind === 'Secret' ? '' : namespace,
      }),
  );
  for (const { reflector } of kinds) reflector.start();
  await Promise.all(kinds.map(({ reflector }) => reflector.synced));
  const endMs = performance.now() + durationMs;
  const writer = new Writer(admin, namespace, random);
  const writing = writer.run(kinds, () => performance.now() < endMs);
  const faults: Record<string, number> = {};
  let worst = 0;
  while (performance.now() < endMs) {
    await chaos(proxy, random, faults);
    await heal(proxy);
    worst = Math.max(worst, await watchHealed(kinds, HEALED_MS));
  }
  await writing;
  worst = Math.max(worst, await watchHealed(kinds, 20_000));
  const differences = (await Promise.all(kinds.map((kind) => compare(admin, kind)))).flat();
  const metrics = kinds.map(({ reflector }) => reflector.metrics());
  await Promise.all(
    kinds.map(async ({ reflector, client }) => {
      await reflector.stop();
      await client.close();
    }),
  );
  await admin.close();
  return {
    writes: writer.writes,
    faults,
    relists: metrics.reduce((sum, { relistsTotal }) => sum + relistsTotal, 0),
    reconnects: metrics.reduce((sum, { reconnectsTotal }) => sum + reconnectsTotal, 0),
    worstLatenessMs: Math.round(worst),
    differences,
  };
}

/** Looks for missing changes for `forMs`, or until there are none and nothing is written any more. */
async function watchHealed(kinds: readonly Followed[], forMs: number): Promise<number> {
  const healedAtMs = performance.now();
  let worst = 0;
  while (performance.now() - healedAtMs < forMs) {
    const nowMs = performance.now();
    for (const kind of kinds) worst = Math.max(worst, kind.missingMs(healedAtMs, nowMs));
    if (kinds.every(({ written }) => written.size === 0) && forMs > HEALED_MS) break;
    await sleep(25);
  }
  return worst;
}

type Harm = (proxy: FaultProxy) => void | Promise<void>;

const REFUSED =
  (code: 410 | 429 | 500): Harm =>
  (proxy) => {
    proxy.add({ match: { watch: true }, times: 2, fault: { kind: 'Status', code } });
    proxy.cut();
  };

const HARMS: Readonly<Record<string, Harm>> = {
  cut: (proxy) => {
    proxy.cut();
  },
  'cut mid-line': (proxy) => {
    proxy.cutWatches();
  },
  close: (proxy) => {
    proxy.closeWatches();
  },
  'expire in stream': (proxy) => {
    proxy.expireWatches();
  },
  'freeze watches': (proxy) => {
    proxy.freezeWatches();
  },
  stall: (proxy) => {
    proxy.stall();
  },
  resume: (proxy) => {
    proxy.resume();
  },
  'bad line': (proxy) => {
    proxy.add({ match: { watch: true }, fault: { kind: 'BadLine', afterEvents: 3 } });
    proxy.closeWatches();
  },
  'cut in the initial events': (proxy) => {
    proxy.add({
      match: { path: 'sendInitialEvents' },
      fault: { kind: 'CutMidLine', afterEvents: 20 },
    });
    proxy.expireWatches();
  },
  'no stream, and a list without an answer': (proxy) => {
    proxy.add({ match: { path: 'sendInitialEvents' }, fault: { kind: 'Status', code: 422 } });
    proxy.add({ match: { path: 'limit=' }, fault: { kind: 'DropAnswer' } });
    proxy.expireWatches();
  },
  down: async (proxy) => {
    await proxy.down();
    await sleep(800);
    await proxy.up();
  },
  'status 410': REFUSED(410),
  'status 429': REFUSED(429),
  'status 500': REFUSED(500),
};

async function chaos(
  proxy: FaultProxy,
  random: () => number,
  faults: Record<string, number>,
): Promise<void> {
  const names = Object.keys(HARMS);
  const endMs = performance.now() + CHAOS_MS;
  while (performance.now() < endMs) {
    const name = names[Math.floor(random() * names.length)]!;
    faults[name] = (faults[name] ?? 0) + 1;
    await HARMS[name]!(proxy);
    await sleep(100 + random() * 600);
  }
}

async function heal(proxy: FaultProxy): Promise<void> {
  proxy.clear();
  proxy.resume();
  await proxy.up();
}

/** Creates, changes, unlabels and deletes objects, straight at the API server. */
class Writer {
  writes = 0;

  constructor(
    private readonly admin: ClusterClient,
    private readonly namespace: string,
    private readonly random: () => number,
  ) {}

  async run(kinds: readonly Followed[], goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      await Promise.all(kinds.map((kind) => this.write(kind)));
      await sleep(10);
    }
  }

  private async write(followed: Followed): Promise<void> {
    const name = `o${Math.floor(this.random() * NAMES)}`;
    const { apiVersion, kind } = followed.scope;
    const { namespace } = this;
    const dice = this.random();
    this.writes += 1;
    if (dice < 0.3) {
      const ref = { apiVersion, kind, namespace, name };
      await this.admin.delete(ref);
      // A later write of the same name has a later version than anything before it.
      followed.written.set(keyId(ref), {
        version: undefined,
        resourceVersion: '',
        atMs: performance.now(),
      });
      return;
    }
    const labels: Record<string, string> = dice < 0.4 ? {} : { soak: 'yes' };
    const object: KubernetesObject = {
      apiVersion,
      kind,
      metadata: { name, namespace, labels, annotations: { written: String(this.writes) } },
      ...(kind === 'Service' ? { spec: { clusterIP: 'None', ports: [{ port: 1 }] } } : {}),
    };
    const { metadata } = await this.admin.apply(object, { fieldManager: 'writer' });
    const resourceVersion = metadata.resourceVersion ?? '';
    const version = labels['soak'] ? `${metadata.uid}@${resourceVersion}` : undefined;
    followed.written.set(keyId({ namespace, name }), {
      version,
      resourceVersion,
      atMs: performance.now(),
    });
  }
}

async function compare(admin: ClusterClient, { scope, store, told }: Followed): Promise<string[]> {
  const { items } = await admin.list(scope, { resourceVersion: '' });
  const fresh = new Map(
    items.map(({ metadata }) => [
      keyId({ namespace: metadata.namespace ?? '', name: metadata.name }),
      `${metadata.uid}@${metadata.resourceVersion}`,
    ]),
  );
  const cached = store.versions(scope);
  const keys = new Set([...fresh.keys(), ...cached.keys(), ...told.keys()]);
  return [...keys].flatMap((key) => {
    const all = [fresh.get(key), cached.get(key), told.get(key)];
    return new Set(all).size === 1 ? [] : [`${scope.kind} ${key}: ${all.join(' ')}`];
  });
}

/** mulberry32: small, and the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

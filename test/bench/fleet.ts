import { eventually } from '../apiserver/bed/eventually.js';
import type { TestApiServer } from '../apiserver/bed/api-server.js';
import type { Calls } from '../apiserver/bed/audit-log.js';
import type { ClusterClient } from '../../src/kubernetes/cluster.client.js';
import type { KubernetesObject } from '../../src/kubernetes/object.js';

const KINDS: readonly (readonly [string, string])[] = [
  ['v1', 'Secret'],
  ['v1', 'ConfigMap'],
  ['v1', 'Service'],
  ['v1', 'ServiceAccount'],
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler'],
];
const NAMESPACE = 'fleet';
const CONNECTIONS = 24;
const OURS = 'app.kubernetes.io/managed-by=sallyport';

/** Many SignalingGateways in one namespace, and what is done to them. */
export class Fleet {
  constructor(
    readonly server: TestApiServer,
    private readonly client: ClusterClient,
    readonly size: number,
  ) {}

  /** Creates all gateways with 24 connections; gives the time of the first, in milliseconds since 1970. */
  async createAll(): Promise<number> {
    await this.server.createNamespace(NAMESPACE);
    const begin = Date.now();
    await inParallel(
      Array.from({ length: this.size }, (_, index) => index),
      async (index) => {
        await this.client.create(gateway(index));
      },
    );
    return begin;
  }

  /** Waits until `user` has not called for four seconds; gives its calls since `mark`. */
  async callsUntilQuiet(user: string, mark: number): Promise<Calls> {
    for (let before = -1; ;) {
      const calls = await this.server.callsOf(user, { since: mark });
      if (calls.total === before) return calls;
      before = calls.total;
      await new Promise((resolve) => setTimeout(resolve, 4_000));
    }
  }

  /** How many objects the operator made in the namespace. */
  async countChildren(): Promise<number> {
    return (await this.children()).length;
  }

  /** Applies the same objects into another namespace, in a bare loop; gives the seconds. */
  async bareApply(): Promise<number> {
    const objects = (await this.children()).map(bare);
    await this.server.createNamespace('bare');
    const begin = performance.now();
    await inParallel(objects, async (object) => {
      await this.client.apply(object, { fieldManager: 'bench', force: true });
    });
    return (performance.now() - begin) / 1000;
  }

  /** A change of every gateway that needs nothing: each is looked at once more. */
  async touchAll(): Promise<void> {
    await inParallel(
      Array.from({ length: this.size }, (_, index) => index),
      async (index) => {
        const { apiVersion, kind, metadata } = gateway(index);
        const annotations = { 'bench.example/touched': `${Date.now()}` };
        await this.client.apply(
          { apiVersion, kind, metadata: { ...metadata, annotations } },
          { fieldManager: 'bench-touch', force: true },
        );
      },
    );
  }

  /** Edits one gateway and waits until its settings say so; gives the milliseconds. */
  async editUntilApplied(index: number, timeoutMs = 30_000): Promise<number> {
    const { apiVersion, kind, metadata } = gateway(index);
    const value = 100 + Math.floor(Math.random() * 800);
    const name = `${metadata.name}-gateway-settings`;
    const seen = this.seen(
      'ConfigMap',
      name,
      (object) =>
        JSON.stringify(object['data']).includes(`essagesPerSessionPerSecond\\":${value}`) ||
        JSON.stringify(object['data']).includes(`essagesPerSessionPerSecond\\": ${value}`),
      timeoutMs,
    );
    await seen.open;
    const begin = performance.now();
    await this.client.apply(
      { apiVersion, kind, metadata, spec: { rateLimits: { messagesPerSessionPerSecond: value } } },
      { fieldManager: 'bench-edit', force: true },
    );
    await seen.done;
    return performance.now() - begin;
  }

  /** Changes a Service behind the operator's back and waits until it is as before; gives the milliseconds. */
  async driftUntilRepaired(index: number): Promise<number> {
    const name = `${gateway(index).metadata.name}-gateway`;
    const ref = { apiVersion: 'v1', kind: 'Service', namespace: NAMESPACE, name };
    const before = await this.client.get(ref);
    const selector = (before['spec'] as { selector: Record<string, string> }).selector;
    const seen = this.seen('Service', name, (object) => {
      const now = (object['spec'] as { selector: Record<string, string> }).selector;
      return (
        JSON.stringify(now) === JSON.stringify(selector) &&
        object.metadata.resourceVersion !== before.metadata.resourceVersion
      );
    });
    await seen.open;
    const begin = performance.now();
    const [key] = Object.keys(selector);
    const changed = {
      ...(before['spec'] as object),
      selector: { ...selector, [key!]: 'somebody-else' },
    };
    await this.client.replace({ ...before, spec: changed }, { fieldManager: 'bench-drift' });
    await seen.done;
    return performance.now() - begin;
  }

  /** After an outage: waits until calls work again. */
  async reopen(): Promise<void> {
    await eventually('the API server answers the bench', () => this.client.readJson('/version'), {
      timeoutMs: 30_000,
    });
  }

  /** Creates Secrets that are none of the operator's business, of a kilobyte each. */
  async createForeignSecrets(count: number): Promise<void> {
    await this.server.createNamespace('foreign');
    const data = { blob: Buffer.alloc(700, 7).toString('base64') };
    await inParallel(
      Array.from({ length: count }, (_, index) => index),
      async (index) => {
        await this.client.create({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: `s-${index}`, namespace: 'foreign' },
          type: 'Opaque',
          data,
        });
      },
    );
  }

  private async children(): Promise<readonly KubernetesObject[]> {
    const lists = await Promise.all(
      KINDS.map(async ([apiVersion, kind]) => {
        const { items } = await this.client.list({
          apiVersion,
          kind,
          namespace: NAMESPACE,
          labelSelector: OURS,
        });
        return items.map((item) => ({ ...item, apiVersion, kind }));
      }),
    );
    return lists.flat();
  }

  /** Watches one object: `open` when the watch stands, `done` when `holds` was seen. */
  private seen(
    kind: string,
    name: string,
    holds: (object: KubernetesObject) => boolean,
    timeoutMs = 30_000,
  ): { open: Promise<void>; done: Promise<void> } {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      abort.abort(new Error(`${kind} ${name} did not change within ${timeoutMs} ms`));
    }, timeoutMs);
    let opened = (): void => undefined;
    const open = new Promise<void>((resolve) => (opened = resolve));
    const done = (async () => {
      try {
        const scope = {
          apiVersion: 'v1',
          kind,
          namespace: NAMESPACE,
          fieldSelector: `metadata.name=${name}`,
        };
        const { resourceVersion } = await this.client.list(scope);
        const events = this.client.watch(scope, {
          resourceVersion,
          timeoutSeconds: 120,
          livenessMs: 120_000,
          signal: abort.signal,
        });
        opened();
        for await (const event of events) {
          if ('object' in event && holds(event.object)) return;
        }
        throw new Error(`the watch of ${kind} ${name} ended`);
      } finally {
        clearTimeout(timer);
        abort.abort();
      }
    })();
    done.catch(() => {
      opened();
    });
    return { open, done };
  }
}

function gateway(index: number): KubernetesObject {
  return {
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'SignalingGateway',
    metadata: { name: `g-${String(index).padStart(4, '0')}`, namespace: NAMESPACE },
    spec: {
      hosts: [`g-${index}.fleet.example`],
      listener: { tls: { internal: {} } },
      allowedOrigins: [`https://app-${index}.fleet.example`],
      rateLimits: { messagesPerSessionPerSecond: 50 },
    },
  };
}

/** The object as somebody would write it: nothing that the server fills in, nothing that makes it ours. */
function bare(object: KubernetesObject): KubernetesObject {
  const { name, labels, annotations } = object.metadata;
  const { status: _status, ...rest } = object as KubernetesObject & { status?: unknown };
  const renamed = Object.fromEntries(
    Object.entries(labels ?? {}).map(([key, value]) => [
      key === 'app.kubernetes.io/managed-by' ? 'app.kubernetes.io/made-by' : key,
      value,
    ]),
  );
  const spec = rest['spec'] as Record<string, unknown> | undefined;
  const { clusterIP: _ip, clusterIPs: _ips, ...kept } = spec ?? {};
  return {
    ...rest,
    ...(spec && { spec: kept }),
    metadata: { name, namespace: 'bare', labels: renamed, ...(annotations && { annotations }) },
  };
}

/** Runs `work` over `items`, 24 at a time. */
async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}

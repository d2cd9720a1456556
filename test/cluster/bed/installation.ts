/*
 * Our product in the cluster of the test run: the chart, resources, and pods of people.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAll } from 'js-yaml';
import type { AnyObject, Json } from '../../apiserver/bed/admin.js';
import { eventually } from '../../apiserver/bed/eventually.js';
import { API_SERVER_SERVICE, NODE_ADDRESS, POD_RANGE, SERVICE_RANGE } from './addresses.js';
import type { ClusterAccess } from './cluster.js';
import { Cluster } from './cluster.js';

/** Names the file in which the setup of the run says where everything is. */
export const STATE_VARIABLE = 'SALLYPORT_TEST_CLUSTER';

/** What the setup of the run says. */
export interface ClusterState extends ClusterAccess {
  /** The binary. */
  readonly helm: string;
  /** Digest of our image, which is in the node's store. */
  readonly digest: string;
}

/** Where the operator runs. */
export const SYSTEM = 'sallyport-system';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const GROUP = '/apis/sallyport.dev/v1alpha1';

/** The cluster of this run with our chart. */
export class Installation {
  readonly cluster: Cluster;

  private constructor(readonly state: ClusterState) {
    this.cluster = new Cluster(state);
  }

  /** The cluster that the setup of the run started. @throws Error outside of `npm run test:cluster` */
  static attach(): Installation {
    const file = process.env[STATE_VARIABLE];
    if (file === undefined) throw new Error('There is no cluster: npm run test:cluster makes one.');
    return new Installation(JSON.parse(readFileSync(file, 'utf8')) as ClusterState);
  }

  /** The cluster with the operator of this checkout, installed if it is not yet. */
  static ready(): Installation {
    const installation = Installation.attach();
    installation.helm(['upgrade', '--install', ...installation.chartWords(), '--wait']);
    return installation;
  }

  /** Takes the operator away, as an administrator does; without one it does nothing. */
  uninstall(): void {
    const words = ['uninstall', 'sallyport', '--namespace', SYSTEM, '--ignore-not-found', '--wait'];
    this.helm(words);
  }

  /** Release, chart and the values of this cluster. */
  chartWords(): string[] {
    const values = {
      'image.digest': this.state.digest,
      'cluster.serviceCIDRs': `{${SERVICE_RANGE}}`,
      'cluster.apiServer': `{${NODE_ADDRESS}/32,${API_SERVER_SERVICE}/32}`,
      'cluster.podCIDRs': `{${POD_RANGE},${NODE_ADDRESS}/32}`,
    };
    const set = Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const chart = join(ROOT, 'charts', 'sallyport');
    return ['sallyport', chart, '--namespace', SYSTEM, '--create-namespace', ...set];
  }

  /** Helm as the administrator. @throws Error with what it said */
  helm(args: readonly string[]): string {
    const { helm, folder } = this.state;
    const home = ['env', `HOME=${folder}`, helm, '--kubeconfig', join(folder, 'kubeconfig-admin')];
    return this.cluster.node([...home, ...args], { timeoutMs: 180_000 });
  }

  /** A namespace that demands restricted pods. */
  async namespace(name: string): Promise<void> {
    await this.cluster.admin.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
  }

  /** Removes a namespace; gives back when it is gone, and the volumes that its claims held are empty again. */
  async removeNamespace(name: string): Promise<void> {
    const { admin } = this.cluster;
    // One that has gone already only leaves its volumes.
    await admin.request('DELETE', `/api/v1/namespaces/${name}`);
    const patience = { timeoutMs: 90_000, everyMs: 500 };
    await eventually(
      `namespace ${name} is gone`,
      async () => (await admin.get(`/api/v1/namespaces/${name}`)) === undefined,
      patience,
    );
    const { items } = (await admin.call('GET', '/api/v1/persistentvolumes')) as { items: Json[] };
    for (const volume of items.filter(({ status }) => status?.phase === 'Released')) {
      this.cluster.node(['find', volume.spec.local.path as string, '-mindepth', '1', '-delete']);
      const path = `/api/v1/persistentvolumes/${volume.metadata.name as string}`;
      const contentType = 'application/merge-patch+json';
      await admin.call('PATCH', path, { spec: { claimRef: null } }, { contentType });
    }
  }

  /** Applies every file of a folder of this checkout, each object changed by `change`. */
  async applyFolder(
    folder: string,
    namespace: string,
    change: (object: AnyObject) => AnyObject = (object) => object,
  ): Promise<void> {
    for (const name of readdirSync(join(ROOT, folder)).sort()) {
      const documents = loadAll(readFileSync(join(ROOT, folder, name), 'utf8')) as AnyObject[];
      for (const document of documents) await this.apply(change(document), namespace);
    }
  }

  /** Applies one object. */
  async apply(object: AnyObject, namespace: string): Promise<void> {
    await this.cluster.admin.apply(object, { namespace });
  }

  /** One resource of ours, by the plural of its kind. */
  resource(namespace: string, plural: string, name: string): Promise<Json> {
    return this.cluster.admin.get(`${GROUP}/namespaces/${namespace}/${plural}/${name}`);
  }

  /** Waits until every gateway and pool of a namespace is Ready; gives the milliseconds that it took. */
  async allReady(namespace: string, timeoutMs = 60_000): Promise<number> {
    const began = performance.now();
    await eventually(
      `everything in ${namespace} is Ready`,
      async () => {
        const lists = await Promise.all(
          ['signalinggateways', 'relaypools', 'accessroles', 'retentionpolicies'].map((plural) =>
            this.cluster.admin.get(`${GROUP}/namespaces/${namespace}/${plural}`),
          ),
        );
        const items = lists.flatMap((list): Json[] => list.items as Json[]);
        const waiting = items.filter((item) => !isReady(item));
        if (items.length > 0 && waiting.length === 0) return true;
        throw new Error(waiting.map(verdict).join('\n'));
      },
      { timeoutMs, everyMs: 250 },
    );
    return performance.now() - began;
  }
}

const isReady = ({ status, metadata }: Json): boolean =>
  status?.observedGeneration === metadata.generation &&
  (status?.conditions as Json[] | undefined)?.some(
    (one) => one.type === 'Ready' && one.status === 'True',
  ) === true;

const verdict = ({ kind, metadata, status }: Json): string => {
  const ready = (status?.conditions as Json[] | undefined)?.find((one) => one.type === 'Ready');
  return `${kind} ${metadata.name}: ${ready?.reason ?? 'no status'} ${ready?.message ?? ''}`;
};

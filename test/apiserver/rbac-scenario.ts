import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { AnyObject } from './bed/admin.js';
import type { TestApiServer } from './bed/api-server.js';
import { eventually } from './bed/eventually.js';
import { selfSigned } from './rbac-certificate.js';

/*
 * A life of every kind of resource in one namespace, from config/samples: created, edited, scaled, handed to an
 * autoscaler and back, rotated, drifted, deleted. An operator beside it uses what it may do.
 */

const SAMPLES = join(import.meta.dirname, '../../config/samples');
const OURS = '/apis/sallyport.dev/v1alpha1/namespaces';

/** The kinds of others that the operator writes where they exist, as loose definitions. */
export async function installOptionalKinds(server: TestApiServer): Promise<void> {
  const kinds = [
    ['cert-manager.io', 'Certificate', 'certificates'],
    ['monitoring.coreos.com', 'ServiceMonitor', 'servicemonitors'],
    ['monitoring.coreos.com', 'PrometheusRule', 'prometheusrules'],
  ] as const;
  for (const [group, kind, plural] of kinds) {
    const schema = {
      openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    };
    await server.admin.apply({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind, plural, singular: kind.toLowerCase() },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    });
    await eventually(`${kind} is served`, () => server.admin.get(`/apis/${group}/v1/${plural}`));
  }
}

/** Secrets that the samples name, with `secret` in each value. */
export async function createNamedSecrets(
  server: TestApiServer,
  namespace: string,
  secret: string,
): Promise<void> {
  const uri = { uri: `postgresql://sallyport:${secret}@db.example.com/sallyport` };
  const secrets: Readonly<Record<string, Record<string, string>>> = {
    'edge-database-runtime': uri,
    'edge-database-owner': uri,
    'edge-database-ca': { 'ca.crt': 'no certificate' },
    'edge-nats': { 'user.creds': secret },
    'edge-nats-ca': { 'ca.crt': 'no certificate' },
    registry: { '.dockerconfigjson': '{}' },
    'talk-example-com': await selfSigned(['talk.example.com']),
    // What cert-manager would make of the Certificate.
    'edge-gateway-tls': await selfSigned(['chat.example.com', 'chat.example.org']),
    'own-certificate': await selfSigned(['chat.example.com', 'chat.example.org']),
  };
  for (const [name, stringData] of Object.entries(secrets)) {
    await server.admin.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace },
      stringData,
    });
  }
}

/** Applies samples in `namespace`. */
export async function applySamples(
  server: TestApiServer,
  namespace: string,
  ...names: string[]
): Promise<void> {
  for (const name of names) {
    for (const object of loadAll(
      await readFile(join(SAMPLES, `${name}.yaml`), 'utf8'),
    ) as AnyObject[]) {
      await server.admin.apply(object, { namespace });
    }
  }
}

/** Path of a resource of ours. */
export const pathIn = (namespace: string, plural: string, name: string): string =>
  `${OURS}/${namespace}/${plural}/${name}`;

/** Merges `patch` into the object at `path`, as a user would with kubectl. */
export async function edit(server: TestApiServer, path: string, patch: object): Promise<void> {
  await server.admin.call('PATCH', path, patch, { contentType: 'application/merge-patch+json' });
}

/** Waits until the operator has looked at the present form of the resource, and gives it. */
export async function observed(server: TestApiServer, path: string): Promise<AnyObject> {
  const look = async (): Promise<AnyObject | undefined> => {
    const resource = (await server.admin.get(path)) as AnyObject;
    const { observedGeneration } = resource['status'] as { observedGeneration?: number };
    return observedGeneration === resource.metadata['generation'] ? resource : undefined;
  };
  return eventually(`${path} is observed`, look, { timeoutMs: 20_000 });
}

/** Waits until the object at `path` exists, or until it does not. */
export function exists(server: TestApiServer, path: string, wanted = true): Promise<boolean> {
  const what = `${path} ${wanted ? 'exists' : 'is gone'}`;
  const look = async () => ((await server.admin.get(path)) !== undefined) === wanted;
  return eventually(what, look, { timeoutMs: 20_000 });
}

/** Kinds of children as their paths have them. */
const CHILDREN = [
  'api/v1 secrets',
  'api/v1 configmaps',
  'api/v1 services',
  'api/v1 serviceaccounts',
  'apis/apps/v1 deployments',
  'apis/apps/v1 statefulsets',
  'apis/apps/v1 controllerrevisions',
  'apis/networking.k8s.io/v1 networkpolicies',
  'apis/networking.k8s.io/v1 ingresses',
  'apis/policy/v1 poddisruptionbudgets',
  'apis/autoscaling/v2 horizontalpodautoscalers',
  'apis/cert-manager.io/v1 certificates',
  'apis/monitoring.coreos.com/v1 servicemonitors',
] as const;

/** Every object of ours in `namespace`, with its path. */
export async function childrenIn(
  server: TestApiServer,
  namespace: string,
): Promise<{ readonly path: string; readonly object: AnyObject }[]> {
  const lists = CHILDREN.map(async (kind) => {
    const [root, plural] = kind.split(' ') as [string, string];
    const collection = `/${root}/namespaces/${namespace}/${plural}`;
    const list = (await server.admin.get(
      `${collection}?labelSelector=app.kubernetes.io/managed-by%3Dsallyport`,
    )) as { readonly items?: AnyObject[] } | undefined;
    return (list?.items ?? []).map((object) => ({
      path: `${collection}/${object.metadata.name}`,
      object,
    }));
  });
  return (await Promise.all(lists)).flat();
}

const PART_OF = 'app.kubernetes.io/part-of';

/**
 * Edits a label of one child of each kind but Secrets (their data is what counts, see `tamper`), as somebody who knows
 * no better, and waits until all are repaired.
 */
export async function driftEachKind(server: TestApiServer, namespace: string): Promise<string[]> {
  const children = await childrenIn(server, namespace);
  const others = children.filter(({ path }) => !path.includes('/secrets/'));
  const oneEach = new Map(others.map((child) => [child.path.split('/').at(-2)!, child]));
  for (const { path } of oneEach.values()) {
    await edit(server, path, { metadata: { labels: { [PART_OF]: 'somebody-else' } } });
  }
  for (const { path } of oneEach.values()) {
    await eventually(
      `${path} is repaired`,
      async () =>
        ((await server.admin.get(path)) as AnyObject).metadata.labels?.[PART_OF] === 'sallyport',
      { timeoutMs: 20_000 },
    );
  }
  return [...oneEach.keys()].sort();
}

/** Deletes every resource of ours in `namespace`. */
export async function deleteResources(server: TestApiServer, namespace: string): Promise<void> {
  for (const plural of ['accessroles', 'retentionpolicies', 'signalinggateways', 'relaypools']) {
    await server.admin.call('DELETE', `${OURS}/${namespace}/${plural}`);
  }
}

/** Overwrites the data of a key Secret of ours, and waits until its keys are others. */
export async function tamper(server: TestApiServer, path: string): Promise<void> {
  const { data, metadata } = (await server.admin.get(path)) as AnyObject;
  const key = Object.keys(data as object)[0]!;
  await edit(server, path, { data: { [key]: Buffer.from('tampered').toString('base64') } });
  await eventually(`${path} has other keys`, async () => {
    const now = ((await server.admin.get(path)) as AnyObject).metadata.annotations;
    return now?.['sallyport.dev/keys'] !== metadata.annotations?.['sallyport.dev/keys'];
  });
}

/** Writes the status that the controllers of Kubernetes would write once every pod of a workload is ready. */
export async function markReady(server: TestApiServer, path: string): Promise<void> {
  const { metadata, spec } = (await server.admin.get(path)) as AnyObject;
  const replicas = (spec as { replicas?: number }).replicas ?? 1;
  await edit(server, `${path}/status`, {
    status: {
      observedGeneration: metadata['generation'],
      replicas,
      readyReplicas: replicas,
      updatedReplicas: replicas,
      availableReplicas: replicas,
    },
  });
}

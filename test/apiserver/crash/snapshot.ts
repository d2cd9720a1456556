import { RESOURCE_KINDS } from '../../../src/kubernetes/resources.js';
import type { TestApiServer } from '../bed/api-server.js';

const LEFT_OUT: ReadonlySet<string> = new Set(['Event', 'Lease', 'Namespace', 'Pod']);
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const HEX = /\b[0-9a-f]{16,}\b/g;
const TOKEN = /[A-Za-z0-9+/_-]{20,}={0,2}/g;
const PEM = /-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g;

/**
 * What stands in a namespace, written so that two runs can be compared: random material, times and identities are
 * replaced by what they are; everything else stays to the letter.
 */
export async function snapshot(
  server: TestApiServer,
  namespace: string,
): Promise<Readonly<Record<string, string>>> {
  const kinds = RESOURCE_KINDS.filter(
    ({ kind, namespaced, optional }) => namespaced && optional !== true && !LEFT_OUT.has(kind),
  );
  const lists = await Promise.all(
    kinds.map(async ({ apiVersion, kind, plural }) => {
      const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      const { items } = (await server.admin.get(`${path}/namespaces/${namespace}/${plural}`)) as {
        items: Item[];
      };
      return items.map(
        (item) => [`${kind}/${item.metadata.name}`, comparable(item, namespace)] as const,
      );
    }),
  );
  return Object.fromEntries(
    lists
      .flat()
      .filter(([name]) => !PROVIDED.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Objects that Kubernetes itself puts into every namespace. */
const PROVIDED: ReadonlySet<string> = new Set([
  'ConfigMap/kube-root-ca.crt',
  'ServiceAccount/default',
]);

interface Item {
  readonly metadata: Record<string, unknown> & { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

function comparable(item: Item, namespace: string): string {
  const {
    uid: _uid,
    resourceVersion: _version,
    generation: _generation,
    creationTimestamp: _created,
    managedFields: _fields,
    ...metadata
  } = item.metadata;
  const secret = 'type' in item && item.data !== undefined;
  const data = secret ? Object.keys(item.data ?? {}).sort() : item.data;
  const spec = item['spec'] as Record<string, unknown> | undefined;
  const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec ?? {};
  const text = JSON.stringify({
    ...item,
    metadata,
    ...(data !== undefined && { data }),
    ...(spec && { spec: rest }),
  });
  return text
    .replaceAll(namespace, '<namespace>')
    .replace(PEM, '<pem>')
    .replace(UUID, '<uid>')
    .replace(TIME, '<time>')
    .replace(HEX, '<hex>')
    .replace(TOKEN, (token) => (/[A-Z]/.test(token) && /[0-9]/.test(token) ? '<token>' : token));
}

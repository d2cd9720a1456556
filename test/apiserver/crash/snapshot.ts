import { RESOURCE_KINDS } from '../../../src/kubernetes/resources.js';
import type { TestApiServer } from '../bed/api-server.js';

const LEFT_OUT: ReadonlySet<string> = new Set(['Event', 'Lease', 'Namespace', 'Pod']);
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const HEX = /\b[0-9a-f]{16,}\b/g;
const TOKEN = /[A-Za-z0-9+/_-]{20,}={0,2}/g;
/** Addresses of Services, from the range of the test server; ranges themselves (with a slash) are settings. */
const SERVICE_ADDRESS = /\b10\.96\.\d+\.\d+\b(?!\/)/g;
/** A policy bundle's serial is used up before the bundle is written, so a crash may leave a gap: it only has to grow. */
const SERIAL = /(\bserial\W{1,16})[0-9a-f]+\b/g;
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
  const data = secret
    ? Object.keys(item.data ?? {})
        .map(masked)
        .sort()
    : item.data;
  const spec = item['spec'] as Record<string, unknown> | undefined;
  const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec ?? {};
  const text = JSON.stringify({
    ...item,
    metadata,
    ...(data !== undefined && { data }),
    ...(spec && { spec: rest }),
  });
  return masked(text.replaceAll(namespace, '<namespace>'));
}

/** `text` with random material, times and identities replaced by what they are. */
function masked(text: string): string {
  return text
    .replace(PEM, '<pem>')
    .replace(SERVICE_ADDRESS, '<address>')
    .replace(SERIAL, '$1<serial>')
    .replace(UUID, '<uid>')
    .replace(TIME, '<time>')
    .replace(HEX, '<hex>')
    .replace(TOKEN, (token) => (isRandom(token) ? '<token>' : token));
}

const EXCERPT = 160;

/** Where two snapshots differ: the object, and what stands around the first difference. Empty when they are equal. */
export function differences(
  wanted: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>,
): readonly string[] {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(found)])].sort();
  return names.flatMap((name) => {
    const [a, b] = [wanted[name], found[name]];
    if (a === b) return [];
    if (a === undefined) return [`${name} should not exist`];
    if (b === undefined) return [`${name} is missing`];
    let at = 0;
    while (a[at] === b[at]) at += 1;
    const around = (text: string): string =>
      text.slice(Math.max(0, at - EXCERPT / 2), at + EXCERPT);
    return [`${name}: wanted ...${around(a)}... found ...${around(b)}...`];
  });
}

/** Base64 of random bytes has capitals all over; names and reasons have a few. */
function isRandom(token: string): boolean {
  const capitals = token.replace(/[^A-Z]/g, '').length;
  return capitals >= 4 || (capitals > 0 && /[0-9]/.test(token));
}

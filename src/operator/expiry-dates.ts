import type { KubernetesObject } from '../kubernetes/object.js';

/** When one certificate ends, by where it is. */
export interface CertificateExpiry {
  readonly namespace: string;
  readonly secret: string;
  /** `public`, `internal`, `relay` or `authority`. */
  readonly purpose: string;
  /** Unix seconds. */
  readonly notAfterSeconds: number;
}

/** When the lease key of a gateway in one state ends. Key ids are no labels: they would grow without bound. */
export interface KeyExpiry {
  readonly namespace: string;
  readonly gateway: string;
  /** `current`, `next` or `retired`. */
  readonly state: string;
  readonly notAfterSeconds: number;
}

interface Dated {
  readonly notAfter?: unknown;
}
interface StatusDates {
  readonly certificates?: readonly (Dated & {
    readonly secretName?: string;
    readonly purpose?: string;
  })[];
  readonly keys?: readonly (Dated & { readonly state?: string })[];
}

/**
 * The certificates that the statuses of `resources` list, each once although several resources show it; of several
 * for one purpose in one Secret the one that lasts longest, which is the one in use after a renewal.
 */
export function certificateExpiries(resources: readonly KubernetesObject[]): CertificateExpiry[] {
  const found = resources.flatMap((resource) =>
    (statusOf(resource).certificates ?? []).flatMap(({ secretName, purpose, notAfter }) =>
      secretName !== undefined && purpose !== undefined
        ? dated(notAfter, {
            namespace: resource.metadata.namespace ?? '',
            secret: secretName,
            purpose: purpose.toLowerCase(),
          })
        : [],
    ),
  );
  return lastOfEach(found, ({ namespace, secret, purpose }) => `${namespace}/${secret}/${purpose}`);
}

/** The lease keys that the statuses of `gateways` list; of several in one state (retired) the one that lasts longest. */
export function keyExpiries(gateways: readonly KubernetesObject[]): KeyExpiry[] {
  const found = gateways.flatMap((gateway) =>
    (statusOf(gateway).keys ?? []).flatMap(({ state, notAfter }) =>
      state === undefined
        ? []
        : dated(notAfter, {
            namespace: gateway.metadata.namespace ?? '',
            gateway: gateway.metadata.name,
            state: state.toLowerCase(),
          }),
    ),
  );
  return lastOfEach(found, ({ namespace, gateway, state }) => `${namespace}/${gateway}/${state}`);
}

const statusOf = (resource: KubernetesObject) => (resource['status'] ?? {}) as StatusDates;

function dated<Labels>(
  notAfter: unknown,
  labels: Labels,
): (Labels & { notAfterSeconds: number })[] {
  const ms = typeof notAfter === 'string' ? Date.parse(notAfter) : Number.NaN;
  return Number.isNaN(ms) ? [] : [{ ...labels, notAfterSeconds: Math.floor(ms / 1000) }];
}

function lastOfEach<Item extends { readonly notAfterSeconds: number }>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): Item[] {
  const latest = new Map<string, Item>();
  for (const item of items) {
    const key = keyOf(item);
    const known = latest.get(key);
    if (!known || known.notAfterSeconds < item.notAfterSeconds) latest.set(key, item);
  }
  return [...latest.values()];
}

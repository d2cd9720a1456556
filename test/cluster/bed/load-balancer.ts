import type { Admin, Json } from '../../apiserver/bed/admin.js';
import { LOAD_BALANCER_PREFIX } from './addresses.js';

/**
 * A controller that gives each Service of type LoadBalancer an address of its own, as a cloud does: kube-proxy then
 * answers there, and the outside has a route to it. `stop` ends it.
 */
export function serveLoadBalancers(admin: Admin, everyMs = 500): { stop(): void } {
  const assigned = new Map<string, string>();
  let stopped = false;
  const pass = async (): Promise<void> => {
    const { items } = (await admin.call('GET', '/api/v1/services')) as { items: Json[] };
    for (const service of items.filter(awaitsAddress)) {
      const { uid, namespace, name } = service.metadata as Record<string, string>;
      const address = assigned.get(uid!) ?? nextAddress(assigned);
      assigned.set(uid!, address);
      const path = `/api/v1/namespaces/${namespace!}/services/${name!}/status`;
      const status = { loadBalancer: { ingress: [{ ip: address }] } };
      await admin.call('PATCH', path, { status }, { contentType: 'application/merge-patch+json' });
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopped) {
      // An API server that is away is asked again.
      await pass().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, everyMs).unref());
    }
  };
  void loop();
  return {
    stop: () => {
      stopped = true;
    },
  };
}

const awaitsAddress = ({ spec, status }: Json): boolean =>
  spec.type === 'LoadBalancer' && !status?.loadBalancer?.ingress;

/** An address that no service has, taken from 1 upwards and never given twice in one run. */
const nextAddress = (assigned: ReadonlyMap<string, string>): string =>
  `${LOAD_BALANCER_PREFIX}${assigned.size + 1}`;

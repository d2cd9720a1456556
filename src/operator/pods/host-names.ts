/*
 * Hosts are names for which the namespace's own CA signs a leaf. Programs of the namespace trust that CA, so a name
 * that the cluster's DNS resolves to one of them must never be a host.
 */

/** Endings that no public name has, and the Service behind which relays find a gateway. */
const CLUSTER_NAME = /\.(svc|local|localhost)$|-gateway-internal\.[^.]+$/;
/** A name that ends in a number is an address to a browser (URL Standard, "ends in a number"). */
const NUMBER_ENDING = /(^|\.)[0-9]+$/;
/** Our Services with the namespace after them, with and without the pod before them. */
const OUR_SERVICE = /-(gateway|gateway-internal|relay|relay-[0-9]+)$/;

/** Whether `host` is an address, or reads like one. */
export function isNumeric(host: string): boolean {
  return NUMBER_ENDING.test(host);
}

/**
 * Whether a pod of `namespace` may reach a Service by the name `host`: search domains complete SERVICE.NAMESPACE, so
 * two labels with the namespace as the second are one. `localhost` is always the client's own machine (RFC 6761, 6.3).
 */
export function isClusterName(host: string, namespace: string): boolean {
  if (host === 'localhost') return false;
  if (!host.includes('.') || CLUSTER_NAME.test(host)) return true;
  const labels = host.split('.');
  if (labels.at(-1) !== namespace) return false;
  return labels.length === 2 || OUR_SERVICE.test(labels.at(-2) ?? '');
}

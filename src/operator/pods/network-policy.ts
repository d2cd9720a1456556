/*
 * NetworkPolicies that deny by default in both directions and say each exception by name. In Kubernetes an
 * empty list of peers or ports means "all": here a rule without peers is no rule, and everyone has to be
 * written as `Anyone`.
 */
import type { ObjectMeta } from '../../kubernetes/object.js';
import type { Rendered, StringMap } from './shapes.js';
import { sortedMap } from './sorted.js';

/** Label that every namespace carries with its own name (Kubernetes 1.22 and later). */
export const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';

/** Whom a rule names. */
export type Peer =
  /** Pods with these labels in one namespace (by name), or in the policy's own when `namespace` is absent. */
  | { readonly pods: StringMap; readonly namespace?: string | undefined }
  /** Every pod of a namespace. */
  | { readonly namespace: string }
  /** Addresses: clients, databases. `except` lies within `cidr`. */
  | { readonly cidr: string; readonly except?: readonly string[] | undefined };

export interface PolicyPort {
  /** A number; or the name of a container port, for ingress only. */
  readonly port: number | string;
  readonly protocol: 'TCP' | 'UDP';
  /** Last port of a range that starts at `port`. */
  readonly endPort?: number | undefined;
}

export interface NetworkRule {
  /** `Anyone` is every address there is; an empty list is nobody. */
  readonly peers: 'Anyone' | readonly Peer[];
  /** Never empty. */
  readonly ports: readonly [PolicyPort, ...PolicyPort[]];
}

export interface NetworkPolicyParts {
  readonly metadata: ObjectMeta;
  /** Which pods: never empty, that would cut every pod of the namespace. */
  readonly podLabels: StringMap;
  /** Who may come in. */
  readonly ingress: readonly NetworkRule[];
  /** Whom these pods may reach. */
  readonly egress: readonly NetworkRule[];
}

/**
 * A policy that isolates `podLabels` in both directions but for the rules.
 * @throws TypeError for an empty selector.
 */
export function networkPolicy({
  metadata,
  podLabels,
  ingress,
  egress,
}: NetworkPolicyParts): Rendered {
  if (Object.keys(podLabels).length === 0) {
    throw new TypeError('A NetworkPolicy of ours selects our pods only, never a whole namespace.');
  }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec: {
      podSelector: { matchLabels: sortedMap(podLabels) },
      // Explicit: without `Egress` here no egress would be denied. An empty list is not written back.
      policyTypes: ['Ingress', 'Egress'],
      ...rulesField('ingress', 'from', ingress),
      ...rulesField('egress', 'to', egress),
    },
  };
}

/** Names are resolved by the cluster's DNS pods and nobody else, over UDP and TCP. */
export function dnsEgress(): NetworkRule {
  return {
    peers: [{ pods: { 'k8s-app': 'kube-dns' }, namespace: 'kube-system' }],
    ports: [
      { port: 53, protocol: 'UDP' },
      { port: 53, protocol: 'TCP' },
    ],
  };
}

/** Scrapes of `port` from the pods of one monitoring namespace; nobody when none is named. */
export function metricsIngress(monitoringNamespace: string | undefined, port: number): NetworkRule {
  const peers = monitoringNamespace ? [{ namespace: monitoringNamespace }] : [];
  return { peers, ports: [{ port, protocol: 'TCP' }] };
}

function rulesField(
  field: 'ingress' | 'egress',
  direction: 'from' | 'to',
  rules: readonly NetworkRule[],
): Readonly<Record<string, unknown>> {
  const written = rules.filter(({ peers }) => peers === 'Anyone' || peers.length > 0);
  if (written.length === 0) return {};
  return {
    [field]: written.map(({ peers, ports }) => ({
      ports: ports.map(policyPort),
      ...(peers === 'Anyone' ? {} : { [direction]: peers.map(policyPeer) }),
    })),
  };
}

function policyPort({ port, protocol, endPort }: PolicyPort): Readonly<Record<string, unknown>> {
  return { protocol, port, ...(endPort === undefined ? {} : { endPort }) };
}

function policyPeer(peer: Peer): Readonly<Record<string, unknown>> {
  if ('cidr' in peer) {
    const { cidr, except } = peer;
    return {
      ipBlock: { cidr, ...(except === undefined || except.length === 0 ? {} : { except }) },
    };
  }
  const pods = 'pods' in peer ? nonEmpty(peer.pods) : undefined;
  return {
    ...(peer.namespace === undefined
      ? {}
      : { namespaceSelector: { matchLabels: { [NAMESPACE_NAME_LABEL]: peer.namespace } } }),
    ...(pods === undefined ? {} : { podSelector: { matchLabels: sortedMap(pods) } }),
  };
}

/** An empty selector would mean every pod; whoever wants that names a namespace. */
function nonEmpty(labels: StringMap): StringMap {
  if (Object.keys(labels).length === 0)
    throw new TypeError('A peer without labels would be every pod.');
  return labels;
}

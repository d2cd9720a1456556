/*
 * Who reaches whom on which port, computed from rendered NetworkPolicies as the API documents them
 * (networking.k8s.io/v1): a connection needs the egress of its source and the ingress of its target; policies of one
 * pod add up; a pod that no policy selects in a direction is open in it. Where implementations differ, the more open
 * reading counts: a block of addresses also covers pods with an address in it.
 */
import type { Json } from '../hardening/pods.js';
import { at, list, podsIn, record, strings, text } from '../hardening/pods.js';

/** A pod, or a place outside of the cluster. */
export interface Endpoint {
  readonly name: string;
  /** Absent: not a pod of this cluster; only address blocks name it. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** For address blocks; a pod without one is not in any. */
  readonly address?: string;
  /** Declared ports, by which policies may name them. */
  readonly ports?: readonly NamedPort[];
}

export interface NamedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
}

/** A connection that nothing forbids. */
export interface Reach {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly protocol: string;
}

export interface World {
  /** Everything that was rendered: pods and policies are found in it. */
  readonly objects: readonly unknown[];
  /** Endpoints that are not ours: clients, DNS, the API server, a neighbour. */
  readonly others: readonly Endpoint[];
  /** Labels of namespaces beyond `kubernetes.io/metadata.name`. */
  readonly namespaceLabels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The pods of `objects` as endpoints: one per workload, named `namespace/name`. */
export function endpointsIn(objects: readonly unknown[]): readonly Endpoint[] {
  return podsIn(objects).map(({ where, namespace, labels, spec }) => ({
    name: where.replace(/^\S+ /, ''),
    namespace,
    labels,
    ports: list(spec['containers']).flatMap(({ ports }) => list(ports).map(declaredPort)),
  }));
}

/** Every allowed connection to a declared port, sorted. */
export function reachability(world: World): readonly Reach[] {
  const all = [...endpointsIn(world.objects), ...world.others];
  const reaches = all.flatMap((from) =>
    all
      .filter((to) => to !== from)
      .flatMap((to) => (to.ports ?? []).map(({ port, protocol }) => ({ from, to, port, protocol })))
      .filter((attempt) => mayConnect(world, attempt))
      .map(({ to, port, protocol }) => ({ from: from.name, to: to.name, port, protocol })),
  );
  return reaches.sort((a, b) => lineOf(a).localeCompare(lineOf(b)));
}

/** `from -> to 8443/TCP`, as tables write it. */
export function lineOf({ from, to, port, protocol }: Reach): string {
  return `${from} -> ${to} ${port}/${protocol}`;
}

export interface Attempt {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly port: number;
  readonly protocol: string;
}

/** Whether one connection is allowed by both of its ends. */
export function mayConnect(world: World, attempt: Attempt): boolean {
  return (
    allows(world, attempt, { type: 'Egress', pod: attempt.from, peer: attempt.to }) &&
    allows(world, attempt, { type: 'Ingress', pod: attempt.to, peer: attempt.from })
  );
}

interface Side {
  readonly type: 'Ingress' | 'Egress';
  readonly pod: Endpoint;
  readonly peer: Endpoint;
}

const FIELDS = {
  Ingress: { rules: 'ingress', peers: 'from' },
  Egress: { rules: 'egress', peers: 'to' },
} as const;

function allows(world: World, attempt: Attempt, { type, pod, peer }: Side): boolean {
  if (pod.namespace === undefined) return true; // Outside of the cluster nothing of ours rules.
  const policies = world.objects
    .map(record)
    .filter((object) => object['kind'] === 'NetworkPolicy' && isAbout(object, type, pod));
  if (policies.length === 0) return true;
  const { rules, peers } = FIELDS[type];
  return policies.some((policy) =>
    list(at(policy, 'spec', rules)).some(
      (rule) =>
        coversPort(rule['ports'], attempt) &&
        coversPeer(rule[peers], peer, {
          world,
          namespace: text(at(policy, 'metadata', 'namespace')),
        }),
    ),
  );
}

function isAbout(policy: Json, type: Side['type'], pod: Endpoint): boolean {
  const sameNamespace = text(at(policy, 'metadata', 'namespace')) === pod.namespace;
  const spec = record(policy['spec']);
  return sameNamespace && typesOf(spec).includes(type) && selects(spec['podSelector'], pod.labels);
}

/** Unset means Ingress, and Egress where egress rules are written. */
function typesOf(spec: Json): readonly unknown[] {
  const { policyTypes, egress } = spec;
  if (Array.isArray(policyTypes) && policyTypes.length > 0) return policyTypes as unknown[];
  return list(egress).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

/** No ports: every port. */
function coversPort(ports: unknown, { to, port, protocol }: Attempt): boolean {
  const rules = list(ports);
  if (rules.length === 0) return true;
  return rules.some((rule) => {
    if ((rule['protocol'] ?? 'TCP') !== protocol) return false;
    const wanted = rule['port'];
    if (wanted === undefined) return true;
    if (typeof wanted === 'string') {
      return (to.ports ?? []).some(
        (declared) => declared.name === wanted && declared.port === port,
      );
    }
    return Number(wanted) <= port && port <= Number(rule['endPort'] ?? wanted);
  });
}

interface PolicyPlace {
  readonly world: World;
  readonly namespace: string;
}

/** No peers, or an empty list: everyone. */
function coversPeer(peers: unknown, peer: Endpoint, place: PolicyPlace): boolean {
  const rules = list(peers);
  return rules.length === 0 || rules.some((rule) => isPeer(rule, peer, place));
}

function isPeer(rule: Json, peer: Endpoint, { world, namespace }: PolicyPlace): boolean {
  const { ipBlock, namespaceSelector, podSelector } = rule;
  if (ipBlock !== undefined) return isInBlock(record(ipBlock), peer.address);
  if (peer.namespace === undefined) return false;
  const inNamespace =
    namespaceSelector === undefined
      ? peer.namespace === namespace
      : selects(namespaceSelector, labelsOf(world, peer.namespace));
  return inNamespace && (podSelector === undefined || selects(podSelector, peer.labels));
}

function labelsOf(world: World, namespace: string): Readonly<Record<string, string>> {
  return { ...world.namespaceLabels?.[namespace], 'kubernetes.io/metadata.name': namespace };
}

/** A label selector; an empty one selects everything. */
function selects(selector: unknown, labels: Readonly<Record<string, string>> = {}): boolean {
  const wanted = Object.entries(strings(at(selector, 'matchLabels')));
  const expressions = list(at(selector, 'matchExpressions'));
  return (
    wanted.every(([key, value]) => labels[key] === value) &&
    expressions.every((expression) => satisfies(expression, labels))
  );
}

function satisfies(
  { key, operator, values }: Json,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[text(key)];
  const named = Array.isArray(values) && values.includes(value);
  switch (operator) {
    case 'In':
      return named;
    case 'NotIn':
      return !named;
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      throw new Error(`unknown operator ${text(operator)}`);
  }
}

function isInBlock({ cidr, except }: Json, address: string | undefined): boolean {
  if (address === undefined || !isInCidr(address, text(cidr))) return false;
  const holes = Array.isArray(except) ? except.map(text) : [];
  return !holes.some((hole) => isInCidr(address, hole));
}

/** Whether `address` lies in `cidr`; families never mix. */
export function isInCidr(address: string, cidr: string): boolean {
  const [network = '', length = ''] = cidr.split('/');
  const [a, n] = [bitsOf(address), bitsOf(network)];
  return a.length === n.length && a.startsWith(n.slice(0, Number(length)));
}

function bitsOf(address: string): string {
  const v6 = address.includes(':');
  const groups = v6 ? ipv6Groups(address) : address.split('.').map(Number);
  return groups.map((group) => group.toString(2).padStart(v6 ? 16 : 8, '0')).join('');
}

function ipv6Groups(address: string): number[] {
  const [head = [], tail = []] = address
    .split('::')
    .map((half) => (half === '' ? [] : half.split(':').map((group) => parseInt(group, 16))));
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function declaredPort({ name, containerPort, protocol }: Json): NamedPort {
  return { name: text(name), port: Number(containerPort), protocol: text(protocol) || 'TCP' };
}

/*
 * What the CRD's schema and CEL rules also refuse, checked again: an older CRD, standalone mode or a hand-made
 * cache may let it through, and some of these texts end up in objects where they would mean more than a value. Then
 * where the gateway stands: the first thing that somebody must act on speaks, then what only takes time.
 */
import type { SignalingGateway, SignalingGatewaySpec } from '../../kinds/signaling-gateway.gen.js';
import { failureStanding } from '../../kubernetes/child-failures.js';
import type { ChildFailure } from '../../kubernetes/child-failures.js';
import type { Standing, StalledReason } from '../../kubernetes/conditions.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import type { Render } from '../../kubernetes/render-pin.js';
import { refusedPoolMessage } from '../../policy/pool-choice.js';
import { brokenGatewayRules } from '../../policy/rules.js';
import { namedSecretProblem, unreadable } from '../keys/named-secrets.js';
import type { ObservedSecrets } from '../keys/named-secrets.js';
import { ingressAnnotationProblem, serviceAnnotationProblem } from '../pods/annotation-keys.js';
import { isCidr } from '../pods/cidr.js';
import { egressProblem } from '../pods/extra-peers.js';
import { isClusterName, isNumeric } from '../pods/host-names.js';
import { imageProblem, imageRefusal } from '../pods/image.js';
import type { ProgramImage } from '../pods/image.js';
import { imageOf } from '../pods/renders.js';
import type { Renders } from '../pods/renders.js';
import { resourcesProblem } from '../pods/resources.js';
import type { Rollout } from '../pods/rollback.js';
import { TEXT_RULES } from '../pods/text-rules.js';
import { secretNeeds } from './configuration.js';
import { certificateVerdict } from './keys.js';
import { gatewayNames, publicTlsSecret, tlsSource } from './objects.js';
import type { Situation } from './situation.js';
import { PROGRESS_DEADLINE_SECONDS } from './workload.js';

/** What stops a gateway, with what to change. */
export interface Problem {
  readonly reason: StalledReason;
  readonly message: string;
}

const DNS_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;
const ORIGIN = /^https:\/\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[1-9][0-9]{0,4})?$/;
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const NATS_SERVER = /^tls:\/\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?:[1-9][0-9]{0,4}$/;

/** The first thing that is wrong with the spec itself, or undefined. */
export function specProblem(gateway: SignalingGateway, image: ProgramImage): Problem | undefined {
  for (const rule of RULES) {
    const message = rule(gateway, image);
    if (message !== undefined) return { reason: 'InvalidSpec', message };
  }
  const refused = imageRefusal(image, gateway.spec.image);
  return refused === undefined ? undefined : { reason: 'ImageNotAllowed', message: refused };
}

type Rule = (gateway: SignalingGateway, image: ProgramImage) => string | undefined;

const RULES: readonly Rule[] = [
  ...TEXT_RULES,
  ({ spec }) =>
    spec.hosts.length > 0 && spec.hosts.every((host) => DNS_NAME.test(host) && !isNumeric(host))
      ? undefined
      : 'hosts are DNS names in lower case without scheme, port or wildcard: write them like chat.example.com.',
  ({ spec, metadata: { namespace = '' } }) =>
    spec.hosts.every((host) => !isClusterName(host, namespace))
      ? undefined
      : "the cluster's DNS may resolve a host to a Service, perhaps of another program: write the public DNS name that clients dial, like chat.example.com.",
  ({ spec }) =>
    (spec.allowedOrigins ?? []).every((origin) => ORIGIN.test(origin))
      ? undefined
      : 'allowedOrigins are written in full and without wildcard, like https://app.example.com.',
  ({ spec }) =>
    namedCidrs(spec).every((cidr) => isCidr(cidr))
      ? undefined
      : 'a network is not in CIDR notation: write it like 203.0.113.0/24.',
  ({ spec }) => egressProblem(egressPeers(spec)),
  ({ spec }) =>
    (spec.trustedProxies?.cidrs ?? []).every((cidr) => !cidr.endsWith('/0'))
      ? undefined
      : 'trustedProxies.cidrs trusts every address: write the networks of your proxies.',
  replicasRule,
  storageRule,
  ingressRule,
  ({ spec }) => ingressAnnotationProblem(spec.ingress?.annotations),
  ({ spec }) => serviceAnnotationProblem(spec.exposure.annotations),
  ({ spec }, image) => imageProblem(image, spec.image),
  ({ spec }) => resourcesProblem(spec.resources),
  (gateway) => {
    const stray = secretNeeds(gateway).find(({ name }) => !OBJECT_NAME.test(name));
    return stray && `${stray.field} is not the name of a Secret of this namespace.`;
  },
];

function replicasRule({ spec }: SignalingGateway): string | undefined {
  const several = (spec.replicas ?? 1) > 1 || spec.autoscaling !== undefined;
  if (spec.replicas !== undefined && spec.autoscaling !== undefined) {
    return 'replicas and autoscaling exclude each other: remove one of them.';
  }
  if (several && (spec.storage.type === 'Embedded' || spec.bus.type !== 'NATS')) {
    return 'more than one replica needs storage.type PostgreSQL and bus.type NATS: write both, or replicas 1.';
  }
  return undefined;
}

function storageRule({ spec: { storage, bus } }: SignalingGateway): string | undefined {
  if ((storage.type === 'PostgreSQL') !== (storage.postgresql !== undefined)) {
    return 'storage.type PostgreSQL and storage.postgresql belong together: write both or neither.';
  }
  if ((bus.type === 'NATS') !== (bus.nats !== undefined)) {
    return 'bus.type NATS and bus.nats belong together: write both or neither.';
  }
  return (bus.nats?.servers ?? []).every((server) => NATS_SERVER.test(server))
    ? undefined
    : 'bus.nats.servers are written like tls://nats.messaging.svc:4222, without user or password.';
}

function ingressRule({ spec }: SignalingGateway): string | undefined {
  if (spec.ingress === undefined) return undefined;
  if (spec.trustedProxies === undefined) {
    return 'behind an ingress only its proxies may connect: write their networks into trustedProxies.cidrs.';
  }
  return spec.exposure.type === 'ClusterIP'
    ? undefined
    : 'with an ingress a LoadBalancer would be a way around it: write exposure.type ClusterIP.';
}

function namedCidrs({
  exposure,
  trustedProxies,
  networkPolicy,
  storage,
  bus,
}: SignalingGatewaySpec) {
  const peers = [
    ...(networkPolicy?.extraIngress ?? []),
    ...egressPeers({ networkPolicy, storage, bus }),
  ];
  const ranges = [exposure.sourceRanges, trustedProxies?.cidrs].flatMap((list) => list ?? []);
  return [...ranges, ...peers.flatMap(({ cidr }) => cidr ?? [])];
}

/** Everybody whom the pods may connect to because the spec says so. */
function egressPeers({
  networkPolicy,
  storage,
  bus,
}: Pick<SignalingGatewaySpec, 'storage' | 'bus'> & {
  readonly networkPolicy?: SignalingGatewaySpec['networkPolicy'] | undefined;
}) {
  return [networkPolicy?.extraEgress, storage.postgresql?.peers, bus.nats?.peers].flatMap(
    (list) => list ?? [],
  );
}

/** How a gateway stands, and what is wrong, if anything. */
export interface Judgement {
  readonly standing: Standing;
  /** The resource itself cannot be rendered: everything stays as it is. */
  readonly rejected?: Problem;
  /** It names something that is missing. */
  readonly unresolved?: Problem;
  /** What is missing keeps new pods from starting: the workload stays as it is. */
  readonly holdsWorkload: boolean;
}

/** What a judgement looks at besides the situation. */
export interface Evidence {
  /** What makes the spec impossible to render (`rejection`). */
  readonly rejected: Problem | undefined;
  readonly secrets: ObservedSecrets;
  readonly neighbours: readonly SignalingGateway[];
  /** Keys and certificates that could not be made in this pass. */
  readonly failedOrders: readonly ChildFailure[];
  readonly rollout: Rollout | undefined;
}

/** Judges in the order in which things must be put right. */
export function judge(situation: Situation, evidence: Evidence): Judgement {
  const { rejected, secrets, neighbours, failedOrders, rollout } = evidence;
  const missing =
    unservedIssuer(situation) ?? secretProblem(situation.gateway, secrets, neighbours);
  const unresolved = missing ?? refusedPool(situation);
  const problem =
    rejected ?? unresolved ?? rolloutProblem(rollout) ?? certificateProblem(situation);
  const going = failureStanding(failedOrders) ?? progress(situation);
  return {
    standing: problem === undefined ? going : { state: 'Stalled', ...problem },
    ...(rejected && { rejected }),
    ...(unresolved && { unresolved }),
    holdsWorkload: missing !== undefined,
  };
}

/** What makes the spec impossible to render: then nothing is applied, and nothing taken away. */
export function rejection(situation: Situation, renders: Renders): Problem | undefined {
  const { gateway, render } = situation;
  const image = render.state === 'Render' ? imageOf(renders, render.version) : renders[0].image;
  return specProblem(gateway, image) ?? renderProblem(render) ?? valueProblem(situation);
}

function rolloutProblem(rollout: Rollout | undefined): Problem | undefined {
  if (rollout?.outcome !== 'Failed') return undefined;
  const now = rollout.rolledBack
    ? 'The last template that worked was put back'
    : 'There is no earlier template to go back to';
  const message = `The pods did not get ready within ${PROGRESS_DEADLINE_SECONDS} s. ${now}; see the events of the pods, then change the spec.`;
  return { reason: 'RolloutFailed', message };
}

const WORKLOAD_KINDS: ReadonlySet<string> = new Set([
  'Deployment',
  'StatefulSet',
  'HorizontalPodAutoscaler',
]);

/** A pod that names a missing Secret would never start, and replacing a running one by it would end it. */
export function isWorkload({ kind }: KubernetesObject): boolean {
  return WORKLOAD_KINDS.has(kind);
}

function renderProblem(render: Render): Problem | undefined {
  return render.state === 'Render' ? undefined : { reason: render.reason, message: render.message };
}

/** Policies that contradict each other, then values that break a rule together. */
function valueProblem({ effective }: Situation): Problem | undefined {
  const [conflict] = effective.conflicts;
  if (conflict !== undefined) {
    const { field, atLeast, atMost } = conflict;
    const message = `${field}: CompliancePolicy ${atLeast.policy} wants at least ${atLeast.value}, ${atMost.policy} at most ${atMost.value}. Change one of them.`;
    return { reason: 'PolicyConflict', message };
  }
  const [broken] = brokenGatewayRules(effective.values);
  return broken && { reason: 'InvalidEffectiveValue', message: broken.message };
}

function unservedIssuer({ gateway, serves }: Situation): Problem | undefined {
  if (tlsSource(gateway).type !== 'CertManager' || serves.certificates) return undefined;
  const message =
    'The cluster does not serve cert-manager.io/v1 Certificate: install cert-manager, or write listener.tls.secretRef or internal.';
  return { reason: 'ApiNotServed', message };
}

/** The gateway serves its clients without that pool; whoever named it wanted more. */
function refusedPool({ gateway, pools }: Situation): Problem | undefined {
  const [refused] = pools.refused;
  return refused && { reason: refused.reason, message: refusedPoolMessage(gateway, refused) };
}

/** A certificate that clients refuse; one that is still to come only takes time. */
function certificateProblem({ gateway, certificates, now }: Situation): Problem | undefined {
  const { status, reason, message } = certificateVerdict(gateway, certificates, now);
  const waits = status === 'True' || reason === 'WaitingForCertificate';
  return waits ? undefined : { reason: 'SecretInvalid', message };
}

/** Nothing is wrong: keys, certificate, pods, address, in the order in which they come. */
function progress(situation: Situation): Standing {
  const { gateway, keys, certificates, now, standing, endpoints } = situation;
  if (keys.leaseKeys.length === 0 || keys.internalLeaf.length === 0) {
    const message = 'Lease keys and internal certificate are being made.';
    return { state: 'Progressing', reason: 'WaitingForKeys', message };
  }
  const certificate = certificateVerdict(gateway, certificates, now);
  if (certificate.status !== 'True') {
    const { message } = certificate;
    return { state: 'Progressing', reason: 'WaitingForCertificate', message };
  }
  if (standing.state !== 'Ready' || endpoints.some(({ address }) => address !== ''))
    return standing;
  const message = 'The load balancer or ingress has not assigned an address yet.';
  return { state: 'Progressing', reason: 'WaitingForAddress', message };
}

/** What is made for other gateways of the namespace, by us or by cert-manager, is not for this one to name. */
function secretProblem(
  gateway: SignalingGateway,
  secrets: ObservedSecrets,
  neighbours: readonly SignalingGateway[],
): Problem | undefined {
  const taken = new Set(neighbours.flatMap(secretsMadeFor));
  // What cert-manager writes is still to come when it is missing; that it cannot be read is another thing.
  const issued = { field: 'listener.tls.certManager', name: publicTlsSecret(gateway) };
  return namedSecretProblem(secretNeeds(gateway), secrets, taken) ?? unreadable(issued, secrets);
}

function secretsMadeFor(gateway: SignalingGateway): readonly string[] {
  const { leaseKeys, columnKeys, internalTls, publicTls } = gatewayNames(gateway);
  return [leaseKeys, columnKeys, internalTls, publicTls];
}

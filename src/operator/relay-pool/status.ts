/*
 * What status says about a pool. Conditions follow kstatus: exactly one of Ready, Reconciling and Stalled is true; the
 * room's own say which part is meant.
 */
import type {
  RelayPoolStatusCertificate,
  RelayPoolStatusEndpoint,
} from '../../kinds/relay-pool.gen.js';
import type { Child } from '../../kubernetes/cluster.js';
import type { Standing } from '../../kubernetes/conditions.js';
import { selectorLabels } from '../../kubernetes/metadata.js';
import type { Verdict } from '../../kubernetes/plan.js';
import { usesPool } from '../../policy/relay-permission.js';
import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import { CA_NAME, trustedCas } from '../keys/ca.js';
import { observedCertificates, type CertificateFact } from '../keys/facts.js';
import type { KeyPlan, KeyProblem, LeafOrder } from '../keys/orders.js';
import { certificateItem, loadBalancerAddresses } from '../pods/status-fields.js';
import { isComplete } from './configuration.js';
import type { Installation, PermittedGateway, RelayPoolContext } from './context.js';
import { COMPONENT, relayPoolNames } from './context.js';
import type { Progress, RolloutChoice } from '../pods/rolling-update.js';
import type { ObservedRelayPool } from './situation.js';

/** Conditions of this room, after the three of kstatus. */
export type RelayPoolConditionType =
  'GatewaysPermitted' | 'KeysReady' | 'PeerRangesKnown' | 'Monitored';

/** Their reasons. Closed: a dashboard may list them. */
export type RelayPoolReason =
  | 'BothSidesPermit'
  | 'NoGatewayUsesPool'
  | 'GatewayNotAllowed'
  | 'WaitingForGatewayKeys'
  | 'Published'
  | 'WaitingForKeys'
  | KeyProblem['reason']
  | 'RangesConfigured'
  | 'ServiceRangesUnknown'
  | 'ServiceMonitorWritten'
  | 'NotWanted'
  | 'ApiNotServed';

export type RelayPoolVerdict = Verdict<RelayPoolConditionType, RelayPoolReason>;

/** More addresses than this (one of each family) per relay would not fit into status (CRD: 256 endpoints). */
const MAX_ADDRESSES = 2;

/** The addresses at which clients reach the relay behind `service`. */
export function addressesOf(
  service: Child | undefined,
  type: 'ClusterIP' | 'LoadBalancer',
): readonly string[] {
  if (type === 'LoadBalancer') return loadBalancerAddresses(service).slice(0, MAX_ADDRESSES);
  const { spec } = (service?.view ?? {}) as ServiceView;
  const assigned = spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP]);
  return assigned.filter((address) => address !== 'None').slice(0, MAX_ADDRESSES);
}

/** `status.endpoints`: each relay by its ordinal, over UDP and, where it listens, over TLS. */
export function endpoints(
  pool: RelayPoolContext['pool'],
  services: readonly (Child | undefined)[],
  progress: Progress,
): readonly RelayPoolStatusEndpoint[] {
  const { port, fallback, exposure } = pool.spec;
  const doors = [
    { port, protocol: 'UDP' },
    ...(fallback.enabled ? [{ port: fallback.port, protocol: 'TCP' } as const] : []),
  ] as const;
  return services.flatMap((service, replica) => {
    const state = stateOf(replica, progress);
    const assigned = addressesOf(service, exposure.type);
    const addresses = assigned.length === 0 ? [''] : assigned;
    return addresses.flatMap((address) =>
      doors.map((door) => ({
        replica,
        address,
        ...door,
        state: address === '' ? ('Pending' as const) : state,
      })),
    );
  });
}

/** Where the pods stand, when nothing else is in the way. */
export function rolloutStanding(
  progress: Progress,
  wanted: number,
  { outcome, rolledBack, underWay }: Pick<RolloutChoice, 'outcome' | 'rolledBack' | 'underWay'>,
): Standing {
  const count = `${Math.min(progress.ready, wanted)} of ${wanted} relays are ready`;
  if (outcome === 'Failed') {
    const back = rolledBack
      ? 'the last template that did is back'
      : 'there is no earlier one to go back to';
    const message = `Relays with the newest template did not get ready in time; ${back}. ${count}. Look into their logs and change the spec.`;
    return { state: 'Stalled', reason: 'RolloutFailed', message };
  }
  if (underWay && progress.exist > 0) {
    const updated = `${Math.min(progress.updated, wanted)} of ${wanted} relays have the newest template`;
    const message = `${updated}; ${count}. One is replaced at a time, while all others are ready.`;
    return { state: 'Progressing', reason: 'RollingOut', message };
  }
  return progress.observed && progress.ready >= wanted
    ? { state: 'Ready', reason: 'AllReplicasReady', message: `${count}.` }
    : { state: 'Progressing', reason: 'ReplicasNotReady', message: `${count}.` };
}

/** `status.certificates`: the pool's leaf and the CA that signs it; dates and pins, never material. */
export function certificateStatus(
  { pool, ca }: Pick<ObservedRelayPool, 'pool' | 'ca'>,
  leaf: readonly CertificateFact[],
  now: Date,
): readonly RelayPoolStatusCertificate[] {
  return [
    ...leaf.map(certificateItem('Relay', relayPoolNames(pool).tls)),
    ...trustedCas(observedCertificates(ca).facts, now)
      .filter(({ state }) => state !== 'retired')
      .map(certificateItem('Authority', CA_NAME)),
  ];
}

/** `GatewaysPermitted`: whether somebody can issue leases for these relays. */
export function gatewaysVerdict(
  pool: RelayPoolContext['pool'],
  permitted: readonly PermittedGateway[],
  all: readonly SignalingGateway[],
): RelayPoolVerdict {
  const type = 'GatewaysPermitted';
  const known = new Set(permitted.map(({ gateway }) => gateway));
  const refused = all.find((gateway) => names(gateway, pool) && !known.has(gateway));
  if (refused !== undefined) {
    const who = `${refused.metadata.namespace ?? ''}/${refused.metadata.name}`;
    const message = `SignalingGateway ${who} names this pool, which does not allow it: add it to spec.allowedGateways, or remove the pool there.`;
    return { type, status: 'False', reason: 'GatewayNotAllowed', message };
  }
  if (permitted.length === 0) {
    const message =
      'No gateway uses this pool: create a SignalingGateway in this namespace, or name each other in spec.relayPools and spec.allowedGateways.';
    return { type, status: 'False', reason: 'NoGatewayUsesPool', message };
  }
  const waiting = permitted.filter((gateway) => !isComplete(gateway)).length;
  if (waiting > 0) {
    const message = `Keys of ${waiting} of ${permitted.length} gateways are not made yet.`;
    return { type, status: 'False', reason: 'WaitingForGatewayKeys', message };
  }
  const message = `${permitted.length} gateway(s) may issue leases for these relays.`;
  return { type, status: 'True', reason: 'BothSidesPermit', message };
}

/** `KeysReady`: whether the relays have a certificate, and what a user asked for and has to wait for. */
export function keysVerdict(
  pool: RelayPoolContext['pool'],
  { facts, problem }: KeyPlan<CertificateFact, LeafOrder>,
): RelayPoolVerdict {
  const type = 'KeysReady';
  if (problem !== undefined) return { type, status: 'False', ...problem };
  const secret = relayPoolNames(pool).tls;
  return facts.length > 0
    ? { type, status: 'True', reason: 'Published', message: `Secret ${secret} has a certificate.` }
    : {
        type,
        status: 'False',
        reason: 'WaitingForKeys',
        message: `The key in Secret ${secret} is being made.`,
      };
}

/** `PeerRangesKnown`: whether the operator knows which addresses belong to Services. */
export function peerRangesVerdict({ serviceCidrs }: Installation): RelayPoolVerdict {
  const type = 'PeerRangesKnown';
  if (serviceCidrs.length > 0) {
    const message = `Relays never send to ${serviceCidrs.length} range(s) of Services.`;
    return { type, status: 'True', reason: 'RangesConfigured', message };
  }
  const message =
    "The operator does not know the cluster's Service ranges, so relays cannot deny them: set cluster.serviceCIDRs in its settings (chart value).";
  return { type, status: 'False', reason: 'ServiceRangesUnknown', message };
}

/** `Monitored`: whether a ServiceMonitor stands. */
export function monitoredVerdict({ pool, installation }: RelayPoolContext): RelayPoolVerdict {
  const type = 'Monitored';
  if (!pool.spec.observability.serviceMonitor) {
    const message = 'observability.serviceMonitor is false.';
    return { type, status: 'False', reason: 'NotWanted', message };
  }
  if (installation.servesServiceMonitors) {
    const message = 'A ServiceMonitor names the relays.';
    return { type, status: 'True', reason: 'ServiceMonitorWritten', message };
  }
  const message =
    'The cluster does not serve ServiceMonitor: install the Prometheus operator, or set observability.serviceMonitor to false.';
  return { type, status: 'False', reason: 'ApiNotServed', message };
}

/** `status.selector` as the scale subresource wants it: `key=value,key=value`. */
export function selectorText(pool: RelayPoolContext['pool']): string {
  return Object.entries(selectorLabels(pool, COMPONENT))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** Named, not merely covered by "every pool of my namespace": silence is nobody's mistake. */
function names(gateway: SignalingGateway, pool: RelayPoolContext['pool']): boolean {
  return gateway.spec.relayPools !== undefined && usesPool(gateway, pool);
}

/** A StatefulSet counts its pods and does not name them: only all or none can be told from the count. */
function stateOf(
  replica: number,
  { ready, wanted, exist }: Progress,
): 'Ready' | 'NotReady' | 'Draining' {
  if (replica >= wanted) return replica < exist ? 'Draining' : 'NotReady';
  return ready >= wanted ? 'Ready' : 'NotReady';
}

interface ServiceView {
  readonly spec?: { readonly clusterIP?: string; readonly clusterIPs?: readonly string[] };
}

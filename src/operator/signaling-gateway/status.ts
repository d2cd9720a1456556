/*
 * What status says about a gateway. Conditions follow kstatus: exactly one of Ready, Reconciling and Stalled is
 * true; the room's own say which part is meant.
 */
import type {
  SignalingGateway,
  SignalingGatewayStatus,
  SignalingGatewayStatusEndpoint,
} from '../../kinds/signaling-gateway.gen.js';
import type { Child } from '../../kubernetes/cluster.js';
import { commonConditions, conditionsOf, timestamp } from '../../kubernetes/conditions.js';
import type { StalledReason } from '../../kubernetes/conditions.js';
import { selectorLabels } from '../../kubernetes/metadata.js';
import { refOf } from '../../kubernetes/object.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import { desiredHash } from '../../kubernetes/owned-fields.js';
import { pausedVerdict } from '../../kubernetes/pause.js';
import type { Verdict } from '../../kubernetes/plan.js';
import { planUpgrade, upgradeVerdict } from '../../kubernetes/render-pin.js';
import type { PlannedChange } from '../../kubernetes/render-pin.js';
import { describeConflict } from '../../policy/retention.js';
import type { MergedRetention } from '../../policy/retention.js';
import { CA_NAME } from '../keys/ca.js';
import type { WorkloadState } from '../pods/workload-state.js';
import { effectiveFields, loadBalancerAddresses } from '../pods/status-fields.js';
import { COMPONENT, gatewayNames } from './objects.js';
import type { ServedKinds } from './objects.js';
import { certificateStatus, certificateVerdict, keyStatus, lastRotation } from './keys.js';
import type { GatewayKeys } from './keys.js';
import type { Situation } from './situation.js';
import type { Judgement, Problem } from './validate.js';

/** Conditions of this room, after the three of kstatus. */
export type GatewayConditionType =
  | 'Accepted'
  | 'ReferencesResolved'
  | 'KeysReady'
  | 'CertificateReady'
  | 'RetentionConsistent'
  | 'Monitored'
  | 'RuntimeRoleOwnsSchema';

/** Their reasons. Closed: a dashboard may list them. */
export type GatewayReason =
  | 'Valid'
  | 'AllFound'
  | 'Published'
  | 'UnknownKey'
  | 'NextKeyUnconfirmed'
  | 'NextPinTooNew'
  | 'WaitingForKeys'
  | 'CertificateValid'
  | 'CertificateExpired'
  | 'CertificateNamesMissing'
  | 'WaitingForCertificate'
  | 'PoliciesAgree'
  | 'RetentionContradiction'
  | 'LegalHold'
  | 'ServiceMonitorWritten'
  | 'NotWanted'
  | 'ApiNotServed'
  | 'OneSecretOnly'
  | 'SeparateRoles';

export type GatewayVerdict = Verdict<GatewayConditionType, GatewayReason | StalledReason>;

/** The whole status, but for the drift that the engine adds. `pending` are changes that wait. */
export function gatewayStatus(
  situation: Situation,
  judgement: Judgement,
  pending: readonly PendingChange[],
): SignalingGatewayStatus {
  const { gateway, keys, state, render, pause, now } = situation;
  const generation = gateway.metadata.generation ?? 0;
  const rotation = lastRotation(gateway, keys, now);
  const selector = Object.entries(selectorLabels(gateway, COMPONENT));
  return {
    observedGeneration: generation,
    conditions: conditionsOf(
      gateway.status?.conditions ?? [],
      verdicts(situation, judgement, pending),
      {
        generation,
        now,
      },
    ),
    replicas: state.replicas,
    readyReplicas: state.ready,
    updatedReplicas: state.updated,
    selector: selector.map(([label, value]) => `${label}=${value}`).join(','),
    ...(render.state === 'Render' ? { renderVersion: render.version } : recorded(gateway)),
    endpoints: situation.endpoints,
    certificates: certificateStatus(gateway, situation.certificates, CA_NAME),
    keys: keyStatus(keys.leaseKeys),
    effective: effectiveFields(situation.effective.provenance),
    ...(pending.length === 0 ? {} : { plan: pending }),
    ...(rotation === undefined ? {} : { lastRotation: rotation }),
    ...(pause.state === 'Paused'
      ? { paused: { until: timestamp(pause.until), pendingChanges: pending.length > 0 } }
      : {}),
  };
}

/** One entry of `status.plan`. */
export type PendingChange = NonNullable<SignalingGatewayStatus['plan']>[number];

/** What waits: for the end of a pause, else for a newer render version. */
export function pendingChanges(
  { pause, render, child }: Situation,
  planned: readonly KubernetesObject[],
  objectsOf: (version: number) => readonly KubernetesObject[],
): readonly PendingChange[] {
  if (pause.state === 'Paused') {
    return planned
      .filter((object) => !followsOthers(object))
      .filter((object) => child(refOf(object))?.ownedHash !== desiredHash(object))
      .map((object) => waiting(object, child(refOf(object))));
  }
  if (render.state !== 'Render' || !render.upgradePending) return [];
  return planUpgrade(objectsOf(render.version), objectsOf(render.latest)).map(upgradeChange);
}

/** A pause holds back what the spec says; which relays there are and which template was good is not in the spec. */
export function followsOthers({ kind, metadata }: KubernetesObject): boolean {
  return kind === 'ControllerRevision' || metadata.name.endsWith('-gateway-relays');
}

function waiting({ kind, metadata }: KubernetesObject, child: Child | undefined): PendingChange {
  const change = child === undefined ? 'Create' : 'Update';
  const restarts = change === 'Update' && (kind === 'Deployment' || kind === 'StatefulSet');
  return { kind, name: metadata.name, change, restarts, fields: [] };
}

function upgradeChange({ kind, name, action, fields, restartsPods }: PlannedChange): PendingChange {
  const change = action === 'Change' ? 'Update' : action;
  return { kind, name, change, restarts: restartsPods, fields: [...fields] };
}

/** A version that this operator cannot render stays recorded: what runs was written with it. */
function recorded({ status }: SignalingGateway): { readonly renderVersion?: number } {
  return status?.renderVersion === undefined ? {} : { renderVersion: status.renderVersion };
}

function verdicts(
  situation: Situation,
  { standing, rejected, unresolved }: Judgement,
  pending: readonly PendingChange[],
): readonly Verdict[] {
  const { gateway, keys, certificates, retention, serves, render, pause, now } = situation;
  return [
    ...commonConditions(standing),
    problemVerdict('Accepted', rejected, { reason: 'Valid', message: 'The spec can be rendered.' }),
    problemVerdict('ReferencesResolved', unresolved, {
      reason: 'AllFound',
      message: 'Every Secret and pool that the spec names is there and usable.',
    }),
    keysVerdict(keys),
    certificateVerdict(gateway, certificates, now),
    retentionVerdict(retention),
    monitoredVerdict(gateway, serves),
    ...schemaOwnerVerdict(gateway),
    ...(render.state === 'Render' ? [upgradeVerdict(render)] : []),
    pausedVerdict(pause, pause.state === 'Paused' ? pending.length : 0),
  ];
}

function problemVerdict(
  type: 'Accepted' | 'ReferencesResolved',
  problem: Problem | undefined,
  fine: { readonly reason: 'Valid' | 'AllFound'; readonly message: string },
): Verdict {
  return problem === undefined
    ? { type, status: 'True', ...fine }
    : { type, status: 'False', reason: problem.reason, message: problem.message };
}

/** `KeysReady`: whether the gateway can sign leases, and what a user asked for and cannot have. */
function keysVerdict({ leaseKeys, problem }: GatewayKeys): Verdict {
  const type = 'KeysReady';
  if (problem !== undefined) return { type, status: 'False', ...problem };
  return leaseKeys.some(({ state }) => state === 'current')
    ? {
        type,
        status: 'True',
        reason: 'Published',
        message: `${leaseKeys.length} lease keys are listed in status.keys.`,
      }
    : { type, status: 'False', reason: 'WaitingForKeys', message: 'Lease keys are being made.' };
}

/** Where clients reach the gateway. An address that is not assigned yet is an empty one in state Pending. */
export function endpointsOf(
  gateway: SignalingGateway,
  state: WorkloadState,
  {
    service,
    ingress,
  }: { readonly service: Child | undefined; readonly ingress: Child | undefined },
): readonly SignalingGatewayStatusEndpoint[] {
  const { spec, metadata } = gateway;
  const answer = state.ready > 0 ? 'Ready' : 'NotReady';
  const at = (address: string, port: number): SignalingGatewayStatusEndpoint => ({
    address,
    port,
    protocol: 'TCP',
    state: address === '' ? 'Pending' : answer,
  });
  if (spec.ingress !== undefined) return assigned(ingress).map((address) => at(address, 443));
  if (spec.exposure.type === 'LoadBalancer') {
    return assigned(service).map((address) => at(address, spec.listener.port));
  }
  const name = `${gatewayNames(gateway).publicService}.${metadata.namespace ?? ''}.svc`;
  return [at(name, spec.listener.port)];
}

function assigned(child: Child | undefined): readonly string[] {
  const addresses = loadBalancerAddresses(child);
  return addresses.length === 0 ? [''] : addresses;
}

/** `RetentionConsistent`: False while policies contradict each other and nothing is deleted. */
function retentionVerdict({ conflicts, legalHolds }: MergedRetention): GatewayVerdict {
  const type = 'RetentionConsistent';
  const [conflict] = conflicts;
  if (conflict !== undefined) {
    const reason: GatewayReason = 'RetentionContradiction';
    return { type, status: 'False', reason, message: describeConflict(conflict) };
  }
  const held = legalHolds.length > 0;
  const reason: GatewayReason = held ? 'LegalHold' : 'PoliciesAgree';
  const message = held
    ? `${legalHolds.length} legal hold(s): nothing is deleted until ${legalHolds.at(-1)?.until ?? ''}.`
    : 'All retention policies can be obeyed.';
  return { type, status: 'True', reason, message };
}

/** `Monitored`: whether a ServiceMonitor stands. */
function monitoredVerdict(gateway: SignalingGateway, serves: ServedKinds): GatewayVerdict {
  const type = 'Monitored';
  const verdict = (status: 'True' | 'False', reason: GatewayReason, message: string) =>
    ({ type, status, reason, message }) as const;
  if (!gateway.spec.observability.serviceMonitor) {
    return verdict('False', 'NotWanted', 'observability.serviceMonitor is false.');
  }
  return serves.serviceMonitors
    ? verdict('True', 'ServiceMonitorWritten', 'A ServiceMonitor names the pods.')
    : verdict(
        'False',
        'ApiNotServed',
        'The cluster does not serve ServiceMonitor: install the Prometheus operator, or set observability.serviceMonitor to false.',
      );
}

/** `RuntimeRoleOwnsSchema`, for PostgreSQL only. */
function schemaOwnerVerdict({ spec }: SignalingGateway): readonly GatewayVerdict[] {
  const { postgresql } = spec.storage;
  if (postgresql === undefined) return [];
  const type = 'RuntimeRoleOwnsSchema';
  if (postgresql.migrationSecretRef !== undefined) {
    const message = 'The gateway works with a role that cannot change the schema.';
    return [{ type, status: 'False', reason: 'SeparateRoles', message }];
  }
  const message =
    'The gateway works with the role that owns the schema: name a role of its own in storage.postgresql.migrationSecretRef.';
  return [{ type, status: 'True', reason: 'OneSecretOnly', message }];
}

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
import type { Standing } from '../../kubernetes/conditions.js';
import { selectorLabels } from '../../kubernetes/metadata.js';
import { refOf } from '../../kubernetes/object.js';
import type { KubernetesObject, ObjectRef } from '../../kubernetes/object.js';
import { desiredHash } from '../../kubernetes/owned-fields.js';
import { pausedVerdict } from '../../kubernetes/pause.js';
import type { Pause } from '../../kubernetes/pause.js';
import type { Verdict } from '../../kubernetes/plan.js';
import { planUpgrade, upgradeVerdict } from '../../kubernetes/render-pin.js';
import type { PlannedChange, Render } from '../../kubernetes/render-pin.js';
import type { GatewayValues } from '../../policy/defaults.js';
import type { Effective } from '../../policy/effective.js';
import type { PoolChoice } from '../../policy/pool-choice.js';
import type { MergedRetention } from '../../policy/retention.js';
import { CA_NAME } from '../keys/ca.js';
import { effectiveFields, loadBalancerAddresses } from '../pods/status-fields.js';
import { COMPONENT, gatewayNames } from './objects.js';
import { monitoredVerdict, retentionVerdict, schemaOwnerVerdict } from './judgement.js';
import type { Judgement } from './judgement.js';
import type { ServedKinds } from './objects.js';
import { certificateStatus, certificateVerdict, keyStatus, lastRotation } from './keys.js';
import type { GatewayCertificates, GatewayKeys } from './keys.js';
import type { Problem } from './validate.js';

/** All that was decided about a gateway before its status is written. */
export interface Situation {
  readonly gateway: SignalingGateway;
  readonly effective: Effective<GatewayValues>;
  readonly render: Render;
  readonly keys: GatewayKeys;
  readonly certificates: GatewayCertificates;
  readonly pools: PoolChoice;
  readonly retention: MergedRetention;
  readonly serves: ServedKinds;
  readonly state: WorkloadState;
  /** Where the pods stand. */
  readonly standing: Standing;
  readonly workload: Child | undefined;
  readonly endpoints: readonly SignalingGatewayStatusEndpoint[];
  readonly pause: Pause;
  readonly child: (ref: Omit<ObjectRef, 'namespace'>) => Child | undefined;
  readonly now: Date;
}

/** What the cache shows of the workload; zeros while there is none. */
export interface WorkloadState {
  readonly exists: boolean;
  /** Whether its controller has seen the newest template. */
  readonly observed: boolean;
  readonly wanted: number;
  readonly replicas: number;
  readonly ready: number;
  readonly updated: number;
  /** Its controller gave up on the rollout. */
  readonly deadlineExceeded: boolean;
}

/** The state of `child`, a Deployment or StatefulSet. `wanted` is absent while an autoscaler decides. */
export function workloadState(child: Child | undefined, wanted: number | undefined): WorkloadState {
  const status = recordOf(child?.view['status']);
  const spec = recordOf(child?.view['spec']);
  const conditions = Array.isArray(status['conditions']) ? status['conditions'] : [];
  return {
    exists: child !== undefined,
    observed: child !== undefined && numberOf(status['observedGeneration']) >= child.generation,
    wanted: wanted ?? numberOf(spec['replicas'], 1),
    replicas: numberOf(status['replicas']),
    ready: numberOf(status['readyReplicas']),
    updated: numberOf(status['updatedReplicas']),
    deadlineExceeded: conditions
      .map(recordOf)
      .some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded'),
  };
}

/** Where the pods stand, when nothing else is in the way. */
export function rolloutStanding(state: WorkloadState): Standing {
  const { wanted, ready, updated, observed } = state;
  const count = `${Math.min(ready, wanted)} of ${wanted} pods are ready`;
  if (!observed || updated < wanted) {
    const message = `${Math.min(updated, wanted)} of ${wanted} pods run the newest template; ${count}.`;
    return { state: 'Progressing', reason: 'RollingOut', message };
  }
  return ready >= wanted
    ? { state: 'Ready', reason: 'AllReplicasReady', message: `${count}.` }
    : { state: 'Progressing', reason: 'ReplicasNotReady', message: `${count}.` };
}

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
  if (kind === 'ControllerRevision') return true;
  return kind === 'ConfigMap' && metadata.name.endsWith('-gateway-relays');
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

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function numberOf(value: unknown, fallback = 0): number {
  return typeof value === 'number' ? value : fallback;
}

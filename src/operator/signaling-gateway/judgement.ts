/*
 * Where a gateway stands: the first thing that somebody must act on speaks, then what only takes time.
 */
import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import { failureStanding } from '../../kubernetes/child-failures.js';
import type { ChildFailure } from '../../kubernetes/child-failures.js';
import type { Standing, StalledReason } from '../../kubernetes/conditions.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import type { Verdict } from '../../kubernetes/plan.js';
import type { Render } from '../../kubernetes/render-pin.js';
import { refusedPoolMessage } from '../../policy/pool-choice.js';
import { brokenGatewayRules } from '../../policy/rules.js';
import type { MergedRetention } from '../../policy/retention.js';
import { describeConflict } from '../../policy/retention.js';
import { imageOf } from '../pods/renders.js';
import type { Renders } from '../pods/renders.js';
import type { Rollout } from '../pods/rollback.js';
import { certificateVerdict } from './keys.js';
import { tlsSource } from './objects.js';
import type { ServedKinds } from './objects.js';
import { PROGRESS_DEADLINE_SECONDS } from './workload.js';
import type { Situation } from './status.js';
import { secretProblem, specProblem } from './validate.js';
import type { ObservedSecrets, Problem } from './validate.js';

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
  /** Keys and certificates that could not be made in this pass. */
  readonly failedOrders: readonly ChildFailure[];
  readonly rollout: Rollout | undefined;
}

/** Judges in the order in which things must be put right. */
export function judge(situation: Situation, evidence: Evidence): Judgement {
  const { rejected, secrets, failedOrders, rollout } = evidence;
  const missing = unservedIssuer(situation) ?? secretProblem(situation.gateway, secrets);
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

/** `RetentionConsistent`: False while policies contradict each other and nothing is deleted. */
export function retentionVerdict({ conflicts, legalHolds }: MergedRetention): GatewayVerdict {
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
export function monitoredVerdict(gateway: SignalingGateway, serves: ServedKinds): GatewayVerdict {
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
export function schemaOwnerVerdict({ spec }: SignalingGateway): readonly GatewayVerdict[] {
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

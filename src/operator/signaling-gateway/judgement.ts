/*
 * Where a gateway stands: the first thing that somebody must act on speaks, then what only takes time.
 */
import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import type { Child } from '../../kubernetes/cluster.js';
import type { Standing, StalledReason } from '../../kubernetes/conditions.js';
import { ANNOTATION_RENDER } from '../../kubernetes/metadata.js';
import type { Verdict } from '../../kubernetes/plan.js';
import { chooseRender } from '../../kubernetes/render-pin.js';
import type { Render } from '../../kubernetes/render-pin.js';
import { refusedPoolMessage } from '../../policy/pool-choice.js';
import { brokenGatewayRules } from '../../policy/rules.js';
import type { ProgramImage } from '../pods/image.js';
import { certificateVerdict } from './keys.js';
import { tlsSource } from './objects.js';
import { rolloutStanding } from './status.js';
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
  readonly secrets: ObservedSecrets;
  /** The image of the render version in use. */
  readonly image: ProgramImage;
}

/** Judges in the order in which things must be put right. */
export function judge(situation: Situation, { secrets, image }: Evidence): Judgement {
  const { gateway } = situation;
  const rejected =
    specProblem(gateway, image) ?? renderProblem(situation.render) ?? valueProblem(situation);
  const missing = unservedIssuer(situation) ?? secretProblem(gateway, secrets);
  const unresolved = missing ?? refusedPool(situation);
  const problem = rejected ?? unresolved ?? certificateProblem(situation);
  return {
    standing: problem === undefined ? progress(situation) : { state: 'Stalled', ...problem },
    ...(rejected === undefined ? {} : { rejected }),
    ...(unresolved === undefined ? {} : { unresolved }),
    holdsWorkload: missing !== undefined,
  };
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
  const { gateway, keys, certificates, now, state, endpoints } = situation;
  if (keys.leaseKeys.length === 0 || keys.internalLeaf.length === 0) {
    const message = 'Lease keys and internal certificate are being made.';
    return { state: 'Progressing', reason: 'WaitingForKeys', message };
  }
  const certificate = certificateVerdict(gateway, certificates, now);
  if (certificate.status !== 'True') {
    const { message } = certificate;
    return { state: 'Progressing', reason: 'WaitingForCertificate', message };
  }
  const rollout = rolloutStanding(state);
  if (rollout.state !== 'Ready' || endpoints.some(({ address }) => address !== '')) return rollout;
  const message = 'The load balancer or ingress has not assigned an address yet.';
  return { state: 'Progressing', reason: 'WaitingForAddress', message };
}

/** One render version that this operator writes. */
export interface RenderedVersion {
  readonly version: number;
  readonly image: ProgramImage;
}

/** Which render version a gateway is written with. */
export function renderOf(
  { spec, status }: SignalingGateway,
  workload: Child | undefined,
  renders: readonly RenderedVersion[],
): Render {
  const written = Number(workload?.annotations[ANNOTATION_RENDER]);
  const recorded = status?.renderVersion ?? (Number.isInteger(written) ? written : undefined);
  const { renderVersion } = spec;
  const choice =
    renderVersion === undefined || renderVersion === 'Latest'
      ? renderVersion
      : Number(renderVersion);
  const [first = 1, ...others] = renders.map(({ version }) => version).sort((a, b) => a - b);
  return chooseRender(choice, recorded, [first, ...others]);
}

/** The image of the render version in use; of the newest while there is none. */
export function imageOf(render: Render, renders: readonly RenderedVersion[]): ProgramImage {
  const version = render.state === 'Render' ? render.version : undefined;
  const chosen = renders.find((candidate) => candidate.version === version) ?? renders[0];
  if (chosen === undefined) throw new RangeError('The operator renders no version at all.');
  return chosen.image;
}

/*
 * The way back from a template whose pods do not get ready. The last template that did is kept as a
 * ControllerRevision; a rollout that is overdue is replaced by it until the spec changes. ControllerRevisions cannot
 * be changed, so each has its digest in the name and the one before is pruned.
 *
 * A template in a revision is believed only if its whole digest stands on the workload, written there by this operator
 * when the template was good. Whoever may write ControllerRevisions alone could otherwise have the operator run any pod:
 * judging such a template by the pod contract would still let it mount another Secret or run another image. Whoever may
 * write the workload's annotations may write its pods anyway.
 */
import type { Child } from '../../kubernetes/cluster.js';
import { timestamp } from '../../kubernetes/conditions.js';
import type { KubernetesObject, ObjectMeta } from '../../kubernetes/object.js';
import type { Condition } from '../../kubernetes/plan.js';
import { restartDigest } from './objects.js';
import type { PodTemplate, StringMap } from './shapes.js';

/** Digest of the template that was written last. */
export const ANNOTATION_TEMPLATE = 'sallyport.dev/template';
/** When that template was written first, RFC 3339. */
export const ANNOTATION_TEMPLATE_SINCE = 'sallyport.dev/template-since';

/** Digest of the last template whose pods all got ready: the only one to go back to. */
export const ANNOTATION_GOOD_TEMPLATE = 'sallyport.dev/good-template';

/** Generation of the resource whose template did not get ready: it stays failed although another thing stalls since. */
export const ANNOTATION_FAILED_GENERATION = 'sallyport.dev/failed-generation';

/** Characters of the digest in a revision's name. */
const NAME_DIGEST_CHARS = 10;

export interface RollbackInput {
  /** What the spec asks for. */
  readonly wanted: PodTemplate;
  /** The Deployment or StatefulSet in the cache. */
  readonly workload: Child | undefined;
  /** ControllerRevisions made for the resource. */
  readonly revisions: readonly Child[];
  /** Whether every pod has the newest template and is ready. */
  readonly complete: boolean;
  /** The workload's controller has given up (Deployment, ProgressDeadlineExceeded). */
  readonly givenUp: boolean;
  readonly deadlineSeconds: number;
  /** Of the resource, as they stand, and its generation. */
  readonly conditions: readonly Condition[];
  readonly generation: number;
  readonly now: Date;
}

/** Which template to write. */
export interface Rollout {
  readonly template: PodTemplate;
  /** For the workload's metadata. */
  readonly annotations: StringMap;
  /** `Failed`: the wanted template did not get ready; `template` is the last good one if there is any. */
  readonly outcome: 'Going' | 'Failed';
  /** Whether an earlier template took the place of the wanted one. */
  readonly rolledBack: boolean;
  /** The template to keep for the way back; absent before the first success. */
  readonly good?: PodTemplate;
  /** When a rollout that goes on counts as failed. */
  readonly deadlineAt?: Date;
}

/** Decides between the wanted template and the last good one. Same input, same decision. */
export function chooseTemplate(input: RollbackInput): Rollout {
  const { wanted, complete } = input;
  const digest = restartDigest(wanted);
  const written = input.workload?.annotations[ANNOTATION_TEMPLATE] === digest;
  const good = written && complete ? wanted : goodTemplate(input);
  // Once it has been good, a template is not failing: what is missing then is a node, not a better template.
  if (good !== undefined && restartDigest(good) === digest) return going(input, good);
  return hasFailed(input) || (written && isOverdue(input))
    ? failed(input, good)
    : { ...going(input, good), ...deadlineField(input, digest) };
}

function going(input: RollbackInput, good: PodTemplate | undefined): Rollout {
  const { wanted: template } = input;
  const annotations = annotationsOf(template, input, good);
  return { template, annotations, outcome: 'Going', rolledBack: false, ...keep(good) };
}

function failed(input: RollbackInput, good: PodTemplate | undefined): Rollout {
  const template = good ?? input.wanted;
  const annotations = {
    ...annotationsOf(template, input, good),
    [ANNOTATION_FAILED_GENERATION]: String(input.generation),
  };
  const rolledBack = good !== undefined;
  return { template, annotations, outcome: 'Failed', rolledBack, ...keep(good) };
}

function deadlineField(input: RollbackInput, digest: string): Pick<Rollout, 'deadlineAt'> {
  const deadlineAt = deadlineOf(input, digest);
  return deadlineAt === undefined ? {} : { deadlineAt };
}

/** The ControllerRevision that keeps `template`. `metadataOf` gives the metadata of a child of this name. */
export function goodRevision(
  name: string,
  template: PodTemplate,
  metadataOf: (name: string) => ObjectMeta,
): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: metadataOf(`${name}-${restartDigest(template).slice(0, NAME_DIGEST_CHARS)}`),
    data: { template },
    revision: 1,
  };
}

/**
 * Said before of this very spec: it stays said until the spec changes. The condition may say something more urgent by
 * now, and a workload that a pause holds has no annotation yet, so either counts.
 */
function hasFailed({ conditions, generation, workload }: RollbackInput): boolean {
  const isSaid = conditions.some(
    ({ type, status, reason, observedGeneration }) =>
      type === 'Stalled' &&
      status === 'True' &&
      reason === 'RolloutFailed' &&
      observedGeneration === generation,
  );
  return isSaid || workload?.annotations[ANNOTATION_FAILED_GENERATION] === String(generation);
}

function isOverdue(input: RollbackInput): boolean {
  const { workload, givenUp, now } = input;
  if (givenUp || workload?.ref.kind === 'Deployment') return givenUp;
  const deadline = deadlineOf(input, restartDigest(input.wanted));
  return deadline !== undefined && deadline.getTime() <= now.getTime();
}

/** A Deployment counts for itself; of a StatefulSet we know when its template was written. */
function deadlineOf(
  { workload, deadlineSeconds }: RollbackInput,
  digest: string,
): Date | undefined {
  if (workload?.annotations[ANNOTATION_TEMPLATE] !== digest) return undefined;
  const since = Date.parse(workload.annotations[ANNOTATION_TEMPLATE_SINCE] ?? '');
  return Number.isNaN(since) ? undefined : new Date(since + deadlineSeconds * 1000);
}

function annotationsOf(
  template: PodTemplate,
  { workload, now }: RollbackInput,
  good: PodTemplate | undefined,
): StringMap {
  const digest = restartDigest(template);
  const since =
    workload?.annotations[ANNOTATION_TEMPLATE] === digest
      ? workload.annotations[ANNOTATION_TEMPLATE_SINCE]
      : undefined;
  return {
    [ANNOTATION_TEMPLATE]: digest,
    [ANNOTATION_TEMPLATE_SINCE]: since ?? timestamp(now),
    ...(good === undefined ? {} : { [ANNOTATION_GOOD_TEMPLATE]: restartDigest(good) }),
  };
}

/**
 * The template in a revision whose digest this operator wrote on the workload. The template that was written last counts
 * too: during a pause its revision is made while the workload waits, and only good templates get one.
 */
function goodTemplate({ revisions, workload }: RollbackInput): PodTemplate | undefined {
  const { annotations = {} } = workload ?? {};
  const believed = [annotations[ANNOTATION_GOOD_TEMPLATE], annotations[ANNOTATION_TEMPLATE]];
  const templates = revisions.flatMap(({ view }) => {
    const { template } = (view['data'] ?? {}) as { readonly template?: PodTemplate };
    return template === undefined ? [] : [{ template, digest: restartDigest(template) }];
  });
  for (const digest of believed) {
    const found = templates.find((one) => one.digest === digest);
    if (found) return found.template;
  }
  return undefined;
}

function keep(good: PodTemplate | undefined): { readonly good?: PodTemplate } {
  return good === undefined ? {} : { good };
}

import type { StalledReason, UpgradeReason } from './conditions.js';
import { refId, refOf } from './object.js';
import type { KubernetesObject } from './object.js';
import type { Verdict } from './plan.js';

/** How many render versions an operator can write: the current one and the two before it. */
export const RENDER_VERSIONS_KEPT = 3;

/** `spec.renderVersion`: unset, `Latest`, or a number. */
export type RenderChoice = number | 'Latest' | undefined;

/** With which version everything of a resource is written. */
export type Render =
  | {
      readonly state: 'Render';
      readonly version: number;
      readonly latest: number;
      /** Whether a newer version than `version` waits. */
      readonly upgradePending: boolean;
      readonly pinnedBy: 'spec' | 'record' | 'none';
    }
  | {
      readonly state: 'Unsupported';
      readonly reason: Extract<StalledReason, 'RenderVersionUnsupported'>;
      readonly message: string;
    };

/**
 * Chooses the render version. `choice` is the resource's wish; `recorded` is the version recorded when it was created
 * (`status.render.version`, else the annotation `sallyport.dev/render` of its workload); `rendered` are the versions
 * that this operator writes, ascending. A version that is not among them is refused and nothing is written: what runs
 * goes on running.
 */
export function chooseRender(
  choice: RenderChoice,
  recorded: number | undefined,
  rendered: readonly [number, ...number[]],
): Render {
  const latest = Math.max(...rendered);
  // A record that nobody chose falls forward: what is no longer written would stand still for ever.
  const held = [...rendered].sort((a, b) => a - b).find((one) => one >= (recorded ?? latest));
  const wanted = choice === 'Latest' ? latest : (choice ?? held ?? recorded ?? latest);
  if (!rendered.includes(wanted)) return unsupported(wanted, rendered);
  const pinnedBy = typeof choice === 'number' ? 'spec' : choice === undefined ? 'record' : 'none';
  return { state: 'Render', version: wanted, latest, upgradePending: wanted < latest, pinnedBy };
}

/** `UpgradePending` for a chosen render. */
export function upgradeVerdict(
  render: Extract<Render, { state: 'Render' }>,
): Verdict<'UpgradePending', UpgradeReason> {
  const { version, latest } = render;
  if (!render.upgradePending) {
    return {
      type: 'UpgradePending',
      status: 'False',
      reason: 'UpToDate',
      message: `Everything is written with render version ${version}, the newest.`,
    };
  }
  const how = `Set spec.renderVersion to ${latest} or 'Latest' to take it; status.plan lists what changes.`;
  return {
    type: 'UpgradePending',
    status: 'True',
    reason: render.pinnedBy === 'spec' ? 'RenderPinned' : 'RenderRecorded',
    message: `Written with render version ${version}; ${latest} is available. ${how}`,
  };
}

/** One entry of `status.plan`: what an upgrade would do to one object. */
export interface PlannedChange {
  readonly kind: string;
  readonly name: string;
  readonly action: 'Create' | 'Change' | 'Delete';
  /** Paths that differ, at most `MAX_FIELDS`, sorted. */
  readonly fields: readonly string[];
  /** Whether pods are replaced: their template differs. */
  readonly restartsPods: boolean;
}

/** The most paths and objects that `status.plan` names. */
export const MAX_FIELDS = 10;
export const MAX_CHANGES = 32;

/** What replacing the objects of `from` by those of `to` would change, by kind and name. */
export function planUpgrade(
  from: readonly KubernetesObject[],
  to: readonly KubernetesObject[],
): readonly PlannedChange[] {
  const before = new Map(from.map((object) => [refId(refOf(object)), object]));
  const after = new Map(to.map((object) => [refId(refOf(object)), object]));
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .flatMap((id) => change(before.get(id), after.get(id)))
    .slice(0, MAX_CHANGES);
}

/** Paths at which two JSON values differ, `spec.template.spec.containers[0].image`; a list of other length differs as a whole. */
export function differingPaths(a: unknown, b: unknown, path = ''): readonly string[] {
  if (Object.is(a, b)) return [];
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    return a.flatMap((item, index) => differingPaths(item, b[index], `${path}[${index}]`));
  }
  if (!isRecord(a) || !isRecord(b)) return [path];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .sort()
    .flatMap((key) => differingPaths(a[key], b[key], path === '' ? key : `${path}.${key}`));
}

function change(
  before: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
): readonly PlannedChange[] {
  const { kind, metadata } = (after ?? before) as KubernetesObject;
  const entry = { kind, name: metadata.name };
  if (!before) return [{ ...entry, action: 'Create', fields: [], restartsPods: false }];
  if (!after) return [{ ...entry, action: 'Delete', fields: [], restartsPods: false }];
  const paths = differingPaths(before, after);
  if (paths.length === 0) return [];
  const restartsPods = paths.some((path) => path.startsWith('spec.template'));
  return [{ ...entry, action: 'Change', fields: paths.slice(0, MAX_FIELDS), restartsPods }];
}

function unsupported(wanted: number, rendered: readonly number[]): Render {
  const known = [...rendered].sort((a, b) => a - b).join(', ');
  return {
    state: 'Unsupported',
    reason: 'RenderVersionUnsupported',
    message: `Render version ${wanted} is not written by this operator; nothing is changed. Set spec.renderVersion to 'Latest' or one of ${known}.`,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

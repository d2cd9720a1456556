/* Parts of status that read the same for every kind. */
import type { Child } from '../../kubernetes/cluster.js';
import { timestamp } from '../../kubernetes/conditions.js';
import { ANNOTATION_ROTATE } from '../../kubernetes/metadata.js';
import { refId, refOf, type KubernetesObject } from '../../kubernetes/object.js';
import { desiredHash } from '../../kubernetes/owned-fields.js';
import type { Pause } from '../../kubernetes/pause.js';
import type { PlannedChange } from '../../kubernetes/render-pin.js';
import type { Provenance } from '../../policy/effective.js';
import { sourceText } from '../../policy/effective.js';
import type { CertificateFact } from '../keys/facts.js';

/** The longest value that `status.effective` shows (CRD). */
const MAX_VALUE_CHARS = 1024;

/** One entry of `status.effective`. */
export interface EffectiveField {
  readonly field: string;
  readonly value: string;
  readonly source: string;
}

/** `status.effective`: every value in use with its source. A list that is too long is counted. */
export function effectiveFields(provenance: readonly Provenance[]): readonly EffectiveField[] {
  return provenance.map(({ field, value, source }) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const shown =
      text.length > MAX_VALUE_CHARS && Array.isArray(value) ? `${value.length} entries` : text;
    return { field, value: shown.slice(0, MAX_VALUE_CHARS), source: sourceText(source) };
  });
}

/** Addresses and host names that a load balancer gave a Service or Ingress, sorted; empty while there is none. */
export function loadBalancerAddresses(child: Child | undefined): readonly string[] {
  const { status } = (child?.view ?? {}) as LoadBalancerView;
  const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) =>
    [ip ?? hostname].filter((address) => address !== undefined),
  );
  return [...new Set(addresses)].sort();
}

/** The CRD's bound on `status.plan`. */
export const MAX_PLAN_ITEMS = 32;

const WORKLOADS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet']);

/** `objects` that differ from what stands and are not among the `written`: what a pause holds back. */
export function heldChanges(
  objects: readonly KubernetesObject[],
  written: readonly KubernetesObject[],
  children: readonly Child[],
): readonly PlannedChange[] {
  const going = new Set(written.map((object) => refId(refOf(object))));
  const standing = new Map(children.map((child) => [refId(child.ref), child]));
  return objects.flatMap((object): PlannedChange[] => {
    const id = refId(refOf(object));
    const child = standing.get(id);
    if (going.has(id) || child?.ownedHash === desiredHash(object)) return [];
    const { kind, metadata } = object;
    const action = child === undefined ? 'Create' : 'Change';
    // Which fields differ would take a read; that a workload differs is reason enough to expect new pods.
    return [{ kind, name: metadata.name, action, fields: [], restartsPods: WORKLOADS.has(kind) }];
  });
}

/** One entry of `status.plan`. */
export interface PlanItem {
  readonly kind: string;
  readonly name: string;
  readonly change: 'Create' | 'Update' | 'Delete';
  readonly restarts: boolean;
  readonly fields: readonly string[];
}

/** `change` as `status.plan` shows it. */
export function planItem({ kind, name, action, fields, restartsPods }: PlannedChange): PlanItem {
  const change = action === 'Change' ? 'Update' : action;
  return { kind, name, change, restarts: restartsPods, fields: [...fields] };
}

/** `status.paused`, while a pause holds. */
export function pausedField(pause: Pause, pending: number) {
  if (pause.state !== 'Paused') return {};
  return { paused: { until: timestamp(pause.until), pendingChanges: pending > 0 } };
}

/** Makes entries of `status.certificates`: dates and pins of certificates in one Secret, never material. */
export const certificateItem =
  <Purpose extends string>(purpose: Purpose, secretName: string) =>
  ({ serial, notBefore, notAfter, pins }: CertificateFact) => ({
    purpose,
    secretName,
    serial,
    notBefore,
    notAfter,
    pins: [...pins],
  });

/** The longest token that status repeats (CRD). */
const MAX_TOKEN_CHARS = 63;

/** A resource as far as its rotations go. */
export interface Rotating {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly status?: { readonly lastRotation?: { readonly token: string; readonly at: string } };
}

/** `status.lastRotation`: the token of the annotation, from when all that it asked for is `done`. */
export function rotationField({ metadata, status }: Rotating, done: boolean, now: Date) {
  const known = status?.lastRotation;
  const token = metadata.annotations?.[ANNOTATION_ROTATE]?.slice(0, MAX_TOKEN_CHARS);
  if (token === undefined || !done || known?.token === token) {
    return known === undefined ? {} : { lastRotation: known };
  }
  return { lastRotation: { token, at: timestamp(now) } };
}

interface LoadBalancerView {
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
    };
  };
}

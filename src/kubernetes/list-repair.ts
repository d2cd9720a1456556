/*
 * Two changes of others cannot be undone by applying alone, because server-side apply takes nothing away that
 * is not ours. Somebody changes a key of a list item (`protocol` of a Service port): it is then another item,
 * and applying adds ours beside it, with the same name, which the API server refuses. Somebody removes the
 * source of a volume: the API server writes `emptyDir` in its place, and a volume has one source only.
 */
import { below, differences, keyNames, keysOf, rootOf, type At } from './field-diff.js';
import { equalJson, hasKeys, isRecord } from './field-path.js';
import type { KubernetesObject } from './object.js';
import { desiredPart } from './owned-fields.js';

/**
 * A merge patch, guarded by resourceVersion, that makes `live` what we want, and every list with keys in
 * which an item of ours is missing just ours. Undefined when no such list holds an item of somebody else:
 * then applying is enough, unless it was tried and `refused`.
 */
export function listRepairPatch(
  desired: KubernetesObject,
  live: KubernetesObject,
  { refused = false }: { readonly refused?: boolean } = {},
): Record<string, unknown> | undefined {
  const { metadata, ...fields } = desiredPart(desired);
  const found = { seized: false };
  const walk = { ...rootOf(live), found };
  const patch = changedFields(fields, live, walk);
  const meta = isRecord(metadata)
    ? changedFields(metadata, { ...live.metadata }, step(walk, { field: 'metadata' }))
    : {};
  const changes = Object.keys(patch).length + Object.keys(meta).length;
  if (!(refused && changes > 0) && !found.seized) return undefined;
  return { ...patch, metadata: { ...meta, resourceVersion: live.metadata.resourceVersion } };
}

/**
 * A merge patch that takes our manager's updates out of managedFields; undefined when there are none. What
 * we own by update as well as by apply would stay when we stop applying it.
 */
export function withoutUpdatesPatch(
  live: KubernetesObject,
  manager: string,
): Record<string, unknown> | undefined {
  const { managedFields = [], resourceVersion } = live.metadata;
  const kept = managedFields.filter(
    (entry) =>
      entry.manager !== manager || entry.operation !== 'Update' || (entry.subresource ?? '') !== '',
  );
  if (kept.length === managedFields.length) return undefined;
  return { metadata: { managedFields: kept, resourceVersion } };
}

/** Where the walk stands, and whether it has met a list in which somebody took the place of an item of ours. */
type Walk = At & { readonly found: { seized: boolean } };

const step = (walk: Walk, to: At['path'][number]): Walk => ({
  ...below(walk, to),
  found: walk.found,
});

function changedFields(
  desired: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>>,
  walk: Walk,
): Record<string, unknown> {
  const laid = Object.entries(desired).map(
    ([field, wanted]) => [field, overlay(wanted, live[field], step(walk, { field }))] as const,
  );
  return Object.fromEntries(laid.filter(([field, value]) => !equalJson(value, live[field])));
}

/** `live` with everything of `desired` in it. */
function overlay(desired: unknown, live: unknown, walk: Walk): unknown {
  if (isRecord(desired) && isRecord(live)) {
    return { ...live, ...changedFields(desired, live, walk) };
  }
  if (Array.isArray(desired) && Array.isArray(live)) return overlayList(desired, live, walk);
  return desired;
}

function overlayList(
  desired: readonly unknown[],
  live: readonly unknown[],
  walk: Walk,
): readonly unknown[] {
  const names = keyNames(walk.trees);
  if (!names) return desired;
  const ours = desired.map((wanted) => {
    const keys = keysOf(wanted, names);
    const before = live.find((item) => hasKeys(item, keys));
    if (before === undefined) return { before, now: wanted };
    const at = step(walk, { keys });
    // Looks for seized lists further down, too.
    overlay(wanted, before, at);
    // An item that somebody has changed is ours again as a whole, or what took a field's place would stay.
    return { before, now: differences(wanted, before, at).length === 0 ? before : wanted };
  });
  const others = live.filter((item) => !ours.some(({ before }) => before === item));
  const missing = ours.some(({ before }) => before === undefined);
  if (missing && others.length > 0) walk.found.seized = true;
  return [...ours.map(({ now }) => now), ...(missing ? [] : others)];
}

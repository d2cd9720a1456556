/*
 * Somebody changes a key of a list item that we own: `protocol` of a Service port. The item is then another
 * one, and applying adds ours beside it: two ports of one name, which the API server refuses, for ever.
 * Server-side apply cannot take away an item of somebody else; an update can.
 */
import { below, keyNames, keysOf, rootOf, type At } from './field-diff.js';
import { hasKeys, isRecord } from './field-path.js';
import type { KubernetesObject } from './object.js';
import { desiredPart } from './owned-fields.js';

/**
 * A merge patch, guarded by resourceVersion, that makes every list with keys in which an item of ours is
 * missing contain just ours. Undefined when no such list holds an item of somebody else: then that is not what
 * is wrong.
 */
export function listRepairPatch(
  desired: KubernetesObject,
  live: KubernetesObject,
): Record<string, unknown> | undefined {
  const { metadata, ...fields } = desiredPart(desired);
  const at = rootOf(live);
  const patch = repairedFields(fields, live, at);
  const meta = isRecord(metadata)
    ? repairedFields(metadata, { ...live.metadata }, below(at, { field: 'metadata' }))
    : {};
  if (Object.keys(patch).length + Object.keys(meta).length === 0) return undefined;
  return { ...patch, metadata: { ...meta, resourceVersion: live.metadata.resourceVersion } };
}

/** The fields of `live` that need repair, repaired. */
function repairedFields(
  desired: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>>,
  at: At,
): Record<string, unknown> {
  const repaired = Object.entries(desired).map(
    ([field, wanted]) => [field, repair(wanted, live[field], below(at, { field }))] as const,
  );
  return Object.fromEntries(repaired.filter(([field, value]) => value !== live[field]));
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

/** `live` itself when nothing needs repair. */
function repair(desired: unknown, live: unknown, at: At): unknown {
  if (isRecord(desired) && isRecord(live)) return repairRecord(desired, live, at);
  if (Array.isArray(desired) && Array.isArray(live)) return repairList(desired, live, at);
  return live;
}

function repairRecord(
  desired: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>>,
  at: At,
): Readonly<Record<string, unknown>> {
  const changed = repairedFields(desired, live, at);
  return Object.keys(changed).length === 0 ? live : { ...live, ...changed };
}

function repairList(
  desired: readonly unknown[],
  live: readonly unknown[],
  at: At,
): readonly unknown[] {
  const names = keyNames(at.trees);
  if (!names) return live;
  const ours = desired.map((wanted) => {
    const keys = keysOf(wanted, names);
    const found = live.find((item) => hasKeys(item, keys));
    return {
      found,
      item: found === undefined ? wanted : repair(wanted, found, below(at, { keys })),
    };
  });
  const missing = ours.some(({ found }) => found === undefined);
  const foreign = live.some((item) => !ours.some(({ found }) => found === item));
  if (missing && foreign) return ours.map(({ item }) => item);
  const repaired = live.map((item) => ours.find(({ found }) => found === item)?.item ?? item);
  return repaired.some((item, index) => item !== live[index]) ? repaired : live;
}

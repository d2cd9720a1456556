import { canonicalHash, canonicalObject } from './canonical.js';
import {
  SELF,
  hasKeys,
  equalJson,
  isLeaf,
  isRecord,
  stepOf,
  type FieldTree,
} from './field-path.js';
import type { KubernetesObject, ManagedFieldsEntry } from './object.js';

/** Our share of an object: what we applied to it, subresources apart. */
export function appliedEntry(
  live: KubernetesObject,
  manager: string,
): ManagedFieldsEntry | undefined {
  return live.metadata.managedFields?.find(
    (entry) =>
      entry.manager === manager &&
      entry.operation === 'Apply' &&
      (entry.subresource === undefined || entry.subresource === ''),
  );
}

/**
 * The part of `live` that `manager` owns by server-side apply: the same shape, lists reduced to its items in
 * live order. A path that it owns and that has no value is left out. Undefined when it owns nothing.
 */
export function ownedPart(
  live: KubernetesObject,
  manager: string,
): Record<string, unknown> | undefined {
  const fields = appliedEntry(live, manager)?.fieldsV1;
  if (!fields) return undefined;
  const part = cut(live, fields);
  return isRecord(part) ? part : undefined;
}

/** Hash of `ownedPart`; '' when the manager owns nothing. */
export function ownedHash(live: KubernetesObject, manager: string): string {
  const part = ownedPart(live, manager);
  return part === undefined ? '' : canonicalHash(part);
}

/**
 * The same hash of an object that we want: equal to `ownedHash` of the live object exactly when we own all
 * of it and nobody changed it. Apply `canonicalObject` to what you send, as this does to what it hashes.
 */
export function desiredHash(object: KubernetesObject): string {
  return canonicalHash(desiredPart(object));
}

/** What `ownedPart` of the live object should be. The server keeps identity out of managedFields. */
export function desiredPart(object: KubernetesObject): Record<string, unknown> {
  const { metadata, ...fields } = canonicalObject(object);
  const rest = without(fields, 'apiVersion', 'kind');
  const owned = without({ ...metadata }, 'name', 'namespace');
  return Object.keys(owned).length === 0 ? rest : { ...rest, metadata: owned };
}

function without(
  record: Readonly<Record<string, unknown>>,
  ...names: readonly string[]
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}

/** The part of `value` that `tree` names; undefined when there is none. */
function cut(value: unknown, tree: FieldTree): unknown {
  if (value === undefined || isLeaf(tree)) return value;
  if (Array.isArray(value)) return cutList(value, tree);
  if (isRecord(value)) return cutRecord(value, tree);
  // A scalar where the manager had a structure: somebody changed the shape, so show what is there.
  return value;
}

function cutRecord(
  record: Readonly<Record<string, unknown>>,
  tree: FieldTree,
): Record<string, unknown> {
  const part: Record<string, unknown> = {};
  for (const [member, below] of Object.entries(tree)) {
    if (!member.startsWith('f:') || !isRecord(below)) continue;
    const field = member.slice(2);
    const kept = cut(record[field], below);
    if (kept !== undefined) part[field] = kept;
  }
  return part;
}

interface OwnedItem {
  readonly matches: (item: unknown, index: number) => boolean;
  readonly tree: FieldTree;
}

function cutList(list: readonly unknown[], tree: FieldTree): unknown[] {
  const owned = Object.entries(tree).flatMap(([member, below]) => ownedItem(member, below));
  const part: unknown[] = [];
  list.forEach((item, index) => {
    const match = owned.find(({ matches }) => matches(item, index));
    if (match) part.push(cut(item, match.tree));
  });
  return part;
}

function ownedItem(member: string, below: unknown): readonly OwnedItem[] {
  const step = member === SELF ? undefined : stepOf(member);
  if (!step || 'field' in step || !isRecord(below)) return [];
  if ('keys' in step) return [{ matches: (item) => hasKeys(item, step.keys), tree: below }];
  if ('value' in step) return [{ matches: (item) => equalJson(item, step.value), tree: below }];
  return [{ matches: (_item, index) => index === step.index, tree: below }];
}

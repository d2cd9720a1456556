import {
  SELF,
  equalJson,
  hasKeys,
  isLeaf,
  isRecord,
  stepOf,
  subtree,
  type FieldPath,
  type FieldTree,
} from './field-path.js';
import type { KubernetesObject, ManagedFieldsEntry } from './object.js';
import { desiredPart } from './owned-fields.js';

/** Who owns a path of an object now, and since when. */
export interface PathOwner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource?: string;
  /** RFC 3339, of the manager's last change of the object. */
  readonly time?: string;
}

/**
 * Paths at which `live` is not what we want; the highest ones only. How lists are matched (by keys, as sets,
 * whole) is learnt from managedFields of all managers, which spell the schema out for what is there.
 */
export function diffPaths(desired: KubernetesObject, live: KubernetesObject): readonly FieldPath[] {
  return differences(desiredPart(desired), live, rootOf(live));
}

/** The beginning of a comparison with `live`. */
export function rootOf(live: KubernetesObject): At {
  const trees = (live.metadata.managedFields ?? []).flatMap(({ fieldsV1 }) =>
    fieldsV1 ? [fieldsV1] : [],
  );
  return { path: [], trees };
}

/** The managers that own `path` itself, something below it, or something whole above it. */
export function managersOf(live: KubernetesObject, path: FieldPath): readonly PathOwner[] {
  return (live.metadata.managedFields ?? [])
    .filter((entry) => entry.fieldsV1 !== undefined && owns(entry.fieldsV1, path))
    .map(ownerOf);
}

function ownerOf(entry: ManagedFieldsEntry): PathOwner {
  return {
    manager: entry.manager ?? '',
    operation: entry.operation ?? 'Update',
    ...(entry.subresource === undefined ? {} : { subresource: entry.subresource }),
    ...(entry.time === undefined ? {} : { time: entry.time }),
  };
}

function owns(tree: FieldTree, path: FieldPath): boolean {
  let here: FieldTree | undefined = tree;
  for (const step of path) {
    here = subtree(here, step);
    if (!here) return false;
    if (isLeaf(here)) return true;
  }
  return true;
}

/** Where a comparison stands, and what the managers own below. */
export interface At {
  readonly path: FieldPath;
  readonly trees: readonly FieldTree[];
}

/** Paths below `at` at which `live` is not `desired`. */
export function differences(desired: unknown, live: unknown, at: At): readonly FieldPath[] {
  if (live === undefined) return [at.path];
  if (isRecord(desired) && isRecord(live)) {
    // Owned whole by each (atomic): one value, however it differs.
    const granular = at.trees.some((tree) => !isLeaf(tree));
    if (granular) return recordDifferences(desired, live, at);
  }
  if (Array.isArray(desired) && Array.isArray(live)) return listDifferences(desired, live, at);
  return equalJson(desired, live) ? [] : [at.path];
}

function recordDifferences(
  desired: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>>,
  at: At,
): readonly FieldPath[] {
  return Object.entries(desired).flatMap(([field, value]) =>
    differences(value, live[field], below(at, { field })),
  );
}

function listDifferences(
  desired: readonly unknown[],
  live: readonly unknown[],
  at: At,
): readonly FieldPath[] {
  const names = keyNames(at.trees);
  if (names) return keyedDifferences(desired, live, { ...at, names });
  if (isSet(at.trees)) {
    return desired
      .filter((value) => !live.some((item) => equalJson(item, value)))
      .map((value) => [...at.path, { value }]);
  }
  return equalJson(desired, live) ? [] : [at.path];
}

function keyedDifferences(
  desired: readonly unknown[],
  live: readonly unknown[],
  at: At & { readonly names: readonly string[] },
): readonly FieldPath[] {
  const found = desired.flatMap((item) => {
    const keys = keysOf(item, at.names);
    const other = live.find((candidate) => hasKeys(candidate, keys));
    return differences(item, other, below(at, { keys }));
  });
  if (found.length > 0) return found;
  return sameOrder(desired, live, at.names) ? [] : [at.path];
}

function sameOrder(
  desired: readonly unknown[],
  live: readonly unknown[],
  names: readonly string[],
): boolean {
  const places = desired.map((item) =>
    live.findIndex((candidate) => hasKeys(candidate, keysOf(item, names))),
  );
  return places.every((place, index) => index === 0 || place > (places[index - 1] ?? -1));
}

/** The step into an item: its values of the key fields. A key that is not written has a default that we do not know. */
export function keysOf(item: unknown, names: readonly string[]): Record<string, unknown> {
  if (!isRecord(item)) return {};
  return Object.fromEntries(
    names.filter((name) => item[name] !== undefined).map((name) => [name, item[name]]),
  );
}

/** One step further. */
export function below({ path, trees }: At, step: FieldPath[number]): At {
  return {
    path: [...path, step],
    trees: trees.flatMap((tree) => {
      const next = subtree(tree, step);
      return next ? [next] : [];
    }),
  };
}

function members(trees: readonly FieldTree[]): readonly string[] {
  return trees.flatMap((tree) => Object.keys(tree)).filter((member) => member !== SELF);
}

/** The names of the fields that tell the items of this list apart; undefined when it is no list with keys. */
export function keyNames(trees: readonly FieldTree[]): readonly string[] | undefined {
  for (const member of members(trees)) {
    const step = stepOf(member);
    if (step && 'keys' in step) return Object.keys(step.keys);
  }
  return undefined;
}

function isSet(trees: readonly FieldTree[]): boolean {
  return members(trees).some((member) => member.startsWith('v:'));
}

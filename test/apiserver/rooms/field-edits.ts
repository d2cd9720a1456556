/*
 * Edits of others to single fields of objects of ours, in three ways. An edit that the API server itself refuses
 * (immutable or invalid) or takes without effect (a default comes back) is no drift; each other one is to be repaired.
 */
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { refOf } from '../../../src/kubernetes/object.js';
import { ownedPart } from '../../../src/kubernetes/owned-fields.js';
import { pathOf } from '../../../src/kubernetes/resources.js';
import type { TestApiServer } from '../bed/api-server.js';
import { eventually } from '../bed/eventually.js';
import { jsonPointers, stepsOf, valueAt } from '../engine/json-pointer.js';
import { placeIn, valueIn } from './field-places.js';

/** One leaf of an object, by its JSON pointer. */
export interface Field {
  /** As we want it. */
  readonly object: KubernetesObject;
  readonly pointer: string;
}

/** By whom and how: an Update with another value, another value applied by force, an Update that takes it away. */
export type EditKind = 'Update' | 'ForeignApply' | 'Removal';

/** In words, with how many fields of a gateway or a pool it must at least have been tried on. */
export const EVERY_WAY: readonly [string, EditKind, number][] = [
  ['an Update by somebody else', 'Update', 250],
  ['somebody else has applied it by force', 'ForeignApply', 80],
  ['somebody else has removed it', 'Removal', 150],
];

/** Identity is not a field, and when a template was first written is only known to the cluster. */
const NOT_EDITED =
  /^\/(apiVersion|kind|metadata\/(name|namespace)|metadata\/annotations\/.*since)$/;
/** Fields by which the API server tells list items apart (listMapKeys). */
const LIST_KEY =
  /^(.*)\/\d+\/(name|uid|mountPath|containerPort|port|protocol|topologyKey|whenUnsatisfiable|host|path|ip)$/;
const PATCH_REFUSED = 'the server rejected our request due to an error in our request';
const JSON_PATCH = { contentType: 'application/json-patch+json' } as const;
/** Edits in flight in one object. */
const AT_ONCE = 12;
const REPAIRED_WITHIN_MS = 30_000;

/** Edits fields of objects that an engine keeps, each edit under a manager of its own, so that none is a fight. */
export class FieldEdits {
  readonly #server: TestApiServer;
  #count = 0;

  constructor(server: TestApiServer) {
    this.#server = server;
  }

  /**
   * Edits every field of `desired` and waits for each repair. Gives the kind of the object of each edit that took
   * effect. @throws Error naming a field that was not repaired
   */
  async editAll(kind: EditKind, desired: readonly KubernetesObject[]): Promise<readonly string[]> {
    const taken = await Promise.all(
      desired.map(async (object) => {
        const edited: string[] = [];
        for (const batch of batches(await this.fieldsOf(object))) {
          const took = await Promise.all(batch.map((field) => this.#editAndWait(kind, field)));
          edited.push(...took.filter(Boolean).map(() => object.kind));
        }
        return edited;
      }),
    );
    return taken.flat();
  }

  /** Every leaf that we wrote and that stands as we wrote it. */
  async fieldsOf(object: KubernetesObject): Promise<readonly Field[]> {
    const standing = await this.live(object);
    return jsonPointers(object, true)
      .filter((pointer) => !NOT_EDITED.test(pointer))
      .filter((pointer) => same(valueIn(standing, object, pointer), valueAt(object, pointer)))
      .map((pointer) => ({ object, pointer }));
  }

  /** Makes one edit; whether the API server took it and it changed something. */
  async edit(kind: EditKind, field: Field): Promise<boolean> {
    this.#count += 1;
    const manager = `editor-${this.#count}`;
    const { object, pointer } = field;
    if (kind === 'ForeignApply') return this.#foreignApply(field, manager);
    const path = `${pathOf(refOf(object))}?fieldManager=${manager}`;
    return eventually(`${nameOf(field)} stands still`, async () => {
      const place = placeIn(await this.live(object), object, pointer);
      if (place === undefined) return undefined;
      const operation =
        kind === 'Removal'
          ? { op: 'remove', path: place.pointer }
          : { op: 'replace', path: place.pointer, value: other(valueAt(object, pointer)) };
      const patch = [...place.tests, operation];
      const answer = await this.#server.request('PATCH', path, patch, JSON_PATCH);
      return isMoved(answer) ? undefined : { tookEffect: tookEffect(field, answer) };
    }).then(({ tookEffect }) => tookEffect);
  }

  /** The object as the API server has it. */
  async live(object: KubernetesObject): Promise<KubernetesObject> {
    return (await this.#server.admin.get(pathOf(refOf(object)))) as KubernetesObject;
  }

  async #editAndWait(kind: EditKind, field: Field): Promise<boolean> {
    if (!(await this.edit(kind, field))) return false;
    await eventually(
      `${nameOf(field)} is repaired`,
      async () => isRepaired(field, await this.live(field.object)),
      { timeoutMs: REPAIRED_WITHIN_MS },
    );
    return true;
  }

  async #foreignApply(field: Field, manager: string): Promise<boolean> {
    const { object, pointer } = field;
    const keys = stepsOf(pointer);
    // List items have no position in an apply, so only fields outside of lists are edited in this way.
    if (keys.some((key) => /^\d+$/.test(key))) return false;
    const value = keys.reduceRight<unknown>(
      (inner, key) => ({ [key]: inner }),
      other(valueAt(object, pointer)),
    );
    const { apiVersion, kind, metadata } = object;
    const body = { ...(value as object), apiVersion, kind } as KubernetesObject;
    const identity = { ...body.metadata, name: metadata.name, namespace: metadata.namespace };
    const path = `${pathOf(refOf(object))}?fieldManager=${manager}&force=true`;
    const options = { contentType: 'application/apply-patch+yaml' };
    const applied = { ...body, metadata: identity };
    return tookEffect(field, await this.#server.request('PATCH', path, applied, options));
  }
}

/** What we own of `live`, as an object to apply. @throws Error when that is nothing */
export function ownedObject(live: KubernetesObject): KubernetesObject {
  const { apiVersion, kind } = live;
  const { name, namespace = '' } = live.metadata;
  const part = ownedPart(live, 'sallyport');
  if (part === undefined) throw new Error(`nothing of ${kind} ${name} is ours`);
  return {
    ...part,
    apiVersion,
    kind,
    metadata: { ...(part['metadata'] as object), name, namespace },
  };
}

/** `Kind name /pointer`. */
export function nameOf({ object, pointer }: Field): string {
  return `${object.kind} ${object.metadata.name} ${pointer}`;
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Another value of the same type. */
function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  return typeof value === 'string' ? `${value}x` : value;
}

function tookEffect(
  { object, pointer }: Field,
  { status, body }: { readonly status: number; readonly body: unknown },
): boolean {
  return status === 200 && !same(valueIn(body, object, pointer), valueAt(object, pointer));
}

/** A test of the patch failed: a list has changed since it was read. An invalid object is refused with more words. */
const isMoved = ({ status, body }: { readonly status: number; readonly body: unknown }): boolean =>
  status === 422 && (body as { readonly message?: string }).message === PATCH_REFUSED;

/** An edit that moves list items is made alone. */
function batches(mine: readonly Field[]): readonly (readonly Field[])[] {
  const alone = mine.filter(({ pointer }) => /\/\d+$/.test(pointer) || LIST_KEY.test(pointer));
  const others = mine.filter((field) => !alone.includes(field));
  const count = Math.ceil(others.length / AT_ONCE);
  const together = Array.from({ length: count }, (_, index) =>
    others.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
  );
  return [...together, ...alone.map((field) => [field])];
}

/** An item whose key was edited is another item: ours comes back beside it. */
function isRepaired({ object, pointer }: Field, standing: unknown): boolean {
  return same(valueIn(standing, object, pointer), valueAt(object, pointer));
}

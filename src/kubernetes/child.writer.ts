import { isApiError } from './api-error.js';
import type { ApiError } from './api-error.js';
import { applyAndRepair } from './apply.client.js';
import { canonicalObject } from './canonical.js';
import { decideSeizure, guarded } from './carry-out.js';
import type { Meant } from './carry-out.js';
import { ForeignObject } from './child-failures.js';
import type { FencedClient } from './fenced.client.js';
import { replicasHandOver, replicasOfChild, replicasOfLive } from './hand-over.js';
import { FIELD_MANAGER, HANDOVER_MANAGER, mayAdopt } from './metadata.js';
import { refOf } from './object.js';
import { ownedPart } from './owned-fields.js';
import type { KubernetesObject, ObjectRef } from './object.js';
import type { Change, Store } from './store.js';

export interface WriterOptions {
  readonly client: FencedClient;
  readonly store: Store;
  /** Whether a resource with this UID exists. */
  readonly ownerLives: (uid: string) => boolean;
  /** What our own writes changed in the cache. */
  readonly onChanges: (changes: readonly Change[], owner: KubernetesObject | undefined) => void;
}

export type Owner = KubernetesObject | undefined;

/** What is known of an object that is to be changed. */
export interface Known extends Meant {
  /** The live object, when it was read. */
  readonly live?: KubernetesObject | undefined;
  /** For the audit log. */
  readonly reason: 'Changed' | 'Drift' | 'Adopted';
}

const AS_US = { fieldManager: FIELD_MANAGER, force: true } as const;

/** Writes single objects so that nobody else's is ever touched; every answer enters the cache at once. */
export class ChildWriter {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Creates `object`. @throws ApiError for which `isInTheWay` when something stands there */
  create(object: KubernetesObject, owner: Owner): Promise<KubernetesObject> {
    const body = guarded(canonicalObject(object), undefined);
    return this.#took(this.#options.client.apply(body, AS_US, 'Created'), owner);
  }

  /** Changes the object with this UID. @throws ApiError for which `isInTheWay` when it is another one, or gone */
  async update(object: KubernetesObject, owner: Owner, known: Known): Promise<KubernetesObject> {
    const { client } = this.#options;
    const ref = refOf(object);
    const body = guarded(canonicalObject(object), known);
    await this.#handOver(object, owner, known);
    const answer = applyAndRepair(
      { object: canonicalObject(object), manager: FIELD_MANAGER, live: known.live },
      {
        apply: () => client.apply(body, AS_US, known.reason),
        read: () => client.find(ref),
        mergePatch: (patch) => client.mergePatch(ref, patch, FIELD_MANAGER, known.reason),
      },
    );
    return this.#took(answer, owner);
  }

  /** Something stands in the way: one read decides whether it is ours to change. @throws ForeignObject, ApiError */
  async seize(ref: ObjectRef, owner: Owner, knownUid?: string): Promise<Known> {
    const { client, ownerLives } = this.#options;
    const live = await client.find(ref);
    const uid = live?.metadata.uid;
    if (!live || uid === undefined) throw new InTransition(ref, 'vanished meanwhile');
    const ownerUid = owner?.metadata.uid;
    const decision = decideSeizure(live, { ownerUid, ownerLives, knownUid }, mayAdopt(owner));
    if (decision === 'Foreign') throw new ForeignObject(ref);
    if (decision === 'AwaitDeletion') throw new InTransition(ref, 'is being deleted');
    return { uid, live, reason: decision === 'Adopt' ? 'Adopted' : 'Changed' };
  }

  /**
   * Gives our own object its labels back and leaves everything else in it as it is; without labels no cache sees it. For
   * objects whose content is not planned anew from nothing: keys.
   */
  async relabel(object: KubernetesObject, owner: Owner, live: KubernetesObject): Promise<void> {
    const { labels, ownerReferences, name, namespace } = object.metadata;
    const { metadata, ...content } = ownedPart(live, FIELD_MANAGER) ?? {};
    const body: KubernetesObject = {
      ...content,
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: {
        ...(metadata as object | undefined),
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(labels === undefined ? {} : { labels }),
        ...(ownerReferences === undefined ? {} : { ownerReferences }),
      },
    };
    const { uid = '', resourceVersion } = live.metadata;
    const call = this.#options.client.apply(
      guarded(body, { uid, resourceVersion }),
      AS_US,
      'Drift',
    );
    await this.#took(call, owner);
  }

  /** The live count is held by another manager of ours before our own apply lets go of it. */
  async #handOver(object: KubernetesObject, owner: Owner, { live }: Known): Promise<void> {
    const child = this.#options.store.child(refOf(object));
    const facts = live ? replicasOfLive(live) : child && replicasOfChild(child);
    const body = facts && replicasHandOver(object, facts);
    if (!body) return;
    const options = { fieldManager: HANDOVER_MANAGER, force: true };
    await this.#took(this.#options.client.apply(body, options, 'HandOver'), owner);
  }

  async #took(call: Promise<KubernetesObject>, owner: Owner): Promise<KubernetesObject> {
    const answer = await call;
    this.#options.onChanges(this.#options.store.put(answer), owner);
    return answer;
  }
}

/** An object that changes between two looks; the next pass sees what became of it. */
export class InTransition extends Error {
  override readonly name = 'InTransition';

  constructor(ref: ObjectRef, what: string) {
    super(`${ref.kind} ${ref.name} ${what}`);
  }
}

/**
 * Whether a guarded apply met another object than it meant. 409: one exists that should not, or none where one should.
 * 422 on `metadata.uid`: another of that name.
 */
export function isInTheWay(error: unknown): error is ApiError {
  if (isApiError(error, 'Conflict', 'AlreadyExists')) return true;
  return isApiError(error, 'Invalid') && error.causes.some(({ field }) => field === 'metadata.uid');
}

import { decideApply, decidePrune, decideSeizure } from '../kubernetes/carry-out.js';
import { ForeignObject } from '../kubernetes/child-failures.js';
import type { ChildFailure } from '../kubernetes/child-failures.js';
import type { CarriedOut, Child, Cluster, Resource } from '../kubernetes/cluster.js';
import { API_VERSION, mayAdopt } from '../kubernetes/metadata.js';
import { refOf } from '../kubernetes/object.js';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.js';
import { desiredHash } from '../kubernetes/owned-fields.js';
import type { CommonStatus, Plan, PlannedEvent } from '../kubernetes/plan.js';
import { completeStatus, STATUS_FIELDS_OF_OTHERS, statusHash } from '../kubernetes/status.js';
import type { Change } from '../kubernetes/store.js';
import { ObjectStore } from './object-store.js';

export interface InMemoryOptions {
  readonly newUid: () => string;
  readonly now: () => Date;
  /** Told of every change, as the caches of the engine are. */
  readonly onChange?: (change: Change) => void;
  readonly onEvents?: (owner: KubernetesObject, events: readonly PlannedEvent[]) => void;
}

/** An object as it is kept: as it was put, and what a controller added. */
export interface KeptObject {
  readonly put: KubernetesObject;
  readonly assigned?: object | undefined;
}

/**
 * A cluster in memory for the same rooms: plans are carried out by the same decisions as on an API server. There are no
 * other field managers here, so nothing drifts; objects that a user puts are foreign to plans all the same.
 */
export class InMemoryCluster implements Cluster {
  readonly #options: InMemoryOptions;
  readonly #store: ObjectStore;
  #onChange: (change: Change) => void;

  constructor(options: InMemoryOptions) {
    this.#options = options;
    this.#onChange = options.onChange ?? (() => undefined);
    this.#store = new ObjectStore({
      newUid: options.newUid,
      now: options.now,
      onChange: (change) => {
        this.#onChange(change);
      },
    });
  }

  /** Replaces who is told of changes. */
  set onChange(listener: (change: Change) => void) {
    this.#onChange = listener;
  }

  /** Stores what a user applies: a resource of ours, or a Secret that one refers to. */
  put(object: KubernetesObject): KubernetesObject {
    return this.#store.put(object, false);
  }

  /** Deletes an object and all that was made for it; false when it is not there. */
  delete(ref: ObjectRef): boolean {
    return this.#store.remove(ref);
  }

  /** The status that a kubelet or a controller would write (ready replicas, addresses). */
  putStatus(ref: ObjectRef, status: object): void {
    this.#store.putStatus(ref, status);
  }

  /** Fields that a controller puts into a spec (a Service's address); they are not part of what was applied. */
  assign(ref: ObjectRef, fields: object): void {
    this.#store.assign(ref, fields);
  }

  /** Everything, to be kept and given to `restore` of a later run. */
  kept(): readonly KeptObject[] {
    return this.#store.kept();
  }

  /** Puts back what was kept, before anything else is put. What it said about pods is not true any more. */
  restore(objects: readonly KeptObject[]): void {
    for (const { put, assigned } of objects) this.#store.restore(withoutPods(put), assigned);
  }

  /** Every object, whole, in the order in which it was made. */
  objects(): readonly KubernetesObject[] {
    return this.#store.all();
  }

  get<T extends KubernetesObject>(ref: ObjectRef): T | undefined {
    return ref.apiVersion === API_VERSION ? (this.#store.get(ref) as T | undefined) : undefined;
  }

  list<T extends KubernetesObject>(
    apiVersion: string,
    kind: string,
    namespace?: string,
  ): readonly T[] {
    // Who asks for a kind knows its type; the store holds all of them.
    return this.#store.all().filter((object) => {
      const ref = refOf(object);
      if (apiVersion !== API_VERSION || ref.apiVersion !== apiVersion || ref.kind !== kind)
        return false;
      return namespace === undefined || ref.namespace === namespace;
    }) as unknown as readonly T[];
  }

  child(ref: ObjectRef): Child | undefined {
    return this.#store.child(ref);
  }

  children(ownerUid: string): readonly Child[] {
    return this.#store.children().filter((child) => child.ownerUid === ownerUid);
  }

  childrenOfKind(apiVersion: string, kind: string, namespace?: string): readonly Child[] {
    return this.#store
      .children()
      .filter(({ ref }) => ref.apiVersion === apiVersion && ref.kind === kind)
      .filter(({ ref }) => namespace === undefined || ref.namespace === namespace);
  }

  /** Kinds of other people's CustomResourceDefinitions do not exist here. */
  serves(apiVersion: string): boolean {
    return (
      !apiVersion.startsWith('cert-manager.io/') && !apiVersion.startsWith('monitoring.coreos.com/')
    );
  }

  read(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    return Promise.resolve(this.#store.get(ref));
  }

  remove({ ref, uid }: Child): Promise<void> {
    if (this.#store.get(ref)?.metadata.uid === uid) this.#store.remove(ref);
    return Promise.resolve();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- refusals reject, as those of the engine do
  async apply(
    owner: KubernetesObject | undefined,
    object: KubernetesObject,
  ): Promise<KubernetesObject> {
    this.#checkSeizure(object, owner);
    return this.#store.put(object, true);
  }

  applyStatus(owner: KubernetesObject, status: object): Promise<void> {
    const ref = refOf(owner);
    const stored = this.#store.get(ref);
    if (stored)
      this.#store.putStatus(ref, { ...(stored['status'] as object | undefined), ...status });
    return Promise.resolve();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- failures reject, as those of the engine do
  async carryOut<Status extends CommonStatus>(
    owner: Resource<unknown, Status>,
    plan: Plan<Status>,
  ): Promise<CarriedOut> {
    const applied: ObjectRef[] = [];
    const failed: ChildFailure[] = [];
    for (const object of plan.apply) {
      try {
        if (this.#bring(object, owner)) applied.push(refOf(object));
      } catch (error) {
        if (!(error instanceof ForeignObject)) throw error;
        failed.push({ ref: refOf(object), error });
      }
    }
    const pruned = failed.length === 0 ? this.#prune(owner, plan) : [];
    const statusWritten = this.#writeStatus(owner, plan.status, failed);
    if (statusWritten || applied.length + pruned.length > 0) {
      this.#options.onEvents?.(owner, plan.events);
    }
    return { applied, pruned, failed, statusWritten };
  }

  /** True when it was written. @throws ForeignObject */
  #bring(object: KubernetesObject, owner: KubernetesObject): boolean {
    const ref = refOf(object);
    const decision = decideApply({
      desiredHash: desiredHash(object),
      child: this.child(ref),
      applied: undefined,
      ownerUid: owner.metadata.uid,
      ownerLives: (uid) => this.#ownerLives(uid),
    });
    if (decision.action === 'Nothing' || decision.action === 'AwaitDeletion') return false;
    if (decision.action === 'Refuse') throw new ForeignObject(ref);
    this.#checkSeizure(object, owner);
    this.#store.put(object, true);
    return true;
  }

  /** @throws ForeignObject */
  #checkSeizure(object: KubernetesObject, owner: KubernetesObject | undefined): void {
    const ref = refOf(object);
    const live = this.#store.get(ref);
    if (!live) return;
    const ownerUid = owner?.metadata.uid;
    const lives = { ownerUid, ownerLives: (uid: string) => this.#ownerLives(uid) };
    if (decideSeizure(live, lives, mayAdopt(owner)) === 'Foreign') throw new ForeignObject(ref);
  }

  #ownerLives(uid: string): boolean {
    return this.#store
      .all()
      .some((object) => object.apiVersion === API_VERSION && object.metadata.uid === uid);
  }

  #prune(owner: KubernetesObject, plan: Plan): readonly ObjectRef[] {
    const { before, after } = decidePrune(plan, this.children(owner.metadata.uid ?? ''));
    return [...before, ...after].map(({ ref }) => {
      this.#store.remove(ref);
      return ref;
    });
  }

  #writeStatus<Status extends CommonStatus>(
    owner: Resource<unknown, Status>,
    planned: Status,
    failures: readonly ChildFailure[],
  ): boolean {
    const ref = refOf(owner);
    const stored = this.#store.get(ref);
    if (!stored) return false; // Deleted meanwhile.
    const live = stored['status'] as object | undefined;
    const { generation = 0 } = owner.metadata;
    const outcome = { failures, records: [], left: [], generation, now: this.#options.now() };
    const status = completeStatus(planned, live, outcome);
    if (statusHash(status) === statusHash(live)) return false;
    this.#store.putStatus(ref, { ...fieldsOfOthers(live), ...status });
    return true;
  }
}

/** No pod runs: workloads have counted none, and resources of ours have not been looked at. */
function withoutPods(object: KeptObject['put']): KubernetesObject {
  const { status } = object;
  if (object.apiVersion === 'apps/v1') return { ...object, status: {} };
  if (object.apiVersion !== API_VERSION || status === undefined) return object;
  return { ...object, status: { ...(status as object), observedGeneration: 0 } };
}

/** What `applyStatus` wrote: a plan's status leaves it as it is. */
function fieldsOfOthers(status: object | undefined): object {
  const entries = Object.entries(status ?? {});
  return Object.fromEntries(entries.filter(([field]) => STATUS_FIELDS_OF_OTHERS.has(field)));
}

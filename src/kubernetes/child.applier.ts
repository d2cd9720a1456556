import { isApiError } from './api-error.js';
import type { ApiError } from './api-error.js';
import { decideApply, decideSeizure, guarded } from './carry-out.js';
import type { Applied, ApplyDecision } from './carry-out.js';
import { ForeignObject } from './child-failures.js';
import type { Child } from './cluster.js';
import { attributeDrift, foughtDrift, isFight, WHOLE_OBJECT } from './drift.js';
import type { Drift, DriftRecord } from './drift.js';
import type { FencedClient } from './fenced.client.js';
import { isScaled, mayDropReplicas, ownsReplicas, replicasHandOver } from './hand-over.js';
import { FIELD_MANAGER, HANDOVER_MANAGER, mayAdopt } from './metadata.js';
import { refId, refOf } from './object.js';
import type { KubernetesObject, ObjectRef } from './object.js';
import { desiredHash, ownedHash } from './owned-fields.js';
import type { Change, Store } from './store.js';

export type ApplyOutcome = 'Nothing' | 'Created' | 'Updated' | 'Adopted' | 'Left';

export interface ApplierOptions {
  readonly client: FencedClient;
  readonly store: Store;
  /** Whether a resource with this UID exists. */
  readonly ownerLives: (uid: string) => boolean;
  /** What our own writes changed in the cache. */
  readonly onChanges: (changes: readonly Change[], owner: KubernetesObject | undefined) => void;
}

/** One pass over the objects of one owner: what it may know of drift, and what it finds out. */
export interface Pass {
  readonly owner: KubernetesObject | undefined;
  readonly records: readonly DriftRecord[];
  readonly now: Date;
  /** Drift that was put back. */
  readonly repaired: Drift[];
  /** Drift that was left. */
  readonly left: Drift[];
}

/** Brings single objects to what is wanted of them, with as few calls as that takes: none, when nothing is to do. */
export class ChildApplier {
  readonly #options: ApplierOptions;
  readonly #memory = new Map<string, Applied>();

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Applies `object` if it differs. @throws ForeignObject, Fenced, ApiError */
  async bring(object: KubernetesObject, pass: Pass): Promise<ApplyOutcome> {
    const { store, ownerLives } = this.#options;
    const ref = refOf(object);
    const child = store.child(ref);
    const applied = this.#memory.get(refId(ref));
    const wanted = desiredHash(object);
    if (child && this.#isLeft(child, applied, wanted, pass)) return 'Left';
    const ownerUid = pass.owner?.metadata.uid;
    const decision = decideApply({ desiredHash: wanted, child, applied, ownerUid, ownerLives });
    switch (decision.action) {
      case 'Nothing':
        if (child) this.#settle(child, applied, wanted);
        return 'Nothing';
      case 'AwaitDeletion':
        return 'Nothing';
      case 'Refuse':
        throw new ForeignObject(ref);
      case 'Create':
        return this.#create(object, applied, pass);
      case 'Update':
        return this.#update(object, decision, pass);
    }
  }

  /** Applies `object` whether it differs or not, and gives it as stored. @throws as `bring` */
  async write(
    object: KubernetesObject,
    owner: KubernetesObject | undefined,
  ): Promise<KubernetesObject> {
    const child = this.#options.store.child(refOf(object));
    if (child && this.#belongsElsewhere(child, owner)) throw new ForeignObject(child.ref);
    try {
      return await this.#send(object, child?.uid, owner, child ? 'Changed' : 'Missing');
    } catch (error) {
      if (!isGuardFailure(error)) throw error;
      const { uid } = await this.#seize(refOf(object), owner);
      return this.#send(object, uid, owner, 'Changed');
    }
  }

  /** Forgets what was pruned: its absence is no drift. */
  forget(ref: ObjectRef): void {
    this.#memory.delete(refId(ref));
  }

  /** Forgets everything of an owner that is gone. */
  forgetOwner(uid: string): void {
    for (const [id, { ownerUid }] of this.#memory) {
      if (ownerUid === uid) this.#memory.delete(id);
    }
  }

  async #create(
    object: KubernetesObject,
    applied: Applied | undefined,
    pass: Pass,
  ): Promise<ApplyOutcome> {
    try {
      await this.#send(object, undefined, pass.owner, 'Missing');
    } catch (error) {
      if (!isGuardFailure(error)) throw error;
      const { uid, adopted } = await this.#seize(refOf(object), pass.owner);
      await this.#send(object, uid, pass.owner, adopted ? 'Adopted' : 'Changed');
      return adopted ? 'Adopted' : 'Updated';
    }
    if (applied) {
      const { kind, metadata } = object;
      pass.repaired.push({ kind, name: metadata.name, field: WHOLE_OBJECT, manager: 'unknown' });
    }
    return 'Created';
  }

  async #update(
    object: KubernetesObject,
    decision: Extract<ApplyDecision, { action: 'Update' }>,
    pass: Pass,
  ): Promise<ApplyOutcome> {
    const ref = refOf(object);
    const applied = this.#memory.get(refId(ref));
    const needsLive =
      decision.cause !== 'Desired' || mayDropReplicas(object, applied?.ownsReplicas);
    const live = needsLive ? await this.#options.client.find(ref) : undefined;
    if (needsLive && live?.metadata.uid !== decision.uid)
      return this.#create(object, undefined, pass);
    const drifts = live && decision.cause !== 'Desired' ? this.#drifts(object, live, applied) : [];
    if (live && this.#leave(object, live, drifts, pass)) return 'Left';
    if (live && mayDropReplicas(object, applied?.ownsReplicas)) await this.#handOver(live, pass);
    try {
      await this.#send(object, decision.uid, pass.owner, drifts.length > 0 ? 'Drift' : 'Changed');
    } catch (error) {
      if (!isGuardFailure(error)) throw error;
      // Gone, or another of that name, and our cache has not heard of it yet.
      return this.#create(object, undefined, pass);
    }
    pass.repaired.push(...drifts);
    return 'Updated';
  }

  #drifts(
    object: KubernetesObject,
    live: KubernetesObject,
    applied: Applied | undefined,
  ): readonly Drift[] {
    const certain =
      applied?.uid === live.metadata.uid && applied?.desiredHash === desiredHash(object);
    return attributeDrift(object, live, certain);
  }

  /** Whether the drift is a fight that we do not go on with; remembered, so that no pass reads it again. */
  #leave(
    object: KubernetesObject,
    live: KubernetesObject,
    drifts: readonly Drift[],
    pass: Pass,
  ): boolean {
    const applied = this.#memory.get(refId(refOf(object)));
    // What we want has changed since: that is worth one more try.
    if (applied && applied.desiredHash !== desiredHash(object)) return false;
    const fought = foughtDrift(pass.records, drifts, pass.now);
    if (!fought) return false;
    const { field, manager } = fought;
    this.#memory.set(refId(refOf(object)), {
      uid: live.metadata.uid ?? '',
      ...(pass.owner?.metadata.uid === undefined ? {} : { ownerUid: pass.owner.metadata.uid }),
      desiredHash: desiredHash(object),
      ownedHash: ownedHash(live, FIELD_MANAGER),
      left: { field, manager },
    });
    pass.left.push(fought);
    return true;
  }

  #isLeft(child: Child, applied: Applied | undefined, wanted: string, pass: Pass): boolean {
    if (!applied?.left || applied.desiredHash !== wanted) return false;
    if (applied.uid !== child.uid || applied.ownedHash !== child.ownedHash) return false;
    const { field, manager } = applied.left;
    const drift = { kind: child.ref.kind, name: child.ref.name, field, manager };
    const record = foughtDrift(pass.records, [drift], pass.now);
    if (!record || !isFight(record, pass.now)) return false;
    pass.left.push(drift);
    return true;
  }

  /** The live count is held by another manager of ours before our own apply lets go of it. */
  async #handOver(live: KubernetesObject, pass: Pass): Promise<void> {
    const body = replicasHandOver(live);
    if (!body) return;
    const options = { fieldManager: HANDOVER_MANAGER, force: true };
    const answer = await this.#options.client.apply(body, options, 'HandOver');
    this.#options.onChanges(this.#options.store.put(answer), pass.owner);
  }

  async #send(
    object: KubernetesObject,
    uid: string | undefined,
    owner: KubernetesObject | undefined,
    reason: string,
  ): Promise<KubernetesObject> {
    const { client, store, onChanges } = this.#options;
    const options = { fieldManager: FIELD_MANAGER, force: true };
    const answer = await client.apply(guarded(object, uid), options, reason);
    this.#memory.set(refId(refOf(object)), {
      uid: answer.metadata.uid ?? '',
      ...(owner?.metadata.uid === undefined ? {} : { ownerUid: owner.metadata.uid }),
      desiredHash: desiredHash(object),
      ownedHash: ownedHash(answer, FIELD_MANAGER),
      ...(isScaled(object) ? { ownsReplicas: ownsReplicas(answer) } : {}),
    });
    onChanges(store.put(answer), owner);
    return answer;
  }

  /** Something stands in the way: one read decides whether it is ours to change. @throws ForeignObject, ApiError */
  async #seize(
    ref: ObjectRef,
    owner: KubernetesObject | undefined,
  ): Promise<{ readonly uid: string; readonly adopted: boolean }> {
    const { client, ownerLives } = this.#options;
    const live = await client.find(ref);
    const uid = live?.metadata.uid;
    if (!live || uid === undefined) throw new Error(`${ref.kind} ${ref.name} vanished meanwhile`);
    const ownerUid = owner?.metadata.uid;
    const decision = decideSeizure(live, { ownerUid, ownerLives }, mayAdopt(owner));
    if (decision === 'Foreign') throw new ForeignObject(ref);
    if (decision === 'AwaitDeletion') throw new Error(`${ref.kind} ${ref.name} is being deleted`);
    return { uid, adopted: decision === 'Adopt' };
  }

  /** Nothing to do is worth remembering too: the next difference is then told from a change of mind without a read. */
  #settle(child: Child, applied: Applied | undefined, wanted: string): void {
    if (applied?.ownedHash === child.ownedHash && applied.desiredHash === wanted) return;
    this.#memory.set(refId(child.ref), {
      uid: child.uid,
      ...(child.ownerUid === undefined ? {} : { ownerUid: child.ownerUid }),
      desiredHash: wanted,
      ownedHash: child.ownedHash,
    });
  }

  #belongsElsewhere(child: Child, owner: KubernetesObject | undefined): boolean {
    const { ownerUid } = child;
    return (
      ownerUid !== undefined &&
      ownerUid !== owner?.metadata.uid &&
      this.#options.ownerLives(ownerUid)
    );
  }
}

/** 409: exists although it should not, or is gone. 422 on `metadata.uid`: another object of that name. */
function isGuardFailure(error: unknown): error is ApiError {
  if (isApiError(error, 'Conflict', 'AlreadyExists')) return true;
  return isApiError(error, 'Invalid') && error.causes.some(({ field }) => field === 'metadata.uid');
}

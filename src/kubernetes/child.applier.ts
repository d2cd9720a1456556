import { canonicalObject } from './canonical.js';
import { decideApply } from './carry-out.js';
import type { Applied } from './carry-out.js';
import { ForeignObject } from './child-failures.js';
import { ChildWriter, InTransition, isInTheWay } from './child.writer.js';
import type { Known, Owner, WriterOptions } from './child.writer.js';
import type { Child } from './cluster.js';
import { attributeDrift, foughtDrift, WHOLE_OBJECT } from './drift.js';
import type { Drift, DriftRecord } from './drift.js';
import { FIELD_MANAGER, LABEL_MANAGED_BY } from './metadata.js';
import { refId, refOf } from './object.js';
import type { KubernetesObject, ObjectRef } from './object.js';
import { desiredHash, ownedHash } from './owned-fields.js';

export type ApplyOutcome = 'Nothing' | 'Created' | 'Updated' | 'Adopted' | 'Left';

/** One pass over the objects of one owner: what it may know of drift, and what it finds out. */
export interface Pass {
  readonly owner: Owner;
  readonly records: readonly DriftRecord[];
  readonly now: Date;
  /** Drift that was put back. */
  readonly repaired: Drift[];
  /** Drift that was left. */
  readonly left: Drift[];
}

/** One planned object, and what is known of it without a call. */
interface Target {
  readonly object: KubernetesObject;
  readonly ref: ObjectRef;
  readonly id: string;
  readonly wanted: string;
  readonly child: Child | undefined;
  readonly applied: Applied | undefined;
}

/** Brings single objects to what is wanted of them, with as few calls as that takes: none, when nothing is to do. */
export class ChildApplier {
  readonly #options: WriterOptions;
  readonly #writer: ChildWriter;
  readonly #memory = new Map<string, Applied>();

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#writer = new ChildWriter(options);
  }

  /** Applies `object` if it differs. @throws ForeignObject, Fenced, ApiError */
  async bring(object: KubernetesObject, pass: Pass): Promise<ApplyOutcome> {
    const target = this.#target(object);
    if (this.#isLeft(target, pass)) return 'Left';
    const decision = decideApply({
      desiredHash: target.wanted,
      child: target.child,
      applied: target.applied,
      ownerUid: pass.owner?.metadata.uid,
      ownerLives: this.#options.ownerLives,
    });
    switch (decision.action) {
      case 'Nothing':
        this.#settle(target);
        return 'Nothing';
      case 'AwaitDeletion':
        return 'Nothing';
      case 'Refuse':
        throw new ForeignObject(target.ref);
      case 'Create':
        return this.#create(target, pass);
      case 'Update':
        return decision.cause === 'Desired'
          ? this.#update(target, { uid: decision.uid, reason: 'Changed' }, pass)
          : this.#repair(target, decision.uid, pass);
    }
  }

  /**
   * Applies `object` whether it differs or not, and gives it as stored. What it says was decided from the cache, and may
   * be new keys: so it changes exactly the version that the cache has, and never an object of ours that the cache has not
   * seen. @throws InTransition then: the next pass knows it; else as `bring`
   */
  async write(object: KubernetesObject, owner: Owner): Promise<KubernetesObject> {
    const target = this.#target(object);
    const { child } = target;
    if (!child) return this.#remember(target, owner, await this.#make(object, owner));
    if (this.#belongsElsewhere(child, owner)) throw new ForeignObject(target.ref);
    const { uid, resourceVersion } = child;
    const known = { uid, resourceVersion, reason: 'Changed' } as const;
    return this.#remember(target, owner, await this.#writer.update(object, owner, known));
  }

  async #make(object: KubernetesObject, owner: Owner): Promise<KubernetesObject> {
    const ref = refOf(object);
    try {
      return await this.#writer.create(object, owner);
    } catch (error) {
      if (!isInTheWay(error)) throw error;
    }
    const known = await this.#writer.seize(ref, owner, this.#memory.get(refId(ref))?.uid);
    if (known.reason === 'Adopted') return this.#writer.update(object, owner, known);
    const labelled = known.live?.metadata.labels?.[LABEL_MANAGED_BY] === 'sallyport';
    if (known.live && !labelled) await this.#writer.relabel(object, owner, known.live);
    throw new InTransition(ref, labelled ? 'is not in the cache yet' : 'had lost its labels');
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

  #target(object: KubernetesObject): Target {
    const ref = refOf(object);
    const id = refId(ref);
    return {
      object,
      ref,
      id,
      wanted: desiredHash(object),
      child: this.#options.store.child(ref),
      applied: this.#memory.get(id),
    };
  }

  async #create(target: Target, pass: Pass): Promise<ApplyOutcome> {
    const { object, ref, applied } = target;
    try {
      this.#remember(target, pass.owner, await this.#writer.create(object, pass.owner));
    } catch (error) {
      if (!isInTheWay(error)) throw error;
      return this.#takeUp(target, pass);
    }
    if (applied) {
      const { kind, name } = ref;
      pass.repaired.push({ kind, name, field: WHOLE_OBJECT, manager: 'unknown' });
    }
    return 'Created';
  }

  /** It exists, but not in the cache: somebody has changed its labels, or the cache is behind, or it is not ours. */
  async #takeUp(target: Target, pass: Pass): Promise<ApplyOutcome> {
    const { object, ref, applied } = target;
    const known = await this.#writer.seize(ref, pass.owner, applied?.uid);
    const drifts = known.live && applied ? this.#drifts(target, known.live) : [];
    if (known.live && this.#leave(target, known.live, { drifts, pass })) return 'Left';
    this.#remember(target, pass.owner, await this.#writer.update(object, pass.owner, known));
    pass.repaired.push(...drifts);
    return known.reason === 'Adopted' ? 'Adopted' : 'Updated';
  }

  async #update(target: Target, known: Known, pass: Pass): Promise<ApplyOutcome> {
    try {
      const answer = await this.#writer.update(target.object, pass.owner, known);
      this.#remember(target, pass.owner, answer);
      return 'Updated';
    } catch (error) {
      if (!isInTheWay(error)) throw error;
      // Gone, or another of that name, and our cache has not heard of it yet.
      return this.#create(target, pass);
    }
  }

  /** Somebody changed it, or nobody remembers: one read tells who, and whether to put it back. */
  async #repair(target: Target, uid: string, pass: Pass): Promise<ApplyOutcome> {
    const live = await this.#options.client.find(target.ref);
    if (live?.metadata.uid !== uid) return this.#create({ ...target, applied: undefined }, pass);
    const drifts = this.#drifts(target, live);
    if (this.#leave(target, live, { drifts, pass })) return 'Left';
    const reason = drifts.length > 0 ? 'Drift' : 'Changed';
    const outcome = await this.#update(target, { uid, live, reason }, pass);
    pass.repaired.push(...drifts);
    return outcome;
  }

  #drifts({ object, applied, wanted }: Target, live: KubernetesObject): readonly Drift[] {
    const certain = applied?.uid === live.metadata.uid && applied?.desiredHash === wanted;
    return attributeDrift(canonicalObject(object), live, certain);
  }

  /** Whether the drift is a fight that we do not go on with; remembered, so that no pass reads it again. */
  #leave(
    { id, wanted, applied }: Target,
    live: KubernetesObject,
    { drifts, pass }: { readonly drifts: readonly Drift[]; readonly pass: Pass },
  ): boolean {
    // What we want has changed since: that is worth one more try.
    if (applied && applied.desiredHash !== wanted) return false;
    const fought = foughtDrift(pass.records, drifts, pass.now);
    if (!fought) return false;
    const { field, manager } = fought;
    this.#memory.set(id, {
      uid: live.metadata.uid ?? '',
      ...ownedBy(pass.owner),
      desiredHash: wanted,
      ownedHash: ownedHash(live, FIELD_MANAGER),
      left: { field, manager },
    });
    pass.left.push(fought);
    return true;
  }

  #isLeft({ ref, child, applied, wanted }: Target, pass: Pass): boolean {
    if (!child || !applied?.left || applied.desiredHash !== wanted) return false;
    if (applied.uid !== child.uid || applied.ownedHash !== child.ownedHash) return false;
    const drift = { kind: ref.kind, name: ref.name, ...applied.left };
    if (!foughtDrift(pass.records, [drift], pass.now)) return false;
    pass.left.push(drift);
    return true;
  }

  #remember({ id, wanted }: Target, owner: Owner, answer: KubernetesObject): KubernetesObject {
    this.#memory.set(id, {
      uid: answer.metadata.uid ?? '',
      ...ownedBy(owner),
      desiredHash: wanted,
      ownedHash: ownedHash(answer, FIELD_MANAGER),
    });
    return answer;
  }

  /** Nothing to do is worth remembering too: the next difference is then told from a change of mind without a read. */
  #settle({ id, child, applied, wanted }: Target): void {
    if (!child) return;
    if (applied?.ownedHash === child.ownedHash && applied.desiredHash === wanted) return;
    const { uid, ownerUid, ownedHash: owned } = child;
    this.#memory.set(id, {
      uid,
      ...(ownerUid === undefined ? {} : { ownerUid }),
      desiredHash: wanted === owned ? owned : wanted, // One string for thousands of equal pairs.
      ownedHash: owned,
    });
  }

  #belongsElsewhere({ ownerUid }: Child, owner: Owner): boolean {
    return (
      ownerUid !== undefined &&
      ownerUid !== owner?.metadata.uid &&
      this.#options.ownerLives(ownerUid)
    );
  }
}

function ownedBy(owner: Owner): Pick<Applied, 'ownerUid'> {
  const uid = owner?.metadata.uid;
  return uid === undefined ? {} : { ownerUid: uid };
}

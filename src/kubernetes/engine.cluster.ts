import type { Clock } from '../runtime/clock.js';
import { isApiError } from './api-error.js';
import { forEachBounded } from './bounded.js';
import { applyWaves, decidePrune } from './carry-out.js';
import { ChildApplier } from './child.applier.js';
import type { ApplyOutcome, Pass } from './child.applier.js';
import type { CarriedOut, Child, Cluster, Resource } from './cluster.js';
import { fightEndsInMs, recordDrift } from './drift.js';
import type { Drift, DriftRecord } from './drift.js';
import type { FencedClient } from './fenced.client.js';
import { Fenced } from './leader-lease.js';
import type { When } from './look-again.js';
import { FIELD_MANAGER } from './metadata.js';
import { refOf } from './object.js';
import type { KubernetesObject, ObjectRef } from './object.js';
import type { CommonStatus, Plan, PlannedEvent } from './plan.js';
import { completeStatus, driftRecordsOf, statusHash } from './status.js';
import { asError, eventsOf, NOTHING, Progress, sorted, whenToLook } from './pass-result.js';
import type { Change, Store } from './store.js';

/** Objects of one owner that are applied at the same time. */
const PARALLEL_APPLIES = 4;

/** What happened in a pass, for metrics and logs. */
export interface PassReport {
  readonly owner: KubernetesObject;
  readonly outcomes: readonly {
    readonly kind: string;
    readonly outcome: ApplyOutcome | 'Failed';
  }[];
  readonly repaired: readonly Drift[];
  readonly left: readonly Drift[];
  readonly carriedOut: CarriedOut;
}

export interface EngineClusterOptions {
  readonly client: FencedClient;
  readonly store: Store;
  readonly clock: Clock;
  readonly ownerLives: (uid: string) => boolean;
  readonly serves: (apiVersion: string, kind: string) => boolean;
  readonly onChanges: (changes: readonly Change[], owner: KubernetesObject | undefined) => void;
  /** Asks the queue to look at `owner` again. */
  readonly lookAgain: (owner: ObjectRef, when: When) => void;
  readonly recordEvents: (owner: KubernetesObject, events: readonly PlannedEvent[]) => void;
  readonly onPass: (report: PassReport) => void;
}

/** The cluster as rooms see it: reads from the cache, writes by server-side apply. */
export class EngineCluster implements Cluster {
  readonly #options: EngineClusterOptions;
  readonly #applier: ChildApplier;
  /** By owner's UID: the status that we last wrote, and how it read afterwards. */
  readonly #statuses = new Map<string, { readonly planned: string; readonly live: string }>();

  constructor(options: EngineClusterOptions) {
    this.#options = options;
    this.#applier = new ChildApplier(options);
  }

  get<T extends KubernetesObject>(ref: ObjectRef): T | undefined {
    return this.#options.store.get(ref) as T | undefined;
  }

  list<T extends KubernetesObject>(
    apiVersion: string,
    kind: string,
    namespace?: string,
  ): readonly T[] {
    return this.#options.store.list(apiVersion, kind, namespace) as readonly T[];
  }

  child(ref: ObjectRef): Child | undefined {
    return this.#options.store.child(ref);
  }

  children(ownerUid: string): readonly Child[] {
    return this.#options.store.children(ownerUid);
  }

  childrenOfKind(apiVersion: string, kind: string, namespace?: string): readonly Child[] {
    return this.#options.store.childrenOfKind(apiVersion, kind, namespace);
  }

  serves(apiVersion: string, kind: string): boolean {
    return this.#options.serves(apiVersion, kind);
  }

  read(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    return this.#options.client.find(ref);
  }

  async apply(
    owner: KubernetesObject | undefined,
    object: KubernetesObject,
  ): Promise<KubernetesObject> {
    try {
      return await this.#applier.write(object, owner);
    } catch (error) {
      // A room may turn the failure into a condition: then nobody else would try again.
      if (owner && !(error instanceof Fenced)) {
        const failure = { ref: refOf(object), error: asError(error) };
        this.#options.lookAgain(refOf(owner), whenToLook(failure));
      }
      throw error;
    }
  }

  async remove(child: Child): Promise<void> {
    const done = new Progress();
    await this.#prune([child], done);
    const [failure] = done.failed;
    if (failure) throw failure.error;
  }

  async applyStatus(owner: KubernetesObject, status: object, fieldManager: string): Promise<void> {
    const { client, store, onChanges } = this.#options;
    const { apiVersion, kind, namespace, name } = refOf(owner);
    const { uid = '' } = owner.metadata;
    const body = { apiVersion, kind, metadata: { name, namespace, uid }, status };
    const options = { fieldManager, force: true, subresource: 'status' } as const;
    onChanges(store.put(await client.apply(body, options, 'Status')), owner);
  }

  async carryOut<Status extends CommonStatus>(
    owner: Resource<unknown, Status>,
    plan: Plan<Status>,
  ): Promise<CarriedOut> {
    if (owner.metadata.deletionTimestamp !== undefined) return NOTHING;
    const pass = this.#pass(owner);
    const { before, after } = decidePrune(plan, this.#childrenOf(owner));
    const done = new Progress();
    await this.#prune(before, done);
    for (const wave of applyWaves(plan.apply)) {
      await forEachBounded(wave, PARALLEL_APPLIES, (object) => this.#bring(object, pass, done));
    }
    // What runs is not taken down for something that could not be put in its place.
    if (done.failed.length === 0) await this.#prune(after, done);
    const records = recordDrift(pass.records, pass.repaired, pass.now);
    done.statusWritten = await this.#writeStatus(owner, plan.status, { pass, records, done });
    this.#finish(owner, plan, { pass, records, done });
    return done;
  }

  /** Deletes what was made for a resource that is gone and lives where no owner reference could reach. */
  async pruneOrphans(ownerUid: string): Promise<void> {
    this.forgetOwner(ownerUid);
    const done = new Progress();
    const orphans = this.children(ownerUid).filter(
      ({ ownedHash, deletionTimestamp }) => ownedHash !== '' && deletionTimestamp === undefined,
    );
    await this.#prune(orphans, done);
    const [failure] = done.failed;
    if (failure) throw failure.error;
  }

  /** Drops what is remembered of a resource that is gone. */
  forgetOwner(uid: string): void {
    this.#statuses.delete(uid);
    this.#applier.forgetOwner(uid);
  }

  #childrenOf({ metadata: { uid } }: KubernetesObject): readonly Child[] {
    return uid === undefined ? [] : this.children(uid);
  }

  #pass(owner: KubernetesObject): Pass {
    const status = (this.get(refOf(owner)) ?? owner)['status'] as object | undefined;
    const records = driftRecordsOf(status, owner.metadata.generation ?? 0);
    return { owner, records, now: this.#options.clock.now(), repaired: [], left: [] };
  }

  async #bring(object: KubernetesObject, pass: Pass, done: Progress): Promise<void> {
    const ref = refOf(object);
    try {
      const outcome = await this.#applier.bring(object, pass);
      done.outcomes.push({ kind: ref.kind, outcome });
      if (outcome !== 'Nothing' && outcome !== 'Left') done.applied.push(ref);
    } catch (error) {
      done.fail(ref, error);
    }
  }

  async #prune(children: readonly Child[], done: Progress): Promise<void> {
    const { client, store, onChanges } = this.#options;
    await forEachBounded(children, PARALLEL_APPLIES, async ({ ref, uid }) => {
      try {
        await client.delete(ref, uid, 'Pruned');
        this.#applier.forget(ref);
        onChanges(store.remove(ref, uid), undefined);
        done.pruned.push(ref);
      } catch (error) {
        if (isApiError(error, 'Conflict')) return; // Another object of that name: not ours to delete.
        done.fail(ref, error);
      }
    });
  }

  /** One apply on /status when it differs from what stands; false when nothing was written. */
  async #writeStatus<Status extends CommonStatus>(
    owner: Resource<unknown, Status>,
    planned: Status,
    { pass, records, done }: Ending,
  ): Promise<boolean> {
    const { client, store, onChanges } = this.#options;
    const ref = refOf(owner);
    const { uid = '', generation = 0 } = owner.metadata;
    const live = (this.get(ref) ?? owner)['status'] as object | undefined;
    const { failed: failures } = done;
    const outcome = { failures, records, left: sorted(pass.left), generation, now: pass.now };
    const status = completeStatus(planned, live, outcome);
    const wanted = statusHash(status);
    const known = this.#statuses.get(uid);
    const standing = statusHash(live);
    if (wanted === standing || (known?.planned === wanted && known.live === standing)) return false;
    try {
      const answer = await client.apply(
        {
          apiVersion: ref.apiVersion,
          kind: ref.kind,
          metadata: { name: ref.name, namespace: ref.namespace, uid },
          status,
        },
        { fieldManager: FIELD_MANAGER, force: true, subresource: 'status' },
        'Status',
      );
      this.#statuses.set(uid, {
        planned: wanted,
        live: statusHash(answer['status'] as object | undefined),
      });
      onChanges(store.put(answer), owner);
      return true;
    } catch (error) {
      if (isApiError(error, 'NotFound')) return false; // Deleted meanwhile.
      done.fail(ref, error);
      return false;
    }
  }

  #finish(owner: KubernetesObject, plan: Plan, { pass, records, done }: Ending): void {
    const { lookAgain, recordEvents, onPass } = this.#options;
    const ref = refOf(owner);
    const left = sorted(pass.left);
    onPass({ owner, outcomes: done.outcomes, repaired: pass.repaired, left, carriedOut: done });
    // A pass that changed nothing has nothing to tell: so a restart repeats no event.
    if (done.changedSomething) recordEvents(owner, [...plan.events, ...eventsOf(pass, done)]);
    for (const failure of done.failed) lookAgain(ref, whenToLook(failure));
    for (const { manager, field } of left) {
      const record = records.find((one) => one.manager === manager && one.field === field);
      if (record) lookAgain(ref, { afterMs: fightEndsInMs(record, pass.now) });
    }
  }
}

interface Ending {
  readonly pass: Pass;
  readonly records: readonly DriftRecord[];
  readonly done: Progress;
}

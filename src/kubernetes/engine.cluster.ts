import type { Clock } from '../runtime/clock.js';
import { isApiError } from './api-error.js';
import { forEachBounded } from './bounded.js';
import { applyWaves, decidePrune } from './carry-out.js';
import { ChildApplier } from './child.applier.js';
import type { ApplyOutcome, Pass } from './child.applier.js';
import { isPassing, LOOK_AGAIN_MS } from './child-failures.js';
import type { ChildFailure } from './child-failures.js';
import type { CarriedOut, Child, Cluster, Resource } from './cluster.js';
import { fightEndsInMs, recordDrift } from './drift.js';
import type { Drift, DriftRecord } from './drift.js';
import type { FencedClient } from './fenced.client.js';
import { Fenced } from './leader-lease.js';
import { FIELD_MANAGER } from './metadata.js';
import { refId, refOf } from './object.js';
import type { KubernetesObject, ObjectRef } from './object.js';
import type { CommonStatus, Plan, PlannedEvent } from './plan.js';
import { completeStatus, driftRecordsOf, statusHash } from './status.js';
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

/** Asks the queue to look again: after a failure with growing delays, or after a time. */
export type LookAgain = (
  owner: ObjectRef,
  when: { readonly backoff: true } | { readonly afterMs: number },
) => void;

export interface EngineClusterOptions {
  readonly client: FencedClient;
  readonly store: Store;
  readonly clock: Clock;
  readonly ownerLives: (uid: string) => boolean;
  readonly serves: (apiVersion: string, kind: string) => boolean;
  readonly onChanges: (changes: readonly Change[], owner: KubernetesObject | undefined) => void;
  readonly lookAgain: LookAgain;
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

  apply(owner: KubernetesObject | undefined, object: KubernetesObject): Promise<KubernetesObject> {
    return this.#applier.write(object, owner);
  }

  async remove(child: Child): Promise<void> {
    const done = new Progress();
    await this.#prune([child], done);
    const [failure] = done.failed;
    if (failure) throw failure.error;
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
    if (done.failed.some(isPassing)) lookAgain(ref, { backoff: true });
    else if (done.failed.length > 0) lookAgain(ref, { afterMs: LOOK_AGAIN_MS });
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

const NOTHING: CarriedOut = { applied: [], pruned: [], failed: [], statusWritten: false };

/** What a pass has done so far. */
class Progress implements CarriedOut {
  readonly applied: ObjectRef[] = [];
  readonly pruned: ObjectRef[] = [];
  readonly failed: ChildFailure[] = [];
  readonly outcomes: { readonly kind: string; readonly outcome: ApplyOutcome | 'Failed' }[] = [];
  statusWritten = false;

  get changedSomething(): boolean {
    return this.statusWritten || this.applied.length > 0 || this.pruned.length > 0;
  }

  /** Keeps a failure of one object and goes on. @throws Fenced: then nothing may go on */
  fail(ref: ObjectRef, error: unknown): void {
    if (error instanceof Fenced) throw error;
    this.failed.push({ ref, error: error instanceof Error ? error : new Error(String(error)) });
    this.outcomes.push({ kind: ref.kind, outcome: 'Failed' });
  }
}

/** In one order, whatever ended first: the status must not change by chance. */
function sorted(drifts: readonly Drift[]): readonly Drift[] {
  const id = ({ kind, name, field }: Drift): string => `${kind}/${name}/${field}`;
  return [...drifts].sort((a, b) => id(a).localeCompare(id(b)));
}

function eventsOf(pass: Pass, done: Progress): readonly PlannedEvent[] {
  const repaired = pass.repaired.map(({ kind, name, field, manager }): PlannedEvent => ({
    type: 'Warning',
    reason: 'DriftRepaired',
    note: `${field} of ${kind} ${name} was changed by ${manager} and put back.`,
  }));
  const left = pass.left.map(({ kind, name, field, manager }): PlannedEvent => ({
    type: 'Warning',
    reason: 'FightDetected',
    note: `${manager} keeps changing ${field} of ${kind} ${name}; it is left as it is.`,
  }));
  const failed = done.failed.map(({ ref, error }): PlannedEvent => ({
    type: 'Warning',
    reason: error.name === 'ForeignObject' ? 'ForeignObject' : 'ApplyFailed',
    note: `${refId(ref)} could not be applied.`,
  }));
  return [...repaired, ...left, ...failed];
}

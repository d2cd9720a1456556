import type { ApplyOptions } from './client-types.js';
import type { ClusterClient } from './cluster.client.js';
import { Fenced } from './leader-lease.js';
import type { KubernetesObject, ObjectRef } from './object.js';
import { refOf } from './object.js';
import { outcomeOf } from './write-record.js';
import type { OnWrite, WriteRecord } from './write-record.js';

/** Whether this process may write now. */
export interface Fence {
  /** @throws Fenced when it may not. */
  check(): void;
  /** Aborts what is in flight when leadership ends; a new one for each term. */
  readonly signal: AbortSignal;
}

/** What each write needs besides its object. */
type Write = Pick<WriteRecord, 'verb' | 'reason' | 'subresource' | 'uid'>;

/** Every write of the operator goes through here: asked of the fence before, told to the audit log after. */
export class FencedClient {
  readonly #client: ClusterClient;
  readonly #fence: Fence;
  readonly #onWrite: OnWrite;

  constructor(client: ClusterClient, fence: Fence, onWrite: OnWrite) {
    this.#client = client;
    this.#fence = fence;
    this.#onWrite = onWrite;
  }

  /** The live object, or undefined. */
  find(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    return this.#client.find(ref, { signal: this.#fence.signal });
  }

  /** @throws Fenced, ApiError */
  apply(
    object: KubernetesObject,
    options: Omit<ApplyOptions, 'signal'>,
    reason: string,
  ): Promise<KubernetesObject> {
    const { subresource } = options;
    const write = { verb: 'patch' as const, reason, ...(subresource ? { subresource } : {}) };
    return this.#write(refOf(object), write, (signal) =>
      this.#client.apply(object, { ...options, signal }),
    );
  }

  /** JSON merge patch as `fieldManager`. @throws Fenced, ApiError */
  mergePatch(
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    fieldManager: string,
    reason: string,
  ): Promise<KubernetesObject> {
    return this.#write(ref, { verb: 'patch', reason }, (signal) =>
      this.#client.mergePatch(ref, patch, { fieldManager, signal }),
    );
  }

  /** @throws Fenced, ApiError */
  create(
    object: KubernetesObject,
    fieldManager: string,
    reason: string,
  ): Promise<KubernetesObject> {
    return this.#write(refOf(object), { verb: 'create', reason }, (signal) =>
      this.#client.create(object, { fieldManager, signal }),
    );
  }

  /** Deletes the object with this UID and no namesake; false when it was gone. @throws Fenced, ApiError */
  async delete(ref: ObjectRef, uid: string, reason: string): Promise<boolean> {
    return this.#write(ref, { verb: 'delete', reason, uid }, (signal) =>
      this.#client.delete(ref, { uid, signal }),
    );
  }

  async #write<T>(
    ref: ObjectRef,
    write: Write,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    this.#fence.check();
    const { signal } = this.#fence;
    try {
      const answer = await send(signal);
      this.#onWrite({ ...write, ref, outcome: 'success', ...versionOf(answer) });
      return answer;
    } catch (error) {
      this.#onWrite({ ...write, ref, ...outcomeOf(error) });
      if (signal.aborted) throw new Fenced();
      throw error;
    }
  }
}

function versionOf(answer: unknown): Pick<WriteRecord, 'uid' | 'resourceVersion'> {
  if (typeof answer !== 'object' || answer === null) return {};
  const { uid, resourceVersion } = (answer as KubernetesObject).metadata;
  return {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

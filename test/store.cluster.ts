import type { Child, Cluster } from '../src/kubernetes/cluster.js';
import { FIELD_MANAGER } from '../src/kubernetes/metadata.js';
import { refId, refOf } from '../src/kubernetes/object.js';
import type { KubernetesObject, ObjectRef } from '../src/kubernetes/object.js';
import { Store } from '../src/kubernetes/store.js';

/**
 * An API server of one process: the engine's own cache in front of a map, so that projections, hashes and versions are
 * the real ones. For tests of what is made; convergence is tested on a real API server.
 */
export class StoreCluster implements Cluster {
  readonly #store = new Store({ fieldManager: FIELD_MANAGER });
  readonly #live = new Map<string, KubernetesObject>();
  #version = 100;
  /** Calls that would have gone over the network. */
  readonly calls: string[] = [];

  readonly get: Cluster['get'] = (ref) => this.#store.get(ref) as never;

  readonly list: Cluster['list'] = (...scope) => this.#store.list(...scope) as never;

  child(ref: ObjectRef): Child | undefined {
    return this.#store.child(ref);
  }

  children(ownerUid: string): readonly Child[] {
    return this.#store.children(ownerUid);
  }

  childrenOfKind(apiVersion: string, kind: string, namespace?: string): readonly Child[] {
    return this.#store.childrenOfKind(apiVersion, kind, namespace);
  }

  serves(): boolean {
    return false;
  }

  read(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    this.calls.push(`read ${ref.kind} ${ref.name}`);
    return Promise.resolve(this.#live.get(refId(ref)));
  }

  apply(_owner: KubernetesObject | undefined, object: KubernetesObject): Promise<KubernetesObject> {
    this.calls.push(`apply ${object.kind} ${object.metadata.name}`);
    return Promise.resolve(this.write(object));
  }

  remove({ ref, uid }: Child): Promise<void> {
    this.calls.push(`remove ${ref.kind} ${ref.name}`);
    this.#live.delete(refId(ref));
    this.#store.remove(ref, uid);
    return Promise.resolve();
  }

  applyStatus(owner: KubernetesObject, status: object): Promise<void> {
    this.calls.push(`status ${owner.kind} ${owner.metadata.name}`);
    this.write({ ...owner, status: { ...(owner['status'] as object | undefined), ...status } });
    return Promise.resolve();
  }

  carryOut(): Promise<never> {
    return Promise.reject(new Error('Plans are carried out on a real API server.'));
  }

  /** Writes as anybody: what a test, or somebody with kubectl, does. */
  write(object: KubernetesObject): KubernetesObject {
    const id = refId(refOf(object));
    this.#version += 1;
    const stored: KubernetesObject = {
      ...object,
      metadata: {
        ...object.metadata,
        uid: this.#live.get(id)?.metadata.uid ?? object.metadata.uid ?? `uid-${this.#version}`,
        resourceVersion: String(this.#version),
        managedFields: [
          {
            manager: FIELD_MANAGER,
            operation: 'Apply',
            fieldsType: 'FieldsV1',
            fieldsV1: fieldsOf({ ...object, metadata: withoutIdentity(object) }),
          },
        ],
      },
    };
    this.#live.set(id, stored);
    this.#store.put(stored);
    return stored;
  }

  /** The object as it is stored. */
  stored(ref: ObjectRef): KubernetesObject | undefined {
    return this.#live.get(refId(ref));
  }

  delete(object: KubernetesObject): void {
    const ref = refOf(object);
    this.#live.delete(refId(ref));
    this.#store.remove(ref, object.metadata.uid ?? '');
  }
}

function withoutIdentity({ metadata }: KubernetesObject) {
  const { labels, annotations, ownerReferences } = metadata;
  return {
    ...(labels ? { labels } : {}),
    ...(annotations ? { annotations } : {}),
    ...(ownerReferences ? { ownerReferences } : {}),
  };
}

/** managedFields of an object without lists: `f:` before each field. */
function fieldsOf(value: object): Record<string, unknown> {
  const fields = Object.entries(value).filter(([key]) => key !== 'apiVersion' && key !== 'kind');
  return Object.fromEntries(
    fields.map(([key, inner]: [string, unknown]) => [
      `f:${key}`,
      typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? fieldsOf(inner) : {},
    ]),
  );
}

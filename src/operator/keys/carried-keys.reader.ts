import type { Cluster } from '../../kubernetes/cluster.js';
import { refId } from '../../kubernetes/object.js';
import type { ObjectMeta, ObjectRef } from '../../kubernetes/object.js';

/** The Secret on which an order was planned is not there any more: plan again. */
export class KeysChanged extends Error {
  override readonly name = 'KeysChanged';

  constructor(ref: ObjectRef) {
    super(`${refId(ref)} has changed since its keys were planned; it will be planned again.`);
  }
}

/** Files of a Secret in base64, by name. */
export type SecretFiles = Readonly<Record<string, string>>;

/** Where a Secret with this metadata lives. */
export function secretRef({ namespace = '', name }: ObjectMeta): ObjectRef {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name };
}

/**
 * The files of a Secret of ours, live: one call.
 * @throws KeysChanged when it is not the version that was planned upon: another one may hold other keys under the same
 *   names
 */
export async function readSecretFiles(
  cluster: Cluster,
  ref: ObjectRef,
  basedOn: string | undefined,
): Promise<SecretFiles> {
  const live = await cluster.read(ref);
  if (live === undefined || live.metadata.resourceVersion !== basedOn) throw new KeysChanged(ref);
  return (live['data'] ?? {}) as SecretFiles;
}

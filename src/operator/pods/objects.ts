import { createHash } from 'node:crypto';

import type { ObjectMeta } from '../../kubernetes/object.js';
import type { Rendered, StringMap } from './shapes.js';
import { sortedJson, sortedMap } from './sorted.js';

/** An identity without a token and without any right: pods of ours never talk to the API server. */
export function serviceAccount(metadata: ObjectMeta): Rendered {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata,
    automountServiceAccountToken: false,
  };
}

/** A ConfigMap of public texts. Secrets never come here: the type of the caller's settings has none. */
export function configMap(metadata: ObjectMeta, data: StringMap): Rendered {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: sortedMap(data) };
}

/** `value` as a file of a ConfigMap: JSON with sorted keys, so that the same settings are the same bytes. */
export function jsonFile(value: unknown): string {
  return sortedJson(value);
}

/** Short digest of what a running program does not reload: as a pod annotation it rolls pods when it changes, and only then. */
export function restartDigest(value: unknown): string {
  return createHash('sha256').update(sortedJson(value)).digest('hex').slice(0, 32);
}

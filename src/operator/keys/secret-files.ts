/*
 * The files of our key Secrets. Names are fixed: rooms mount them, programs read them.
 *
 *   lease keys, bundle key   keys.json (facts), KID.pem (PKCS 8) of current and next; of lease keys also of the one before
 *   column keys              keys.json (the keys themselves; src/gateway/storage/column-keys.file.ts reads it)
 *   leaf                     tls.crt (leaf, then its CA), tls.key, next.pin, next.key (not to be mounted)
 *   CA                       tls.crt, tls.key, next.crt, next.key (not to be mounted)
 */
import {
  ANNOTATION_CERTIFICATES,
  ANNOTATION_KEYS,
  ANNOTATION_MATERIAL,
} from '../../kubernetes/metadata.js';
import type { KubernetesObject, ObjectMeta } from '../../kubernetes/object.js';
import { dataHash } from '../../kubernetes/projection.js';
import type { CertificateFact, ColumnKeyFact, KeyFact } from './facts.js';
import { ANNOTATION_REVOKED, ANNOTATION_ROTATED } from './facts.js';

/** Public facts of all keys of a Secret, as JSON; of column keys, the keys. */
export const KEY_INDEX_FILE = 'keys.json';
/** Certificate and key in use, as in every Secret of type kubernetes.io/tls. */
export const CERTIFICATE_FILE = 'tls.crt';
export const PRIVATE_KEY_FILE = 'tls.key';
/** The CA's next certificate. */
export const NEXT_CERTIFICATE_FILE = 'next.crt';
/** The key that comes after the one in use. */
export const NEXT_KEY_FILE = 'next.key';

/** The pin of that key, for those who must not have the key. */
export const NEXT_PIN_FILE = 'next.pin';

/** File of the private half of a signing key. */
export function privateKeyFile(kid: string): string {
  return `${kid}.pem`;
}

export interface KeySecretParts {
  readonly metadata: ObjectMeta;
  readonly type: 'Opaque' | 'kubernetes.io/tls';
  /** Files in base64. */
  readonly data: Readonly<Record<string, string>>;
  readonly keys?: readonly KeyFact[] | readonly ColumnKeyFact[];
  readonly certificates?: readonly CertificateFact[];
  readonly rotated?: string | undefined;
  readonly revoked?: string | undefined;
}

/** A key Secret with its public facts and the digest of its data in annotations. */
export function keySecret(parts: KeySecretParts): KubernetesObject {
  const { metadata, type, data, keys, certificates, rotated, revoked } = parts;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...metadata,
      annotations: {
        ...metadata.annotations,
        ...(keys === undefined ? {} : { [ANNOTATION_KEYS]: JSON.stringify(keys) }),
        ...(certificates === undefined
          ? {}
          : { [ANNOTATION_CERTIFICATES]: JSON.stringify(certificates) }),
        ...(rotated === undefined ? {} : { [ANNOTATION_ROTATED]: rotated }),
        ...(revoked === undefined ? {} : { [ANNOTATION_REVOKED]: revoked }),
        [ANNOTATION_MATERIAL]: dataHash(data),
      },
    },
    type,
    data,
  };
}

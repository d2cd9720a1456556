import type { ObjectMeta } from '../../kubernetes/object.js';
import type { Rendered } from './shapes.js';

/** A server certificate from cert-manager, written into `secretName`. Needs the API `cert-manager.io/v1`. */
export function certManagerCertificate(parts: {
  readonly metadata: ObjectMeta;
  readonly secretName: string;
  readonly dnsNames: readonly string[];
  readonly issuer: { readonly name: string; readonly kind: string; readonly group: string };
}): Rendered {
  const { metadata, secretName, dnsNames, issuer } = parts;
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata,
    spec: {
      secretName,
      dnsNames,
      issuerRef: { name: issuer.name, kind: issuer.kind, group: issuer.group },
      // Pins of clients survive a renewal only if the key does (architecture.md 9).
      privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Never' },
      usages: ['digital signature', 'server auth'],
    },
  };
}

/*
 * What a published bundle still proves. Its ConfigMap may have been written by anybody with a right to ConfigMaps, and
 * what is taken out of it is signed anew: so it counts only as the very bundle that was signed last for this gateway.
 */
import { createHash, createPublicKey } from 'node:crypto';

import type { SignalingGateway } from '../../kinds/signaling-gateway.gen.js';
import { isSignedBy, type PolicyBundle, type SignedBundle } from '../keys/bundle.js';
import type { KeyFact } from '../keys/facts.js';
import type { IssuedBundle } from './bundle.js';
import type { BundleRole } from '../../policy/roles.js';

/** SHA-256 of the signed JSON, hexadecimal: `status.policyBundle.digest` of the gateway. */
export function bundleDigest(bundle: string): string {
  return createHash('sha256').update(bundle).digest('hex');
}

/**
 * The roles in `file`, the published bundle of `gateway`; none unless one of `keys` signed it for this gateway and it is
 * the one that the gateway's status names: an older one, genuine as it is, may allow what was taken away since.
 */
export function verifiedRoles(
  file: string | undefined,
  gateway: SignalingGateway,
  keys: readonly KeyFact[],
): readonly BundleRole[] {
  try {
    const signed = JSON.parse(file ?? '') as SignedBundle;
    if (!isGenuine(signed, keys)) return [];
    const bundle = JSON.parse(signed.bundle) as IssuedBundle;
    return isLatest(bundle, bundleDigest(signed.bundle), gateway) ? bundle.roles : [];
  } catch {
    // Not what we write, whatever it is.
    return [];
  }
}

function isGenuine(signed: SignedBundle, keys: readonly KeyFact[]): boolean {
  const key = keys.find(({ kid }) => kid === signed.kid);
  if (key === undefined) return false;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.public };
  return isSignedBy(signed, createPublicKey({ key: jwk, format: 'jwk' }));
}

function isLatest(
  { gateway, serial }: PolicyBundle,
  digest: string,
  { metadata, status }: SignalingGateway,
): boolean {
  const latest = status?.policyBundle;
  return gateway === metadata.uid && serial === latest?.serial && digest === latest.digest;
}

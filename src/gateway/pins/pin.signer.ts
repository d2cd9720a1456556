import { constants, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { pinUpdateSigningInput } from './pin-update.js';

/**
 * The signature of an update by the TLS key in `keyPem`, as base64url: ECDSA with SHA-256 (DER), RSASSA-PSS with SHA-256,
 * or Ed25519, by the kind of the key.
 * @throws TypeError for a key that cannot sign; never with key material
 */
export function signPinUpdate(text: string, keyPem: string): string {
  try {
    const key = createPrivateKey(keyPem);
    const { hash, ...how } = algorithmOf(key);
    return sign(hash, pinUpdateSigningInput(text), { key, ...how }).toString('base64url');
  } catch {
    // The library's own words could quote the key.
    throw new TypeError('the TLS key cannot sign a pin update');
  }
}

function algorithmOf({ asymmetricKeyType }: KeyObject) {
  if (asymmetricKeyType === 'ed25519') return { hash: null };
  if (asymmetricKeyType === 'rsa')
    return {
      hash: 'sha256',
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    };
  return { hash: 'sha256', dsaEncoding: 'der' as const };
}

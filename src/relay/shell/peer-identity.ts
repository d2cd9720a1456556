/*
 * Who a TLS peer is: the URI of its subject alternative name (architecture, 9). A list of names that is not plain text is
 * refused whole instead of being parsed.
 */
import { uriNames } from '../../runtime/leaf-files.js';

/** Whether a certificate is that of `identity` and of nobody else. */
export function isIdentity(subjectAltName: string | undefined, identity: string): boolean {
  const names = uriNames(subjectAltName ?? '');
  return names?.length === 1 && names[0] === identity;
}

/** Why a registration endpoint was refused: a closed list, a metric label and the reason of an audit record. */
export const REFUSED_ENDPOINTS = [
  'unknown-authority', // its certificate does not come from the authority in gateways.json
  'wrong-identity', // its URI is not the gateway's
  'wrong-name', // it is not for the host that was dialled
  'not-in-time', // it has ended or has not begun
  'wrong-protocol', // it does not speak the registration protocol
  'wrong-message', // it sent something that is no message
] as const;
/** One of REFUSED_ENDPOINTS. */
export type RefusedEndpoint = (typeof REFUSED_ENDPOINTS)[number];

/** Code of the error that a wrong URI gives. */
export const WRONG_IDENTITY_CODE = 'ERR_SALLYPORT_IDENTITY';

/** Codes of OpenSSL and Node by which a handshake fails because of the other side's certificate. */
const BY_CODE: Readonly<Record<string, RefusedEndpoint>> = {
  [WRONG_IDENTITY_CODE]: 'wrong-identity',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
  ERR_TLS_CERT_ALTNAME_FORMAT: 'wrong-name',
  CERT_HAS_EXPIRED: 'not-in-time',
  CERT_NOT_YET_VALID: 'not-in-time',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown-authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-authority',
  CERT_SIGNATURE_FAILURE: 'unknown-authority',
  CERT_UNTRUSTED: 'unknown-authority',
  CERT_REJECTED: 'unknown-authority',
  CERT_CHAIN_TOO_LONG: 'unknown-authority',
  INVALID_CA: 'unknown-authority',
  INVALID_PURPOSE: 'unknown-authority',
  PATH_LENGTH_EXCEEDED: 'unknown-authority',
};

/** Why the endpoint is refused, from the code of the error; undefined if it was merely not reached. */
export const refusedEndpointOf = (code: string | undefined): RefusedEndpoint | undefined =>
  code !== undefined && Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;

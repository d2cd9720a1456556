import type { Login } from '../../messages/signaling.js';
import { fromBase64urlText, toBase64url } from '../../protocol/lease/base64url.js';
import type { LoginStatement } from '../../protocol/identity/login.js';

/** Revocations that fit a login; the gateway has the older ones. */
const MAX_REVOCATIONS = 16;

/** Who logs in: an unlocked identity. */
export interface LoginSigner {
  readonly bindingBytes: Uint8Array;
  readonly revocations: readonly Uint8Array[];
  signLogin(statement: LoginStatement): Uint8Array;
}

/** What a login says besides who logs in. */
export interface LoginOccasion {
  readonly host: string;
  /** As the gateway sent it. */
  readonly challenge: string;
  /** `none` only where this endpoint's own list says that an ingress is between (wire formats, B). */
  readonly exporter: Uint8Array | 'none';
  readonly session?: Uint8Array | undefined;
  readonly invite?: string | undefined;
}

/** The login; undefined if the challenge is not 32 bytes. */
export function loginOf(
  signer: LoginSigner,
  { host, challenge, exporter, session, invite }: LoginOccasion,
): Login | undefined {
  const bytes = fromBase64urlText(challenge);
  if (bytes?.length !== 32) return undefined;
  return {
    type: 'login',
    host,
    binding: exporter === 'none' ? 0 : 1,
    device: toBase64url(signer.bindingBytes),
    revocations: signer.revocations.slice(-MAX_REVOCATIONS).map(toBase64url),
    signature: toBase64url(signer.signLogin({ host, challenge: bytes, exporter })),
    ...(session !== undefined && { session: toBase64url(session) }),
    ...(invite !== undefined && { invite }),
  };
}

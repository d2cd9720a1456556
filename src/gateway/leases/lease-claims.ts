/*
 * What a lease request must show, and what a lease says (wire formats, B). The session's key shows that the session is
 * the endpoint's; neither it nor the session id is kept.
 */
import { createHash } from 'node:crypto';
import type { RequestBody } from '../../messages/requests.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { equalBytes } from '../../protocol/bytes.js';
import { isAcceptablePublicKey } from '../../protocol/ed25519-points.js';
import { fromBase64urlText, toBase64url } from '../../protocol/lease/base64url.js';
import { leaseRequestSigningInput, sessionId } from '../../protocol/lease/ids.js';
import type { LeaseClaims } from '../../protocol/lease/lease.js';
import type { GatewayKey } from './lease-keys.js';

/**
 * Kbit/s that a lease allows: the most that a pool can be set to, so that the capacity of the pool alone decides. No
 * setting of a gateway and no role limits a session's rate.
 */
export const LEASE_KBPS = 10_000_000;

type LeaseRequestBody = RequestBody<'lease.issue'>;

/** Why a request gets no lease, whatever relays there are; undefined if it may. `gateway` is NAMESPACE/NAME. */
export function requestProblem(
  body: LeaseRequestBody,
  gateway: string,
  backend: Pick<CryptoBackend, 'ed25519Verify'>,
): 'bad-request' | 'proof-invalid' | undefined {
  const { rid, role } = body;
  const [spk, sid, cpk, signature] = [body.spk, body.sid, body.cpk, body.signature].map(
    fromBase64urlText,
  );
  if (!spk || !sid || !cpk || !signature || !isAcceptablePublicKey(cpk)) return 'bad-request';
  if (!equalBytes(sid, sessionId(spk, sha256))) return 'proof-invalid';
  const signed = leaseRequestSigningInput({ gateway, rid, role, sid, cpk });
  return backend.ed25519Verify(spk, signed, signature) ? undefined : 'proof-invalid';
}

/** What a lease is made from besides the request. */
export interface LeaseTerms {
  /** 16 random bytes. */
  readonly jti: Uint8Array;
  readonly profile: string;
  readonly lifetimeSeconds: number;
  /** The session at the gateway ends then at the latest, and with it its leases. */
  readonly sessionEndsAt: number;
  readonly key: Pick<GatewayKey, 'notAfterMs'>;
  readonly nowMs: number;
}

/** The claims of a lease; undefined when session or key end within this second. */
export function leaseClaims(body: LeaseRequestBody, terms: LeaseTerms): LeaseClaims | undefined {
  const iat = Math.floor(terms.nowMs / 1_000);
  const ends = Math.floor(Math.min(terms.sessionEndsAt, terms.key.notAfterMs) / 1_000);
  const exp = Math.min(iat + terms.lifetimeSeconds, ends);
  if (exp <= iat) return undefined;
  return {
    v: 1,
    jti: toBase64url(terms.jti),
    sid: body.sid,
    rid: body.rid,
    role: body.role,
    cpk: body.cpk,
    profile: terms.profile,
    iat,
    nbf: iat,
    exp,
    slimit: LEASE_KBPS,
    hlimit: LEASE_KBPS,
  };
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

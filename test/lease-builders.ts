import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { toBase64url } from '../src/protocol/lease/base64url.js';
import type { GrantClaims } from '../src/protocol/lease/grant.js';
import { leaseKeyId, type Sha256 } from '../src/protocol/lease/ids.js';
import type { LeaseClaims, LeaseKey } from '../src/protocol/lease/lease.js';
import type { Sign, Verify } from '../src/protocol/lease/paseto.js';
import type { SigningKey } from '../src/protocol/lease/signed-claims.js';

/** RFC 8410, section 7: what stands before the 32 bytes of a private or public Ed25519 key in DER. */
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

const privateKey = (seed: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), format: 'der', type: 'pkcs8' });

export const sha256: Sha256 = (message) => createHash('sha256').update(message).digest();

export const signWith: Sign = (seed, message) => sign(null, message, privateKey(seed));

export const verifyWith: Verify = (publicKey, message, signature) => {
  const key = Buffer.concat([PUBLIC_DER, publicKey]);
  return verify(null, message, createPublicKey({ key, format: 'der', type: 'spki' }), signature);
};

export const publicKeyOf = (seed: Uint8Array): Uint8Array =>
  createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' }).subarray(-32);

/** 2026-01-01T00:00:00Z, in seconds: when leases of these builders are issued. */
export const ISSUED = 1_767_225_600;

/** A lease key as gateway and relay know it, valid for a day around ISSUED; another byte, another key. */
export function aLeaseKey(byte = 1): LeaseKey & SigningKey {
  const seed = new Uint8Array(32).fill(byte);
  const publicKey = publicKeyOf(seed);
  return {
    kid: leaseKeyId(publicKey, sha256),
    seed,
    publicKey,
    notBeforeMs: (ISSUED - 43_200) * 1000,
    notAfterMs: (ISSUED + 43_200) * 1000,
  };
}

const id = (byte: number) => toBase64url(new Uint8Array(16).fill(byte));

/** A lease of ten minutes for the client of a session at relay chat/pool/0. */
export const someClaims = (over: Partial<LeaseClaims> = {}): LeaseClaims => ({
  v: 1,
  jti: id(0xa1),
  sid: id(0xb2),
  rid: 'chat/pool/0',
  role: 'client',
  cpk: toBase64url(publicKeyOf(new Uint8Array(32).fill(99))),
  profile: 'Standard',
  iat: ISSUED,
  nbf: ISSUED,
  exp: ISSUED + 600,
  slimit: 50_000,
  hlimit: 100_000,
  ...over,
});

/** A grant of everything that no role limits. */
export const aGrant = (over: Partial<GrantClaims> = {}): GrantClaims => ({
  v: 1,
  device: id(0xd4),
  exp: ISSUED + 600,
  sendFiles: true,
  receiveFiles: true,
  maxFileBytes: 100_000_000,
  fileTypes: '.jpg .pdf',
  scanFiles: false,
  startCalls: true,
  joinCalls: true,
  maxParticipants: 50,
  recording: 'Forbidden',
  externalParticipants: 'Forbidden',
  ...over,
});

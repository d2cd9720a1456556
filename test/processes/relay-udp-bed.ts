/*
 * Gateways that issue leases, and holders that make the frames of admission, for tests of the relay. They use the same
 * codecs as endpoints do and node:crypto for signatures.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { toBase64url } from '../../src/protocol/lease/base64url.js';
import { leaseKeyId } from '../../src/protocol/lease/ids.js';
import { issueLease, type LeaseClaims } from '../../src/protocol/lease/lease.js';
import { decodeCookie, encodeHello, encodeProve } from '../../src/protocol/relay/admission.js';
import { encodeBye } from '../../src/protocol/relay/departure.js';
import { byeSigningInput, proveSigningInput } from '../../src/protocol/relay/signing.js';
import type { Role } from '../../src/protocol/relay/version-1.js';
import type { PacketConfiguration, RelayLeaseKey } from '../../src/relay/packet/packet-messages.js';

/** The relay that tests talk to. */
export const RELAY_ID = 'edge/eu/0';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

function keyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x } = publicKey.export({ format: 'jwk' });
  return { publicKey: Buffer.from(x!, 'base64url'), privateKey };
}

/** A gateway with one lease key. */
export class TestGateway {
  readonly #keys = keyPair();
  readonly kid = leaseKeyId(this.#keys.publicKey, sha256);

  constructor(readonly name = 'edge/main') {}

  /** The public half, as the directory of gateways has it. */
  key(changes: Partial<RelayLeaseKey> = {}): RelayLeaseKey {
    return {
      kid: this.kid,
      publicKey: this.#keys.publicKey,
      notBeforeMs: 0,
      notAfterMs: 8_000_000_000_000,
      gateway: this.name,
      ...changes,
    };
  }

  /** A lease for `sid` and the key that belongs to it. */
  lease(
    sid: Uint8Array,
    role: Role,
    changes: Partial<LeaseClaims> = {},
    keys = keyPair(),
  ): TestLease {
    const now = Math.floor((changes.iat ?? Date.now() / 1_000) * 1);
    const claims: LeaseClaims = {
      v: 1,
      jti: toBase64url(randomBytes(16)),
      sid: toBase64url(sid),
      rid: RELAY_ID,
      role,
      cpk: toBase64url(keys.publicKey),
      profile: 'Standard',
      iat: now,
      nbf: now,
      exp: now + 600,
      slimit: 50_000,
      hlimit: 100_000,
      ...changes,
    };
    const signer = { kid: this.kid, seed: new Uint8Array(32) };
    const text = issueLease(claims, signer, (_, message) =>
      sign(null, message, this.#keys.privateKey),
    );
    return { claims, sid, role, token: Buffer.from(text, 'latin1'), keys };
  }
}

/** A lease with the private half of its `cpk`. */
export interface TestLease {
  readonly claims: LeaseClaims;
  readonly sid: Uint8Array;
  readonly role: Role;
  readonly token: Uint8Array;
  readonly keys: KeyPair;
}

/** 16 random bytes. */
export const aSession = (): Uint8Array => randomBytes(16);

/** A HELLO with its nonce. */
export function hello(sid: Uint8Array, nonce: Uint8Array = randomBytes(16)): Uint8Array {
  return encodeHello({ session: sid }, { nonce });
}

/** The PROVE that answers a COOKIE frame. */
export function prove(lease: TestLease, cookieFrame: Uint8Array, seq: bigint): Uint8Array {
  const decoded = decodeCookie(cookieFrame);
  if (typeof decoded === 'string') throw new Error(`no COOKIE: ${decoded}`);
  const { nonce, cookie } = decoded;
  const header = headerOf(0x22, lease.sid);
  const { role, token } = lease;
  const signed = proveSigningInput({
    header,
    nonce,
    cookie,
    seq,
    role,
    relayId: RELAY_ID,
    tokenHash: sha256(token),
  });
  const signature = sign(null, signed, lease.keys.privateKey);
  return encodeProve({ session: lease.sid }, { nonce, cookie, seq, role, token, signature });
}

/** A BYE. */
export function bye(lease: TestLease, seq: bigint): Uint8Array {
  const jti = Buffer.from(lease.claims.jti, 'base64url');
  const header = headerOf(0x24, lease.sid);
  const signed = byeSigningInput({ header, relayId: RELAY_ID, jti, seq });
  return encodeBye(
    { session: lease.sid },
    { seq, signature: sign(null, signed, lease.keys.privateKey) },
  );
}

/** A FORWARD with this payload. */
export const forward = (sid: Uint8Array, payload: Uint8Array, flags = 0): Uint8Array =>
  Buffer.concat([headerOf(0x10, sid, flags), payload]);

/** Twenty bytes of header. */
export const headerOf = (type: number, sid: Uint8Array, flags = 0): Uint8Array =>
  Buffer.concat([Uint8Array.of(0x57, 0x01, type, flags), sid]);

/** Live settings of a relay that takes leases of these keys. */
export function aConfiguration(
  leaseKeys: readonly RelayLeaseKey[],
  changes: Partial<PacketConfiguration> = {},
): PacketConfiguration {
  return {
    capacity: { maxSessions: 1_000, softKbpsPerSession: 50_000, hardKbpsPerSession: 100_000 },
    rateLimits: {
      handshakesPerAddressPerSecond: 1_000,
      handshakesPerSecond: 10_000,
      stunRequestsPerAddressPerSecond: 5,
      fallbackConnectionsPerAddressPerMinute: 30,
      packetsPerSessionPerSecond: 20_000,
    },
    stun: { allowPlain: false },
    peerAddresses: { denied: [], own: [] },
    leaseKeys,
    ...changes,
  };
}

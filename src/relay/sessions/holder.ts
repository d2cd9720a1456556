import type { Role } from '../../protocol/relay/version-1.js';

/** Number of each role's slot. */
export const SLOT: Readonly<Record<Role, 0 | 1>> = { client: 0, server: 1 };

/** A lease as its slot keeps it. No account, device or key of a session is in it. */
export interface Lease {
  /** base64url, as in the claim. */
  readonly jti: string;
  /** 16 bytes. */
  readonly jtiBytes: Uint8Array;
  /** Ed25519 public key made for this lease, 32 bytes. */
  readonly cpk: Uint8Array;
  readonly kid: string;
  /** `NAMESPACE/NAME` of the gateway that issued it. */
  readonly gateway: string;
  readonly iatMs: number;
  /** Unix milliseconds. */
  readonly expiresMs: number;
  readonly softKbps: number;
  readonly hardKbps: number;
}

/** What holds a slot: a lease, and what its newest proof said. */
export interface Holder {
  readonly lease: Lease;
  /** End of the lease by the monotonic clock, so that no step of the wall clock prolongs it. */
  readonly endsAtMs: number;
  /** Highest `seq` of a proof or a farewell. */
  readonly seq: bigint;
  /** Nonce of the newest proof, 16 bytes of its own: MOVE repeats it. */
  readonly nonce: Uint8Array;
  /** Which source pays for it: an IPv4 address or an IPv6 /64. */
  readonly source: string;
  /** When a BYE was last verified, monotonic ms. */
  byeCheckedAtMs: number;
}

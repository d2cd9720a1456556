/*
 * The grant of this device, and the reading of a peer's. A grant lives for ten minutes at most and is asked for again
 * when two thirds of its life are over, or when the gateway says that roles have changed.
 */
import { ascii } from '../../protocol/bytes.js';
import { fromBase64urlText, toBase64url } from '../../protocol/lease/base64url.js';
import {
  judgeGrant,
  openGrant,
  type GrantClaims,
  type GrantVerdict,
} from '../../protocol/lease/grant.js';
import type { LeaseKey } from '../../protocol/lease/lease.js';
import type { TokenRefusal } from '../../protocol/lease/signed-claims.js';
import type { Verify } from '../../protocol/lease/paseto.js';
import type { Welcome } from '../../messages/signaling.js';
import type { Clock } from '../../runtime/clock.js';
import type { AskGateway } from '../contacts/session-leases.js';

const RENEW_AT = 2 / 3;
const SKEW_SECONDS = 30;

/** A grant of this device. */
export interface OwnGrant {
  readonly token: Uint8Array;
  readonly claims: GrantClaims;
  /** Monotonic. */
  readonly renewMs: number;
}

/** Why what a peer shows is no grant of its device that holds. A closed list: each is a metric label. */
export type GrantRefusal = TokenRefusal | GrantVerdict;

/** What the holder needs. */
export interface GrantHolderParts {
  readonly ask: AskGateway;
  readonly leaseKeys: () => Welcome['leaseKeys'];
  readonly verify: Verify;
  readonly clock: Clock;
}

/** Holds one grant. */
export class GrantHolder {
  readonly #parts: GrantHolderParts;
  #own: OwnGrant | undefined;
  #asking: Promise<OwnGrant> | undefined;

  constructor(parts: GrantHolderParts) {
    this.#parts = parts;
  }

  /** Roles have changed: the next grant is a new one. */
  forget(): void {
    this.#own = undefined;
    this.#asking = undefined;
  }

  /** A grant that is not due for renewal. @throws GatewayError; while the old one holds, that is given instead. */
  async own(): Promise<OwnGrant> {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#own !== undefined && nowMs < this.#own.renewMs) return this.#own;
    const asking = (this.#asking ??= this.#ask());
    try {
      return await asking;
    } catch (error) {
      if (this.#own !== undefined && this.#own.claims.exp * 1_000 > this.#nowMs()) return this.#own;
      throw error;
    } finally {
      if (this.#asking === asking) this.#asking = undefined;
    }
  }

  /** What a grant says that was shown for the device with this id, or why it does not hold. Never throws. */
  read(token: Uint8Array, deviceId: Uint8Array): GrantClaims | GrantRefusal {
    const opened = openGrant(token, (kid) => this.#key(kid), this.#parts.verify);
    if (typeof opened === 'string') return opened;
    const verdict = judgeGrant(opened.claims, {
      nowMs: this.#nowMs(),
      skewSeconds: SKEW_SECONDS,
      device: toBase64url(deviceId),
      key: opened.key,
    });
    return verdict ?? opened.claims;
  }

  /** Whether claims still hold. */
  holds({ exp }: Pick<GrantClaims, 'exp'>): boolean {
    return this.#nowMs() < exp * 1_000;
  }

  async #ask(): Promise<OwnGrant> {
    const { grant } = await this.#parts.ask('grant.issue', {});
    const token = ascii(grant);
    const opened = openGrant(token, (kid) => this.#key(kid), this.#parts.verify);
    if (typeof opened === 'string') throw new Error(`the gateway gave no grant: ${opened}`);
    const { claims } = opened;
    const lifeMs = claims.exp * 1_000 - this.#nowMs();
    const renewMs = this.#parts.clock.monotonicMs() + Math.max(1_000, lifeMs * RENEW_AT);
    this.#own = { token, claims, renewMs };
    return this.#own;
  }

  #nowMs(): number {
    return this.#parts.clock.now().getTime();
  }

  #key(kid: string): LeaseKey | undefined {
    const key = this.#parts.leaseKeys().find((one) => one.kid === kid);
    const publicKey = key && fromBase64urlText(key.publicKey);
    if (key === undefined || publicKey === undefined) return undefined;
    return { publicKey, notBeforeMs: key.notBefore, notAfterMs: key.notAfter };
  }
}

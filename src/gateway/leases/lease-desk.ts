/*
 * Leases and grants: issued, given back, revoked. What endpoints and administrators ask is answered here; what the
 * registry does with it is the relay desk's.
 */
import { issueGrant } from '../../protocol/lease/grant.js';
import { issueLease, type LeaseClaims } from '../../protocol/lease/lease.js';
import { isInRange, parseIpAddress, parseIpRange } from '../../runtime/ip-address.js';
import type { Handler, Refused, RequestContext } from '../caller.js';
import type { RoomContext } from '../rooms.js';
import { AccountUnusable, type LeaseRow } from '../store.js';
import { grantClaims } from './grant-claims.js';
import { leaseClaims, requestProblem } from './lease-claims.js';
import type { LeaseFiles } from './lease-files.js';
import { leaseRevoked, leasesIssued, type RevocationReason } from './lease-records.js';
import type { LeaseMetrics, LeaseOutcome } from './lease.metrics.js';
import type { RelayDesk } from './relay-desk.js';
import type { RelayMarket, Signer } from './relay-market.js';

const ID_BYTES = 16;
/** Leases that one message on the bus names. */
const BATCH = 1_000;
const HOUR_MS = 3_600_000;

/** What the desk is made from. */
export interface LeaseDeskParts {
  readonly context: RoomContext;
  readonly files: Pick<LeaseFiles, 'rolesOf'>;
  readonly market: RelayMarket;
  readonly relays: RelayDesk;
  readonly metrics: LeaseMetrics;
}

/** Which leases: of an account, a session, one lease, or all that a key signed. */
export type LeaseChoice = Partial<Pick<LeaseRow, 'account' | 'session' | 'jti' | 'kid'>>;

/** Issues and ends leases. */
export class LeaseDesk {
  /** Beginning of the newest hour before which all counts were put on record. */
  #recordedHour = 0;

  constructor(private readonly parts: LeaseDeskParts) {}

  readonly issue: Handler<'lease.issue'> = async (body, request) => {
    const { context, market } = this.parts;
    const { gateway } = context.settings();
    const problem = requestProblem(body, `${gateway.namespace}/${gateway.name}`, context.backend);
    if (problem !== undefined) return this.#refuse(problem);
    if (market.placeOf(body.rid) === undefined) return this.#refuse('no-relay');
    const signer = market.signer();
    const claims = signer && this.#claims(body, request, signer);
    if (!signer || !claims) return this.#refuse('unavailable');
    const lease = issueLease(claims, { kid: signer.key.kid, seed: signer.seed }, (seed, message) =>
      context.backend.ed25519Sign(seed, message),
    );
    const refused = await this.#keep(claims, signer.key.kid, request);
    if (refused) return refused;
    this.parts.metrics.requested('issued');
    return { lease, jti: claims.jti, expiresAt: claims.exp * 1_000 };
  };

  readonly giveBack: Handler<'lease.return'> = async ({ jti }, { caller, now }) => {
    const rows = await this.parts.context.store.takeLeases({ account: caller.account, jti }, now);
    if (rows.length === 0) return { refused: 'not-found' };
    // Whoever gives a lease back may have another one: so this one has to be worth nothing.
    await this.revoke(rows, 'Returned');
    return {};
  };

  readonly list: Handler<'admin.lease.list'> = async ({ account }, { now }) => {
    const rows = await this.parts.context.store.leases(account, now);
    return { leases: rows.slice(0, 64).map(({ jti, expiresAt }) => ({ jti, expiresAt })) };
  };

  readonly revokeOf: Handler<'admin.lease.revoke'> = async ({ account, jti }, request) => {
    const choice = { account, ...(jti !== undefined && { jti }) };
    const rows = await this.parts.context.store.takeLeases(choice, request.now);
    if (jti !== undefined && rows.length === 0) return { refused: 'not-found' };
    await this.revoke(rows, 'AdministratorRevoked', request.caller.account);
    return {};
  };

  readonly grant: Handler<'grant.issue'> = (_, { caller, connection, now }) => {
    const { context, files, market } = this.parts;
    const signer = market.signer();
    if (!signer) return { refused: 'unavailable' };
    const address = parseIpAddress(connection.address);
    const since = caller.secondFactorAt;
    const claims = grantClaims(
      files.rolesOf(caller.account),
      {
        subject: caller.account,
        at: new Date(now),
        comesFrom: (cidr) => {
          const range = parseIpRange(cidr);
          return address !== undefined && range !== undefined && isInRange(address, range);
        },
        ...(since !== undefined && { secondFactorAgeSeconds: (now - since) / 1_000 }),
      },
      caller.device,
      Math.min(caller.endsAt, signer.key.notAfterMs),
    );
    const grant = issueGrant(claims, { kid: signer.key.kid, seed: signer.seed }, (seed, message) =>
      context.backend.ed25519Sign(seed, message),
    );
    this.parts.metrics.granted();
    return { grant, expiresAt: claims.exp * 1_000 };
  };

  /** Ends leases that the store has and gives how many there were. */
  async end(of: LeaseChoice, reason: RevocationReason): Promise<number> {
    const { store, clock } = this.parts.context;
    const rows = await store.takeLeases(of, clock.now().getTime());
    await this.revoke(rows, reason);
    return rows.length;
  }

  /**
   * Ends leases that the store does not have any more: at relays of this replica and of the others at once, then in the
   * store, for relays that register later. Rejects when the store does not answer: the relays know by then.
   */
  async revoke(
    rows: readonly LeaseRow[],
    reason: RevocationReason,
    administrator?: string,
  ): Promise<void> {
    const { context, relays, metrics } = this.parts;
    const nowMs = context.clock.now().getTime();
    for (const { jti, expiresAt } of rows) relays.revoked.add([jti], nowMs, expiresAt);
    const all = rows.map(({ jti }) => jti);
    relays.revoke(all, []);
    for (let at = 0; at < all.length; at += BATCH)
      context.bus.tell({ type: 'leases-revoked', jti: all.slice(at, at + BATCH), kids: [] });
    metrics.revoked(reason, rows.length);
    // That a lease was given back is the endpoint's business, and of a key its own record says enough.
    if (reason === 'AdministratorRevoked' || reason === 'SessionEnded')
      for (const jti of all) context.audit.emit(leaseRevoked(jti, reason, administrator));
    if (rows.length > 0) await context.store.addRevokedLeases(rows);
  }

  /** Puts counts of hours that are over on record, those of this replica and of replicas that are gone. */
  async recordCounts(nowMs: number): Promise<void> {
    const hour = nowMs - (nowMs % HOUR_MS);
    if (hour === this.#recordedHour) return;
    const { store, audit, settings } = this.parts.context;
    for (;;) {
      const counts = await store.takeLeaseCounts(hour);
      if (counts.length === 0) break;
      for (const { account, count } of counts)
        audit.emit(leasesIssued(account, count, settings().gateway));
    }
    this.#recordedHour = hour;
  }

  #claims(
    body: Parameters<typeof leaseClaims>[0],
    { caller, now }: RequestContext,
    { key }: Signer,
  ): LeaseClaims | undefined {
    const { settings, random } = this.parts.context;
    const { leases, cryptoProfile } = settings();
    return leaseClaims(body, {
      jti: random(ID_BYTES),
      profile: cryptoProfile,
      lifetimeSeconds: leases.lifetimeSeconds,
      sessionEndsAt: caller.endsAt,
      key,
      nowMs: now,
    });
  }

  /** Counts the lease against the account's quota; it is worth nothing to anybody before. */
  async #keep(
    { jti, exp }: LeaseClaims,
    kid: string,
    { caller, now }: RequestContext,
  ): Promise<Refused | undefined> {
    const { store, settings } = this.parts.context;
    const { account, device, session } = caller;
    const row = { account, device, session, jti, kid, expiresAt: exp * 1_000 };
    const max = settings().rateLimits.liveLeasesPerAccount;
    try {
      if (!(await store.addLease(row, max, now))) return await this.#overQuota(account, now);
    } catch (error) {
      if (error instanceof AccountUnusable) return this.#sessionEnded();
      throw error;
    }
    // Whoever ends the session from here on finds the lease; who did it before could not.
    const sessions = await store.sessions(account);
    if (sessions.some((open) => open.session === session)) return undefined;
    await store.takeLeases({ account, jti }, now);
    return this.#sessionEnded();
  }

  #sessionEnded(): Refused {
    this.parts.metrics.requested('session-ended');
    return { refused: 'forbidden' };
  }

  async #overQuota(account: string, now: number): Promise<Refused> {
    const rows = await this.parts.context.store.leases(account, now);
    const first = Math.min(...rows.map(({ expiresAt }) => expiresAt));
    const seconds = Number.isFinite(first) ? Math.max(1, Math.ceil((first - now) / 1_000)) : 1;
    return { ...this.#refuse('quota-reached'), retryAfterSeconds: seconds };
  }

  #refuse(reason: Exclude<LeaseOutcome, 'issued' | 'session-ended'>): Refused {
    this.parts.metrics.requested(reason);
    return { refused: reason };
  }
}

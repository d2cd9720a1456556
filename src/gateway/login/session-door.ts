/*
 * Begins sessions and takes up those that are still open. A token is 32 random bytes; only its hash is stored, so that
 * whoever reads the database cannot use one.
 */
import type { Welcome } from '../../messages/signaling.js';
import type { Caller } from '../caller.js';
import type { LoginStep, RoomContext } from '../rooms.js';
import type { GatewaySettings } from '../settings.js';
import type { SessionRow, Store } from '../store.js';
import type { AuthRecord } from './auth-record.js';
import type { ProvenDevice } from './device-proof.js';
import type { Endings } from './endings.js';
import { endOf, isLive, toHour, type SessionLimits } from './session-rules.js';

const TOKEN_BYTES = 32;
const HANDLE_BYTES = 16;

/** What sessions are made from. */
export interface DoorContext extends Pick<RoomContext, 'store' | 'backend' | 'random'> {
  readonly settings: () => GatewaySettings;
  readonly record: AuthRecord;
  readonly endings: Endings;
  readonly rolesOf: (account: string) => readonly string[];
  readonly leaseKeys: () => Welcome['leaseKeys'];
  /** When a session was used here, as far as the store does not know it yet. */
  readonly usedAt: (session: string) => number | undefined;
}

/** Who enters, and how. */
export interface Entry {
  readonly proven: ProvenDevice;
  readonly limits: SessionLimits;
  /** The session that goes on; absent: a new one begins. */
  readonly resumed: SessionRow | undefined;
  /** When a second factor was proven; absent: never in this session. */
  readonly secondFactorAt: number | undefined;
  /** That was just now, and policy accepts it: it is kept with the session. */
  readonly satisfied: boolean;
  readonly administrator: boolean;
  readonly mustEnrol: boolean;
}

/** The hash under which the store knows a token. */
export function tokenHash(backend: RoomContext['backend'], token: Uint8Array): Uint8Array {
  const hash = new Uint8Array(32);
  backend.hash('SHA256', [token], hash);
  return hash;
}

/** Opens and reopens sessions. */
export class SessionDoor {
  constructor(private readonly context: DoorContext) {}

  /** The session of this device that `token` (base64url) stands for, if it still holds. Whatever else it is, it is nothing. */
  async find(
    { account, device }: ProvenDevice,
    token: string | undefined,
    limits: SessionLimits,
    now: number,
  ): Promise<SessionRow | undefined> {
    if (token === undefined) return undefined;
    const { store, backend, usedAt } = this.context;
    const session = await store.sessionByToken(tokenHash(backend, Buffer.from(token, 'base64url')));
    if (session?.account !== account || session.device !== device) return undefined;
    const lastUsedAt = Math.max(session.lastUsedAt, usedAt(session.session) ?? 0);
    return isLive({ ...session, lastUsedAt }, limits, now) ? session : undefined;
  }

  /** Lets the device in. */
  async enter(entry: Entry, now: number): Promise<Extract<LoginStep, { caller: unknown }>> {
    const { store, record, settings, rolesOf, leaseKeys } = this.context;
    const { account } = entry.proven;
    const { session, token } = entry.resumed
      ? { session: await this.#resume(entry, entry.resumed, now), token: undefined }
      : await this.#begin(entry, now);
    const caller = callerOf(entry, session, await store.revocations(account));
    record.happened(token === undefined ? 'session.resume' : 'session.begin', account);
    const { namespace, name } = settings().gateway;
    return {
      caller,
      send: {
        type: 'welcome',
        gateway: `${namespace}/${name}`,
        account,
        ...(token === undefined ? {} : { session: token }),
        endsAt: caller.endsAt,
        idleSeconds: entry.limits.idleSeconds,
        administrator: entry.administrator,
        roles: [...rolesOf(account)].slice(0, 64),
        enrolSecondFactor: entry.mustEnrol,
        leaseKeys: leaseKeys(),
        at: now,
      },
    };
  }

  async #resume(entry: Entry, session: SessionRow, now: number): Promise<SessionRow> {
    const { store } = this.context;
    await store.touchSession(session.session, now);
    if (entry.satisfied && entry.secondFactorAt !== undefined)
      await store.setSecondFactor(session.session, entry.secondFactorAt);
    return session;
  }

  /** A device that begins anew has lost its token or its second factor: nobody needs its sessions from before. */
  async #begin(
    { proven, limits, secondFactorAt, satisfied }: Entry,
    now: number,
  ): Promise<{ readonly session: SessionRow; readonly token: string }> {
    const { store, backend, random, endings } = this.context;
    const { account, device } = proven;
    await endings.sessions({ account, device });
    const token = random(TOKEN_BYTES);
    const session: SessionRow = {
      session: base64url(random(HANDLE_BYTES)),
      account,
      device,
      tokenHash: tokenHash(backend, token),
      beganAt: toHour(now),
      endsAt: now + limits.absoluteSeconds * 1_000,
      lastUsedAt: now,
      ...(satisfied && secondFactorAt !== undefined ? { secondFactorAt } : {}),
    };
    await store.createSession(session);
    return { session, token: base64url(token) };
  }
}

function callerOf(
  { proven, limits, secondFactorAt, administrator, mustEnrol }: Entry,
  session: SessionRow,
  revocations: Awaited<ReturnType<Store['revocations']>>,
): Caller {
  return {
    account: proven.account,
    // A part of the binding, which is kept anyway.
    identity: proven.keys.identity,
    device: proven.device,
    binding: proven.binding,
    revocations,
    session: session.session,
    endsAt: endOf(session, limits),
    idleSeconds: limits.idleSeconds,
    ...(secondFactorAt === undefined ? {} : { secondFactorAt }),
    administrator,
    mustEnrol,
  };
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

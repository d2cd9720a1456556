/*
 * Decides of one login. Until the device key has signed, nothing is looked up and every failure counts for the address;
 * afterwards whoever holds that key is told what keeps him out.
 */
import type { Login } from '../../messages/signaling.js';
import { parseIpAddress, sourceOf } from '../../runtime/ip-address.js';
import { SourceLimiter, type Allowance } from '../../runtime/source-limiter.js';
import { AUDIT_RETRY_SECONDS } from '../audit-failure.js';
import type { LoginFacts, RoomContext } from '../rooms.js';
import type { AccountPolicy } from './factor-policy.js';
import { factorDemand } from './factor-policy.js';
import { isAdministrator } from './admission.js';
import { admit } from './admit.js';
import type { AuthRecord } from './auth-record.js';
import type { Candidate, Failed, LoginJudge } from './conversation.js';
import { checkDeviceProof, type ProvenDevice } from './device-proof.js';
import type { Endings } from './endings.js';
import { secondsUntil } from './lockout-rules.js';
import { hasTooManyConnections } from './open-devices.js';
import type { LoginFailure } from './outcomes.js';
import { isOwnRevocation, revokeDevice, revokedDevices } from './revoking.js';
import type { SecondFactors, Subject } from './second-factors.js';
import type { SessionDoor } from './session-door.js';
import { sessionLimits } from './session-rules.js';

/** Sets of four addresses or accounts: 65,536 of each, at most 1.6 MB. */
const LIMITER_SETS = 16_384;
const LIMITER_SEED_BYTES = 16;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What logins are judged with. */
export interface JudgeContext extends Pick<
  RoomContext,
  'store' | 'backend' | 'random' | 'clock' | 'settings' | 'bus' | 'connections' | 'auditStops'
> {
  readonly record: AuthRecord;
  readonly endings: Endings;
  readonly factors: SecondFactors;
  readonly door: SessionDoor;
  readonly policyOf: (account: string) => AccountPolicy;
}

/** The judge of a gateway: one for all connections, for it counts failures. */
export function createJudge(context: JudgeContext): LoginJudge {
  const limits = new LoginLimits(context);
  const { record, clock } = context;
  return {
    clock,
    tick: () => {
      limits.tick();
    },
    heardLogin: (account) => {
      limits.takeLogin(account);
    },
    unexpected: () => {
      record.failed('device-key', 'UnexpectedMessage');
    },
    judge: async (login, challenge, facts) => {
      const proven = prove(context, limits, login, { challenge, facts });
      if ('failed' in proven) return proven;
      const judged = await judgeAdmitted(context, limits, login, { proven, facts });
      if ('failed' in judged) record.failed('device-key', judged.failed, proven.account);
      return judged;
    },
  };
}

/** Counts what may not happen too often; tables of fixed size that never deny everybody. */
class LoginLimits {
  readonly #addresses: SourceLimiter;
  readonly #accounts: SourceLimiter;

  constructor(
    private readonly context: Pick<JudgeContext, 'random' | 'clock' | 'settings' | 'bus'>,
  ) {
    this.#addresses = new SourceLimiter(LIMITER_SETS, context.random(LIMITER_SEED_BYTES));
    this.#accounts = new SourceLimiter(LIMITER_SETS, context.random(LIMITER_SEED_BYTES));
  }

  /** Whether this address has failed too often to be looked at, and how long it waits. */
  refused(address: string): Failed | undefined {
    const allowance = this.#failures;
    return this.#addresses.has(source(address), allowance, this.#now)
      ? undefined
      : { failed: 'TooManyFailures', retryAfterSeconds: seconds(allowance) };
  }

  failed(address: string): void {
    this.#addresses.take(source(address), this.#failures, this.#now);
  }

  /** Takes one login of the account, here and at the other replicas. */
  refusedLogin(account: string): Failed | undefined {
    if (!this.takeLogin(account))
      return { failed: 'TooManyLogins', retryAfterSeconds: seconds(this.#logins) };
    this.context.bus.tell({ type: 'login', account });
    return undefined;
  }

  /** Takes one login of the account if there is one. */
  takeLogin(account: string): boolean {
    return this.#accounts.take(account, this.#logins, this.#now);
  }

  /** Who has gone is not remembered for longer than a limit counts. */
  tick(): void {
    this.#addresses.forget(MINUTE_MS, this.#now);
    this.#accounts.forget(HOUR_MS, this.#now);
  }

  get #logins(): Allowance {
    const count = this.context.settings().rateLimits.loginsPerAccountPerHour;
    return { count, perMs: HOUR_MS };
  }

  get #failures(): Allowance {
    const count = this.context.settings().rateLimits.failedLoginsPerAddressPerMinute;
    return { count, perMs: MINUTE_MS };
  }

  get #now(): number {
    return this.context.clock.monotonicMs();
  }
}

function prove(
  { backend, settings, clock, record }: JudgeContext,
  limits: LoginLimits,
  login: Login,
  { challenge, facts }: { readonly challenge: Uint8Array; readonly facts: LoginFacts },
): ProvenDevice | Failed {
  const tooMany = limits.refused(facts.address);
  if (tooMany !== undefined) {
    record.throttled();
    return tooMany;
  }
  const nowMs = clock.now().getTime();
  const setting = { challenge, facts, hosts: settings().hosts, nowMs };
  const proven = checkDeviceProof(backend, login, setting);
  if (typeof proven !== 'string') return proven;
  limits.failed(facts.address);
  record.failed('device-key', proven);
  return { failed: proven };
}

/** These two cost a stranger who makes keys as he likes nothing, so they count for his address as well. */
const COUNT_FOR_ADDRESS: readonly LoginFailure[] = ['InviteInvalid', 'AccountAwaitsApproval'];

async function judgeAdmitted(
  context: JudgeContext,
  limits: LoginLimits,
  login: Login,
  { proven, facts }: { readonly proven: ProvenDevice; readonly facts: LoginFacts },
): Promise<Candidate | Failed> {
  const { settings, clock, door, policyOf } = context;
  const now = clock.now().getTime();
  const policy = policyOf(proven.account);
  const lifetimes = sessionLimits(settings().authentication.sessions, policy.sessions);
  const resumed = await door.find(proven, login.session, lifetimes, now);
  const notNow = refusedNow(context, limits, proven.account, resumed !== undefined);
  if (notNow !== undefined) return notNow;
  const shown = login.revocations.map((text) => Uint8Array.from(Buffer.from(text, 'base64url')));
  const subject = { account: proven.account, identity: proven.keys.identity };
  if (!shown.every((bytes) => isOwnRevocation(context.backend, subject, bytes)))
    return { failed: 'InvalidRevocation' };
  // Kept before anything else is decided: the owner of a stolen device revokes it from another one, locked out or not.
  const kept = await keepRevocations(context, subject, shown);
  const applicant = { proven, invite: login.invite, revoked: revokedDevices(shown) };
  const refused = await admit(context, applicant, now);
  if (refused === undefined && !kept) await keepRevocations(context, subject, shown);
  if (refused !== undefined) {
    if (COUNT_FOR_ADDRESS.includes(refused)) limits.failed(facts.address);
    return { failed: refused };
  }
  if (await hasTooManyConnections(context, proven)) return { failed: 'TooManyConnections' };
  return candidateOf(context, { proven, policy, limits: lifetimes, resumed }, now);
}

/** Why nobody would be let in at this moment: records cannot be written, or there were too many new sessions. */
function refusedNow(
  { auditStops }: JudgeContext,
  limits: LoginLimits,
  account: string,
  isResumed: boolean,
): Failed | undefined {
  const stop = auditStops?.() ?? 'nothing';
  if (stop === 'everything' || (stop === 'new-sessions' && !isResumed))
    return { failed: 'AuditUnavailable', retryAfterSeconds: AUDIT_RETRY_SECONDS };
  return isResumed ? undefined : limits.refusedLogin(account);
}

type Admitted = Pick<Parameters<SessionDoor['enter']>[0], 'proven' | 'limits' | 'resumed'> & {
  readonly policy: AccountPolicy;
};

async function candidateOf(
  context: JudgeContext,
  { proven, policy, limits, resumed }: Admitted,
  now: number,
): Promise<Candidate | Failed> {
  const { settings, clock, factors, door, record } = context;
  const { account } = proven;
  const until = resumed === undefined ? await lockedUntil(context, account, now) : undefined;
  if (until !== undefined)
    return { failed: 'LockedOut', retryAfterSeconds: secondsUntil(until, now) };
  const { authentication } = settings();
  const administrator = isAdministrator(account, authentication);
  const demand = factorDemand(authentication, administrator, policy);
  const shown = resumed?.secondFactorAt;
  const wanted = demand.required && shown === undefined;
  const time = () => clock.now().getTime();
  const ask = () => factors.ask(account, demand, time());
  const asked = wanted ? await ask() : undefined;
  if (wanted && asked === undefined && demand.kinds.length === 0)
    return { failed: 'NoSecondFactor' };
  record.succeeded('device-key', account);
  const subject = { account, identity: proven.keys.identity };
  return {
    ...(asked === undefined ? {} : { asked }),
    askAgain: ask,
    attemptsLeft: () => factors.attemptsLeft(account),
    prove: (proof, question) => factors.prove(subject, proof, question, time()),
    enter: (provenNow) => {
      const secondFactorAt = provenNow ? time() : shown;
      const satisfied = provenNow && asked?.satisfies === true;
      const mustEnrol = wanted && !satisfied;
      const entry = {
        proven,
        limits,
        resumed,
        secondFactorAt,
        satisfied,
        administrator,
        mustEnrol,
      };
      return door.enter(entry, time());
    },
  };
}

/**
 * Until when failures have locked the account for new logins. A session that is open already is none: who holds its
 * token goes on while others are locked out.
 */
async function lockedUntil(
  { store }: JudgeContext,
  account: string,
  now: number,
): Promise<number | undefined> {
  const until = (await store.lockout(account)).lockedUntil;
  return until !== undefined && until > now ? until : undefined;
}

/** False: there is no such account yet. */
async function keepRevocations(
  context: JudgeContext,
  subject: Subject,
  shown: readonly Uint8Array[],
): Promise<boolean> {
  const { store } = context;
  if (shown.length === 0) return true;
  if ((await store.account(subject.account)) === undefined) return false;
  for (const bytes of shown) {
    const known = await store.revocations(subject.account);
    await revokeDevice(context, subject, { bytes, known });
  }
  return true;
}

const source = (address: string): string => {
  const bytes = parseIpAddress(address);
  return bytes === undefined ? address : sourceOf(bytes);
};

/** When the next one is allowed, in whole seconds. */
const seconds = ({ count, perMs }: Allowance): number => Math.ceil(perMs / count / 1_000);

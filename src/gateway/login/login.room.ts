/*
 * The room of logins: who comes in, with which device and second factor, and for how long; and what an account may do
 * with its own devices, sessions and second factors.
 */
import type { Welcome } from '../../messages/signaling.js';
import { refusedFactorKinds } from '../factor-kinds.js';
import type { LoginRoom, RoomContext } from '../rooms.js';
import type { LeaseRow } from '../store.js';
import { accountHandlers } from './account-handlers.js';
import { createAuthRecord } from './auth-record.js';
import { Conversation, type LoginJudge } from './conversation.js';
import { deviceHandlers } from './device-handlers.js';
import { Endings } from './endings.js';
import { codeHandlers, factorHandlers } from './factor-handlers.js';
import type { AccountPolicy } from './factor-policy.js';
import { forgetPending, type HandlerParts, type PendingParts } from './handler-parts.js';
import { createJudge } from './login-judge.js';
import { otherDevices } from './open-devices.js';
import { Pending } from './pending.js';
import { SecondFactors } from './second-factors.js';
import { SessionDoor } from './session-door.js';
import { SessionUse } from './session-use.js';
import { stepUpHandlers } from './step-up-handlers.js';
import { webAuthnHandlers } from './web-authn-handlers.js';

const CHALLENGE_BYTES = 32;

/** What other rooms give; without them no role asks for anything and there is no lease. */
export interface LoginOptions {
  /** What the roles of an account ask for now. */
  readonly policyOf?: (account: string) => AccountPolicy;
  /** Names of the roles of an account now. */
  readonly rolesOf?: (account: string) => readonly string[];
  /** Lease keys that endpoints check grants with now. */
  readonly leaseKeys?: () => Welcome['leaseKeys'];
  /** Takes leases that ended with their sessions, which the store keeps as revoked: tells relays and replicas. */
  readonly leasesEnded?: (leases: readonly LeaseRow[]) => void | Promise<void>;
}

const NOTHING_ASKED: AccountPolicy = { required: false };

/** The room. @throws RangeError if the settings name a second factor that does not exist, with the reason. */
export function createLogin(context: RoomContext, options: LoginOptions = {}): LoginRoom {
  const wrong = refusedFactorKinds(context.settings().authentication.secondFactors.allowed);
  if (wrong !== undefined) throw new RangeError(wrong);
  const endings = new Endings({
    ...context,
    leasesEnded: options.leasesEnded ?? (() => undefined),
    // Answers are written in the same turn of the event loop in which they are made.
    afterAnswer: (close) => setImmediate(close),
  });
  const use = new SessionUse(context.store);
  const parts = {
    ...context,
    endings,
    usedAt: (session: string) => use.usedAt(session),
    record: createAuthRecord(context.metrics, context.audit),
    policyOf: options.policyOf ?? (() => NOTHING_ASKED),
    rolesOf: options.rolesOf ?? (() => []),
    leaseKeys: options.leaseKeys ?? (() => []),
  };
  const factors = new SecondFactors(parts);
  const judge = createJudge({ ...parts, factors, door: new SessionDoor(parts) });
  return {
    begin: (facts) => new Conversation(judge, facts, context.random(CHALLENGE_BYTES)),
    ...withConnections(context, { ...parts, factors, pending: createPending() }, { judge, use }),
  };
}

/** What follows the life of connections: handlers, and what they remember. */
function withConnections(
  { clock, connections }: RoomContext,
  parts: HandlerParts,
  {
    judge,
    use,
  }: { readonly judge: Pick<LoginJudge, 'tick' | 'heardLogin'>; readonly use: SessionUse },
) {
  const { pending } = parts;
  return {
    handlers: handlersOf(parts),
    opened: (connection) => {
      use.opened(connection, clock.now().getTime());
    },
    heard: (connection, now) => {
      use.heard(connection, now);
    },
    closed: (connection) => {
      use.closed(connection);
      forgetPending(pending, connection);
    },
    onBus: (message) => {
      if (message.type === 'login') judge.heardLogin(message.account);
      if (message.type !== 'connections') return undefined;
      const open = otherDevices(connections, message.account, message.device);
      return open === 0 ? undefined : { open };
    },
    tick: (now) => {
      judge.tick();
      use.tick();
      for (const table of Object.values(pending) as readonly Pending<unknown>[]) table.sweep(now);
    },
    stop: () => use.stop(),
  } satisfies Partial<LoginRoom>;
}

const handlersOf = (parts: HandlerParts) => ({
  ...deviceHandlers(parts),
  ...stepUpHandlers(parts),
  ...factorHandlers(parts),
  ...codeHandlers(parts),
  ...webAuthnHandlers(parts),
  ...accountHandlers(parts),
});

const createPending = (): PendingParts => ({
  stepUps: new Pending(),
  totp: new Pending((secret) => secret.fill(0)),
  webAuthn: new Pending(),
  shown: new Pending(),
});

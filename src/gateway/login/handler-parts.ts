/*
 * What the handlers of this room have in common.
 */
import type { Connection, Refused, RequestContext } from '../caller.js';
import type { RoomContext } from '../rooms.js';
import type { GatewaySettings } from '../settings.js';
import type { FactorRow } from '../store.js';
import { isAdministrator } from './admission.js';
import type { AuthRecord } from './auth-record.js';
import type { Endings } from './endings.js';
import { counts, factorDemand, type AccountPolicy, type FactorDemand } from './factor-policy.js';
import type { Pending } from './pending.js';
import { enrolledFactor, type Asked, type SecondFactors } from './second-factors.js';

/** How long a proof of a second factor allows what asks for one. */
export const STEP_UP_MS = 300_000;
/** Factors of one account; lists have room for as many. */
export const MAX_FACTORS = 16;

/** What handlers are made from. */
export interface HandlerParts extends Pick<RoomContext, 'store' | 'backend' | 'random'> {
  readonly settings: () => GatewaySettings;
  readonly policyOf: (account: string) => AccountPolicy;
  readonly record: AuthRecord;
  readonly endings: Endings;
  readonly factors: SecondFactors;
  readonly pending: PendingParts;
}

/** What connections have begun. */
export interface PendingParts {
  readonly stepUps: Pending<Asked>;
  readonly totp: Pending<Uint8Array>;
  /** Challenges for new credentials, as base64url. */
  readonly webAuthn: Pending<string>;
  /** A factor was shown that policy does not count: enough to enrol one that it does, and for nothing else. */
  readonly shown: Pending<true>;
}

/** A refusal. */
export const refuse = (refused: Refused['refused']): Refused => ({ refused });

/** What policy asks of the caller now. */
export function demandOf({ settings, policyOf }: HandlerParts, account: string): FactorDemand {
  const { authentication } = settings();
  const administrator = isAdministrator(account, authentication);
  return factorDemand(authentication, administrator, policyOf(account));
}

/** Whether the caller has proven a second factor within the last 5 minutes. */
export const hasSteppedUp = ({ caller, now }: RequestContext): boolean =>
  caller.secondFactorAt !== undefined && now - caller.secondFactorAt < STEP_UP_MS;

/**
 * Why the caller may not add or change a second factor: whoever has one shows one first, so that a device key alone
 * never adds another.
 */
export function refusedEnrolment(
  { pending }: HandlerParts,
  context: RequestContext,
  factors: readonly FactorRow[],
): Refused | undefined {
  if (factors.length === 0 || hasSteppedUp(context)) return undefined;
  const { id } = context.connection;
  const shown = pending.shown.take(id, context.now);
  if (shown === undefined) return refuse('step-up-needed');
  pending.shown.put(id, shown, context.now + STEP_UP_MS);
  return undefined;
}

/** A factor was enrolled: its owner has just shown it, and policy may have nothing more to ask. */
export async function enrolled(
  parts: HandlerParts,
  row: FactorRow,
  context: RequestContext,
): Promise<void> {
  const { caller, connection, now } = context;
  if (!counts(enrolledFactor(row), demandOf(parts, caller.account))) return;
  await parts.store.setSecondFactor(caller.session, now);
  context.become({ ...connection.caller, secondFactorAt: now, mustEnrol: false });
}

/** What a connection has begun is worth nothing without it. */
export function forgetPending(pending: PendingParts, { id }: Connection): void {
  for (const table of Object.values(pending) as readonly Pending<unknown>[]) table.forget(id);
}

/** Bytes as messages have them. */
export const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/*
 * An account's own second factors: codes of a telephone, recovery codes, and their list.
 */
import type { Handlers, Refused, RequestContext } from '../caller.js';
import { allowedKinds, type EnrolledKind } from '../factor-kinds.js';
import { counts } from './factor-policy.js';
import {
  base64url,
  demandOf,
  enrolled,
  hasSteppedUp,
  MAX_FACTORS,
  refuse,
  refusedEnrolment,
  type HandlerParts,
} from './handler-parts.js';
import { RECOVERY_RANDOM_BYTES, recoveryCodeHash, recoveryCodes } from './recovery-codes.js';
import { enrolledFactor } from './second-factors.js';
import { toDay } from './session-rules.js';
import { TOTP_SECRET_BYTES, totpStepOf, totpUri } from './totp.js';

const HANDLE_BYTES = 16;
/** Time to scan a picture and to type a code. */
const CONFIRM_MS = 600_000;

/** Why no factor of this kind may be begun now. */
export async function refusedBeginning(
  parts: HandlerParts,
  kind: EnrolledKind,
  context: RequestContext,
): Promise<Refused | undefined> {
  const { secondFactors } = parts.settings().authentication;
  if (!allowedKinds(secondFactors.allowed).includes(kind)) return refuse('forbidden');
  const factors = await parts.store.factors(context.caller.account);
  if (factors.length >= MAX_FACTORS) return refuse('quota-reached');
  return refusedEnrolment(parts, context, factors);
}

/** Handlers of `factor.list` and `factor.remove`. */
export function factorHandlers(parts: HandlerParts) {
  const { store } = parts;
  return {
    'factor.list': async (_, { caller }) => {
      const rows = await store.factors(caller.account);
      const factors = rows.map(({ factor, kind, label, enrolledOn }) => ({
        ...{ factor, kind, label, enrolledOn },
      }));
      return { factors: factors.slice(0, MAX_FACTORS) };
    },
    'factor.remove': async ({ factor }, context) => {
      const { account } = context.caller;
      const rows = await store.factors(account);
      if (rows.every((row) => row.factor !== factor)) return refuse('not-found');
      if (!hasSteppedUp(context)) return refuse('step-up-needed');
      const left = rows.filter((row) => row.factor !== factor);
      const demand = demandOf(parts, account);
      // Without the last one a device key alone could enrol the next.
      if (demand.required && !left.some((row) => counts(enrolledFactor(row), demand)))
        return refuse('second-factor-needed');
      if (!(await store.removeFactor(account, factor))) return refuse('not-found');
      if (left.length === 0) await store.setRecoveryCodes(account, []);
      return {};
    },
  } satisfies Partial<Handlers>;
}

/** Handlers of `factor.totp.*` and `factor.recovery-codes.renew`. */
export function codeHandlers(parts: HandlerParts) {
  const { store, backend, random, pending, settings } = parts;
  return {
    'factor.totp.begin': async (_, context) => {
      const refused = await refusedBeginning(parts, 'TOTP', context);
      if (refused !== undefined) return refused;
      const { connection, caller, now } = context;
      const secret = random(TOTP_SECRET_BYTES);
      pending.totp.put(connection.id, secret, now + CONFIRM_MS);
      const uri = totpUri(secret, settings().gateway.name, caller.account);
      return { secret: base64url(secret), uri };
    },
    'factor.totp.confirm': async ({ code, label }, context) => {
      const { connection, caller, now } = context;
      const { account } = caller;
      const secret = pending.totp.take(connection.id, now);
      if (secret === undefined) return refuse('proof-invalid');
      const step = totpStepOf(secret, code, now);
      if (step === undefined) {
        // Mistyped: the same secret may be confirmed again for a while.
        pending.totp.put(connection.id, secret, now + CONFIRM_MS);
        return refuse('proof-invalid');
      }
      const refused = await refusedBeginning(parts, 'TOTP', context);
      if (refused !== undefined) return refused;
      const factor = base64url(random(HANDLE_BYTES));
      // The code that confirmed it is used up: it opens no login.
      const fields = { factor, account, kind: 'TOTP', label, enrolledOn: toDay(now) } as const;
      const row = { ...fields, secret, counter: step };
      const added = await store.addFactor(row, MAX_FACTORS);
      if (added) await enrolled(parts, row, context);
      secret.fill(0);
      return added ? { factor } : refuse('quota-reached');
    },
    'factor.recovery-codes.renew': async (_, context) => {
      const { account, identity } = context.caller;
      if ((await store.factors(account)).length === 0) return refuse('second-factor-needed');
      if (!hasSteppedUp(context)) return refuse('step-up-needed');
      const codes = recoveryCodes(random(RECOVERY_RANDOM_BYTES));
      const hashes = codes.map((code) => recoveryCodeHash(backend, identity, code));
      await store.setRecoveryCodes(account, hashes);
      return { codes: [...codes] };
    },
  } satisfies Partial<Handlers>;
}

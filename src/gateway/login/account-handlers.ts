/*
 * What an account may ask about itself as a whole: everything that is stored about it, and its deletion.
 */
import type { Handlers } from '../caller.js';
import { keptBy } from '../retention-rule.js';
import { base64url, hasSteppedUp, refuse, type HandlerParts } from './handler-parts.js';
import { revokedDevices } from './revoking.js';
import { credentialOf } from './second-factors.js';
import { toHour } from './session-rules.js';

/** Handlers of `account.*`. */
export function accountHandlers(parts: HandlerParts) {
  const { store, endings, settings, pending } = parts;
  return {
    'account.export': async (_, context) => {
      const { account } = context.caller;
      const [factors, row] = [await store.factors(account), await store.account(account)];
      if (row === undefined) return refuse('not-found');
      if (factors.length > 0 && !hasSteppedUp(context)) return refuse('step-up-needed');
      return {
        account: {
          account,
          identity: base64url(row.identity),
          state: row.state,
          registeredOn: row.registeredOn,
          administrator: context.caller.administrator,
          ...(await storedParts(parts, account, context.now)),
          factors: factors.map(({ factor, kind, label, enrolledOn, ...rest }) => {
            const credential = credentialOf({ factor, kind, label, enrolledOn, ...rest });
            return {
              ...{ factor, kind, label, enrolledOn, counter: Number(rest.counter) },
              // The secret of codes is not told again to whoever has taken over a session.
              ...(credential === undefined ? {} : { credential: base64url(credential.id) }),
            };
          }),
        },
      };
    },
    'account.delete': async (_, context) => {
      const { caller, connection, now } = context;
      const { account } = caller;
      const row = await store.account(account);
      if (row === undefined) return refuse('not-found');
      if ((await store.factors(account)).length > 0 && !hasSteppedUp(context))
        return refuse('step-up-needed');
      const born = { class: 'account', bornAt: row.registeredOn } as const;
      if (keptBy(settings().retention, born, now) !== undefined) return refuse('forbidden');
      await endings.sessions({ account }, connection);
      const gone = await store.deleteAccount(account, { at: toHour(now), reason: 'Requested' });
      pending.stepUps.forget(connection.id);
      endings.accountGone(account, connection);
      return gone ? {} : refuse('not-found');
    },
  } satisfies Partial<Handlers>;
}

async function storedParts({ store }: HandlerParts, account: string, now: number) {
  const [devices, sessions] = [await store.devices(account), await store.sessions(account)];
  const lockout = await store.lockout(account);
  const leases = await store.leases(account, now);
  return {
    devices: devices.map(({ device, binding, state, enrolledOn }) => ({
      ...{ device, state, enrolledOn, binding: base64url(binding) },
    })),
    revokedDevices: [...revokedDevices(await store.revocations(account))],
    sessions: sessions.map(({ session, device, beganAt, endsAt, lastUsedAt, secondFactorAt }) => ({
      ...{ session, device, beganAt, endsAt, lastUsedAt },
      ...(secondFactorAt === undefined ? {} : { secondFactorAt }),
    })),
    recoveryCodesLeft: await store.recoveryCodesLeft(account),
    failures: lockout.failures,
    ...(lockout.lockedUntil === undefined ? {} : { lockedUntil: lockout.lockedUntil }),
    leases: leases.map(({ device, session, jti, kid, expiresAt }) => ({
      ...{ device, session, jti, kid, expiresAt },
    })),
  };
}

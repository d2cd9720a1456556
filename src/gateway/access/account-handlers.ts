/*
 * Acts of administration on accounts, devices and sessions. Whether the caller may is decided before; here stands what
 * nobody may do to himself, and what follows from an act.
 */
import type { Handlers, Refused } from '../caller.js';
import { keptBy } from '../retention-rule.js';
import type { AccountRow, DeviceRow } from '../store.js';
import type { AccessParts } from './parts.js';

const PAGE = 100;
const HOUR_MS = 3_600_000;
const MAX_LISTED = 64;
const done = {};
const refuse = (refused: Refused['refused']): Refused => ({ refused });

/** Handlers of `admin.account.*`. */
export function accountHandlers(parts: AccessParts) {
  const { store, endings, settings } = parts;
  const administrators = () => new Set(settings().authentication.administrators);
  const view = async ({ account, state, registeredOn }: AccountRow) => {
    const { lockedUntil } = await store.lockout(account);
    const devices = await store.devices(account);
    return {
      ...{ account, state, registeredOn, administrator: administrators().has(account) },
      ...(lockedUntil === undefined ? {} : { lockedUntil }),
      devices: Math.min(devices.length, MAX_LISTED),
    };
  };
  return {
    'admin.account.list': async ({ after }) => {
      const page = await store.accounts(after, PAGE);
      const items = await Promise.all(page.rows.map(view));
      return { items, ...(page.next === undefined ? {} : { next: page.next }) };
    },
    'admin.account.approve': async ({ account }, { caller }) => {
      if (account === caller.account) return refuse('own-request');
      if (await store.setAccountState(account, ['Pending'], 'Active')) return done;
      return refuse((await store.account(account)) === undefined ? 'not-found' : 'already-done');
    },
    'admin.account.lock': async ({ account }, { caller }) => {
      if (account === caller.account) return refuse('own-request');
      const locked = await store.setAccountState(account, ['Pending', 'Active'], 'Locked');
      if (!locked && (await store.account(account)) === undefined) return refuse('not-found');
      // Also when it was locked before: what an earlier attempt did not end is ended now.
      await endings.sessions({ account });
      endings.accountGone(account);
      return locked ? done : refuse('already-done');
    },
    'admin.account.unlock': async ({ account }, { caller }) => {
      if (account === caller.account) return refuse('own-request');
      if ((await store.account(account)) === undefined) return refuse('not-found');
      const wasLocked = (await store.lockout(account)).lockedUntil !== undefined;
      await store.clearLockout(account);
      const unlocked = await store.setAccountState(account, ['Locked'], 'Active');
      return unlocked || wasLocked ? done : refuse('already-done');
    },
    'admin.account.delete': async ({ account }, { caller, now }) => {
      if (account === caller.account) return refuse('own-request');
      const row = await store.account(account);
      if (row === undefined) return refuse('not-found');
      const born = { class: 'account', bornAt: row.registeredOn } as const;
      if (keptBy(settings().retention, born, now) !== undefined) return refuse('forbidden');
      await endings.sessions({ account });
      const at = now - (now % HOUR_MS);
      const deleted = await store.deleteAccount(account, { at, reason: 'AdministratorRequested' });
      endings.accountGone(account);
      return deleted ? done : refuse('not-found');
    },
    'admin.factor.reset': async ({ account }, { caller }) => {
      if (account === caller.account) return refuse('own-request');
      if ((await store.account(account)) === undefined) return refuse('not-found');
      await store.resetFactors(account);
      // A session that was opened with a factor that is gone must not outlive it.
      await endings.sessions({ account });
      return done;
    },
  } satisfies Partial<Handlers>;
}

const deviceView = (row: DeviceRow, notAfter: number) => ({
  ...{ device: row.device, state: row.state, enrolledOn: row.enrolledOn, notAfter },
});

/** Handlers of `admin.device.*` and `admin.session.*`. `notAfterOf` reads the end of a device binding. */
export function deviceHandlers(parts: AccessParts, notAfterOf: (binding: Uint8Array) => number) {
  const { store, endings } = parts;
  return {
    'admin.device.list': async ({ account }) => {
      if ((await store.account(account)) === undefined) return refuse('not-found');
      const rows = await store.devices(account);
      const devices = rows
        .slice(0, MAX_LISTED)
        .map((row) => deviceView(row, notAfterOf(row.binding)));
      return { devices };
    },
    'admin.device.pending': async ({ after }) => {
      const page = await store.pendingDevices(after, PAGE);
      const items = page.rows.map(({ account, device }) => ({ account, device }));
      return { items, ...(page.next === undefined ? {} : { next: page.next }) };
    },
    'admin.device.approve': async ({ account, device }, { caller }) => {
      if (account === caller.account) return refuse('own-request');
      if (await store.setDeviceState(account, device, ['Pending'], 'Active')) return done;
      const known = await store.device(account, device);
      return refuse(known === undefined ? 'not-found' : 'already-done');
    },
    'admin.device.revoke': async ({ account, device }) => {
      const revoked = await store.setDeviceState(account, device, ['Pending', 'Active'], 'Revoked');
      if (!revoked && (await store.device(account, device)) === undefined)
        return refuse('not-found');
      await endings.sessions({ account, device });
      return revoked ? done : refuse('already-done');
    },
    'admin.session.list': async ({ account }, { caller }) => {
      if ((await store.account(account)) === undefined) return refuse('not-found');
      const rows = await store.sessions(account);
      const sessions = rows.slice(0, MAX_LISTED).map(({ session, device, beganAt, endsAt }) => ({
        ...{ session, device, beganAt, endsAt, current: session === caller.session },
      }));
      return { sessions };
    },
    'admin.session.revoke': async ({ account, session }, { connection }) => {
      const of = session === undefined ? { account } : { account, session };
      const ended = await endings.sessions(of, connection);
      return ended > 0 ? done : refuse('not-found');
    },
  } satisfies Partial<Handlers>;
}

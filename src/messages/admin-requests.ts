/*
 * Requests of administrators, and of whom a role allows one. Lists come in pages; `next` is given back to go on.
 */
import { Type, type TSchema } from 'typebox';
import { deviceView, sessionView } from './own-requests.js';
import { bytesOf, closed, deviceId, fingerprint, handle, instant } from './fields.js';

const empty = () => Type.Object({}, closed);
const cursor = () => Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', maxLength: 64 });
const page = () => Type.Object({ after: Type.Optional(cursor()) }, closed);
const paged = <Item extends TSchema>(item: Item) =>
  Type.Object(
    { items: Type.Array(item, { maxItems: 100 }), next: Type.Optional(cursor()) },
    closed,
  );
const ofAccount = () => Type.Object({ account: fingerprint() }, closed);

export const ACCOUNT_STATES = ['Pending', 'Active', 'Locked'] as const;
/** State of an account: waiting for approval, in use, or locked by an administrator. */
export type AccountState = (typeof ACCOUNT_STATES)[number];

const accountView = () =>
  Type.Object(
    {
      account: fingerprint(),
      state: Type.Unsafe<AccountState>({ type: 'string', enum: [...ACCOUNT_STATES] }),
      administrator: Type.Boolean(),
      /** Day of the registration, midnight UTC. */
      registeredOn: instant(),
      /** Until when failures of the second factor lock it; absent: they do not. */
      lockedUntil: Type.Optional(instant()),
      devices: Type.Integer({ minimum: 0, maximum: 64 }),
    },
    closed,
  );

export const ADMIN_REQUESTS = {
  'admin.account.list': { request: page(), answer: paged(accountView()) },
  'admin.account.approve': { request: ofAccount(), answer: empty() },
  /** Locks an account until `admin.account.unlock`: its sockets, sessions and leases end. */
  'admin.account.lock': { request: ofAccount(), answer: empty() },
  /** Ends a lock, also one that failures of the second factor made. */
  'admin.account.unlock': { request: ofAccount(), answer: empty() },
  'admin.account.delete': { request: ofAccount(), answer: empty() },
  'admin.device.list': {
    request: ofAccount(),
    answer: Type.Object({ devices: Type.Array(deviceView(), { maxItems: 64 }) }, closed),
  },
  /** Devices that wait for approval, of every account. */
  'admin.device.pending': {
    request: page(),
    answer: paged(Type.Object({ account: fingerprint(), device: deviceId() }, closed)),
  },
  'admin.device.approve': {
    request: Type.Object({ account: fingerprint(), device: deviceId() }, closed),
    answer: empty(),
  },
  /** Bars a device from this gateway. Its owner revokes it everywhere. */
  'admin.device.revoke': {
    request: Type.Object({ account: fingerprint(), device: deviceId() }, closed),
    answer: empty(),
  },
  'admin.session.list': {
    request: ofAccount(),
    answer: Type.Object({ sessions: Type.Array(sessionView(), { maxItems: 64 }) }, closed),
  },
  'admin.session.revoke': {
    request: Type.Object({ account: fingerprint(), session: Type.Optional(handle()) }, closed),
    answer: empty(),
  },
  /** Removes every second factor of an account, so that it can enrol new ones. Never of one's own. */
  'admin.factor.reset': { request: ofAccount(), answer: empty() },
  /** A code with which one new account gets in; shown once. */
  'admin.invite.create': {
    request: Type.Object(
      { lifetimeSeconds: Type.Integer({ minimum: 300, maximum: 2_592_000 }) },
      closed,
    ),
    answer: Type.Object(
      { invite: handle(), code: Type.String({ maxLength: 40 }), expiresAt: instant() },
      closed,
    ),
  },
  'admin.invite.list': {
    request: page(),
    answer: paged(Type.Object({ invite: handle(), expiresAt: instant() }, closed)),
  },
  'admin.invite.revoke': {
    request: Type.Object({ invite: handle() }, closed),
    answer: empty(),
  },
  'admin.lease.list': {
    request: ofAccount(),
    answer: Type.Object(
      {
        leases: Type.Array(Type.Object({ jti: bytesOf(16), expiresAt: instant() }, closed), {
          maxItems: 64,
        }),
      },
      closed,
    ),
  },
  'admin.lease.revoke': {
    request: Type.Object({ account: fingerprint(), jti: Type.Optional(bytesOf(16)) }, closed),
    answer: empty(),
  },
  /** Relays that have registered, with what their last heartbeat said. */
  'admin.relay.list': {
    request: page(),
    answer: paged(
      Type.Object(
        {
          rid: Type.String({ maxLength: 323 }),
          region: Type.String({ maxLength: 63 }),
          state: Type.Unsafe<'Live' | 'Draining' | 'Missing' | 'ClockOff' | 'KeysMissing'>({
            type: 'string',
            enum: ['Live', 'Draining', 'Missing', 'ClockOff', 'KeysMissing'],
          }),
          sessions: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
        },
        closed,
      ),
    ),
  },
} as const;

/*
 * An account's own devices and sessions.
 */
import { decodeDeviceBinding } from '../../protocol/identity/device-binding.js';
import type { Handlers } from '../caller.js';
import type { DeviceRow } from '../store.js';
import { refuse, type HandlerParts } from './handler-parts.js';
import { revokeDevice } from './revoking.js';

const MAX_LISTED = 64;

/** Handlers of `device.*` and `session.*`. */
export function deviceHandlers(parts: HandlerParts) {
  const { store, endings } = parts;
  return {
    'device.list': async (_, { caller }) => {
      const rows = await store.devices(caller.account);
      const inUse = rows.filter(({ state }) => state !== 'Revoked');
      const revoked = rows.filter(({ state }) => state === 'Revoked');
      return { devices: [...inUse, ...revoked].slice(0, MAX_LISTED).map(deviceView) };
    },
    'device.revoke': async ({ revocation }, context) => {
      const { caller, connection } = context;
      const bytes = Uint8Array.from(Buffer.from(revocation, 'base64url'));
      const known = await store.revocations(caller.account);
      switch (await revokeDevice(parts, caller, { bytes, known }, connection)) {
        case 'revoked':
          context.become({ ...connection.caller, revocations: [...known, bytes] });
          return {};
        case 'known':
          return refuse('already-done');
        case 'invalid':
          return refuse('bad-request');
        case 'of-another':
          return refuse('forbidden');
        case 'too-many':
          return refuse('quota-reached');
      }
    },
    'session.list': async (_, { caller }) => {
      const rows = await store.sessions(caller.account);
      const sessions = rows.slice(0, MAX_LISTED).map((row) => ({
        session: row.session,
        device: row.device,
        beganAt: row.beganAt,
        endsAt: row.endsAt,
        current: row.session === caller.session,
      }));
      return { sessions };
    },
    'session.end': async (body, { caller, connection }) => {
      const of = { account: caller.account, session: body.session ?? caller.session };
      return (await endings.sessions(of, connection)) > 0 ? {} : refuse('not-found');
    },
  } satisfies Partial<Handlers>;
}

function deviceView({ device, state, enrolledOn, binding }: DeviceRow) {
  const keys = decodeDeviceBinding(binding);
  return { device, state, enrolledOn, notAfter: typeof keys === 'string' ? 0 : keys.notAfterMs };
}

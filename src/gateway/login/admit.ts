/*
 * Carries out who gets in: reads what is stored, decides (admission.ts), writes, and decides again when somebody else
 * was faster.
 */
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { inviteHash } from '../invite-hash.js';
import type { GatewaySettings } from '../settings.js';
import type { Store } from '../store.js';
import { admissionOf, type Admission } from './admission.js';
import type { AuthRecord } from './auth-record.js';
import type { ProvenDevice } from './device-proof.js';
import type { Endings } from './endings.js';
import type { LoginFailure } from './outcomes.js';
import { revokedDevices } from './revoking.js';
import { toDay } from './session-rules.js';

/** Lists of devices have room for as many (messages). */
export const MAX_DEVICES = 64;
/** How often another login of the same account may be faster before this one gives up. */
const TRIES = 4;

/** What admitting needs. */
export interface AdmitContext {
  readonly store: Store;
  readonly backend: CryptoBackend;
  readonly settings: () => GatewaySettings;
  readonly record: AuthRecord;
  readonly endings: Endings;
}

/** A device that has proven itself, and what it showed beside that. */
export interface Applicant {
  readonly proven: ProvenDevice;
  readonly invite: string | undefined;
  /** Devices (base64url) that it says are revoked, by signatures that were verified. */
  readonly revoked: ReadonlySet<string>;
}

/** Undefined: it is in. Else what keeps it out; a code that was used up has let this account in. */
export async function admit(
  context: AdmitContext,
  applicant: Applicant,
  now: number,
): Promise<LoginFailure | undefined> {
  const { proven, invite, revoked } = applicant;
  for (let tries = 0; tries < TRIES; tries++) {
    const { store, settings } = context;
    const admission = admissionOf({
      proven,
      account: await store.account(proven.account),
      devices: await store.devices(proven.account),
      revoked: new Set([...revokedDevices(await store.revocations(proven.account)), ...revoked]),
      hasInvite: invite !== undefined,
      policy: settings().authentication,
    });
    if (typeof admission === 'string') return admission;
    const failure = await writeAccount(context, admission, applicant, now);
    if (failure === 'again') continue;
    if (failure !== undefined) return failure;
    const failed = await writeDevice(context, admission, proven, now);
    if (failed === 'again') continue;
    return failed ?? admission.waits;
  }
  return 'TooManyLogins';
}

async function writeAccount(
  { store, backend, record }: AdmitContext,
  { account }: Admission,
  { proven, invite }: Applicant,
  now: number,
): Promise<'InviteInvalid' | 'again' | undefined> {
  const row = {
    account: proven.account,
    identity: proven.keys.identity.slice(),
    registeredOn: toDay(now),
  };
  if (account.withInvite) {
    const admitted = await store.admitInvited(row, inviteHash(backend, invite ?? ''), now);
    if (admitted === 'invite-invalid') return 'InviteInvalid';
    if (admitted === 'changed') return 'again';
    if (account.write === 'create') record.happened('account.register', proven.account);
    return undefined;
  }
  if (account.write === 'create') {
    const created = await store.createAccount({ ...row, state: account.state });
    if (created) record.happened('account.register', proven.account);
    return created ? undefined : 'again';
  }
  if (account.write === 'activate')
    await store.setAccountState(proven.account, ['Pending'], account.state);
  return undefined;
}

async function writeDevice(
  { store, record, endings }: AdmitContext,
  { device }: Admission,
  proven: ProvenDevice,
  now: number,
): Promise<'TooManyDevices' | 'again' | undefined> {
  // Before new keys are stored: if this process ends in between, they have no approval that was given to others.
  if (device.become !== undefined)
    await store.setDeviceState(proven.account, proven.device, ['Pending', 'Active'], device.become);
  if (device.become === 'Pending')
    await endings.sessions({ account: proven.account, device: proven.device });
  if (device.write === 'nothing') return undefined;
  const { account, device: name, binding } = proven;
  const { serial } = proven.keys;
  const row = {
    account,
    device: name,
    binding,
    serial,
    state: device.state,
    enrolledOn: toDay(now),
  };
  if (await store.putDevice(row, MAX_DEVICES)) {
    record.happened('device.enrol', account);
    return undefined;
  }
  const devices = await store.devices(account);
  const others = devices.filter((known) => known.device !== name && known.state !== 'Revoked');
  return others.length >= MAX_DEVICES ? 'TooManyDevices' : 'again';
}

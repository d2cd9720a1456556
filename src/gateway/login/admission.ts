/*
 * Who gets in, once a device has proven itself: decided from what is stored and what policy says, before anything is
 * written.
 */
import { MAX_REVOCATIONS_PER_ACCOUNT } from '../../protocol/identity/revocation-set.js';
import { equalBytes } from '../../protocol/bytes.js';
import { decodeDeviceBinding } from '../../protocol/identity/device-binding.js';
import type { GatewaySettings } from '../settings.js';
import type { AccountRow, AccountState, DeviceRow, DeviceState } from '../store.js';
import type { ProvenDevice } from './device-proof.js';
import type { LoginFailure } from './outcomes.js';

type Authentication = GatewaySettings['authentication'];

/** What is stored about the account and the device, and what the endpoint showed. */
export interface AdmissionFacts {
  readonly proven: ProvenDevice;
  readonly account: AccountRow | undefined;
  readonly devices: readonly DeviceRow[];
  /** Device ids (base64url) that this account has revoked. */
  readonly revoked: ReadonlySet<string>;
  /** Whether the endpoint showed a code. */
  readonly hasInvite: boolean;
  readonly policy: Pick<Authentication, 'administrators' | 'registration' | 'deviceApproval'>;
}

/** What follows: what is to be written, and whether the endpoint is in. */
export interface Admission {
  readonly account: {
    readonly write: 'nothing' | 'create' | 'activate';
    readonly state: AccountState;
    /** The code is used up before anything is written, and there is no account without it. */
    readonly withInvite: boolean;
  };
  readonly device: {
    readonly write: 'nothing' | 'put';
    /** The state that it has before that is written; absent: it keeps the one it has. */
    readonly become?: 'Pending' | 'Active';
    /** The state that it has then. */
    readonly state: DeviceState;
  };
  /** What keeps it out after all was written: it waits for an administrator. */
  readonly waits?: Extract<LoginFailure, 'AccountAwaitsApproval' | 'DeviceAwaitsApproval'>;
}

/** Decides. A refusal writes nothing. */
export function admissionOf(facts: AdmissionFacts): Admission | LoginFailure {
  const account = admittedAccount(facts);
  if (typeof account === 'string') return account;
  const device = admittedDevice(facts);
  if (typeof device === 'string') return device;
  const waits = waitingFor(account.state, device.state);
  return { account, device, ...(waits === undefined ? {} : { waits }) };
}

/** Whether this account is named in the resource. */
export const isAdministrator = (
  account: string,
  { administrators }: Pick<Authentication, 'administrators'>,
): boolean => administrators.includes(account);

function waitingFor(account: AccountState, device: DeviceState): Admission['waits'] {
  if (account === 'Pending') return 'AccountAwaitsApproval';
  return device === 'Pending' ? 'DeviceAwaitsApproval' : undefined;
}

function admittedAccount(facts: AdmissionFacts): Admission['account'] | LoginFailure {
  const { account, proven, revoked } = facts;
  if (revoked.size > MAX_REVOCATIONS_PER_ACCOUNT || revoked.has(proven.device))
    return 'DeviceRevoked';
  // A lock holds for administrators as well: whoever owns the resource can name another one, who ends it.
  if (account?.state === 'Locked') return 'AccountLocked';
  if (account?.state === 'Active') return { write: 'nothing', state: 'Active', withInvite: false };
  return newAccount(facts);
}

/** One that is not there yet, or waits. */
function newAccount({
  account,
  proven,
  policy,
  hasInvite,
}: AdmissionFacts): Admission['account'] | LoginFailure {
  const write = account === undefined ? 'create' : 'activate';
  // Who is named in the resource waits for nobody: a new gateway has no other administrator who could approve him.
  if (isAdministrator(proven.account, policy) || policy.registration === 'Open')
    return { write, state: 'Active', withInvite: false };
  if (policy.registration === 'Invite' && hasInvite)
    return { write, state: 'Active', withInvite: true };
  if (account !== undefined) return { write: 'nothing', state: 'Pending', withInvite: false };
  if (policy.registration === 'Invite') return 'RegistrationClosed';
  return { write: 'create', state: 'Pending', withInvite: false };
}

function admittedDevice({
  proven,
  devices,
  policy,
}: AdmissionFacts): Admission['device'] | LoginFailure {
  const known = devices.find(({ device }) => device === proven.device);
  const automatic = policy.deviceApproval === 'Automatic';
  if (known !== undefined) return knownDevice(known, proven, automatic);
  return { write: 'put', state: automatic || devices.length === 0 ? 'Active' : 'Pending' };
}

function knownDevice(
  known: DeviceRow,
  proven: ProvenDevice,
  automatic: boolean,
): Admission['device'] | LoginFailure {
  if (known.state === 'Revoked') return 'DeviceRevoked';
  const isRenewal = !equalBytes(known.binding, proven.binding);
  if (isRenewal && proven.keys.serial <= known.serial) return 'BindingOutdated';
  const state = automatic ? 'Active' : approvedState(known, proven, isRenewal);
  const become = state === known.state ? {} : { become: state };
  return { write: isRenewal ? 'put' : 'nothing', state, ...become };
}

/** Approval was given to keys: a new binding of the same name with other keys is another device. */
function approvedState(
  known: DeviceRow,
  proven: ProvenDevice,
  isRenewal: boolean,
): 'Active' | 'Pending' {
  const hasOtherKeys = isRenewal && !hasSameKeys(known, proven);
  return hasOtherKeys || known.state === 'Pending' ? 'Pending' : 'Active';
}

function hasSameKeys(known: DeviceRow, { keys }: ProvenDevice): boolean {
  const before = decodeDeviceBinding(known.binding);
  return (
    typeof before !== 'string' &&
    equalBytes(before.ed25519, keys.ed25519) &&
    equalBytes(before.x25519, keys.x25519)
  );
}

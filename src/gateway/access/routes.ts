/*
 * Every request and what it takes to be answered, as data: a request without a line here does not compile. A test walks
 * request by role by state of the credential and finds one audit record for each act of administration and each denial.
 */
import type { RequestName } from '../../messages/requests.js';
import type { RoleResource, RoleVerb } from '../../policy/roles.js';

/** What one request takes. */
export interface Route {
  /** One of these permissions suffices; `Own` is about the asking account alone and needs none. */
  readonly permission: 'Own' | readonly (readonly [RoleResource, RoleVerb])[];
  /** A second factor must have been proven within STEP_UP_SECONDS. */
  readonly stepUp?: true;
  /** Answered even while policy wants a second factor that the account does not have yet. */
  readonly enrolment?: true;
  /** `Act`: a record for each. `Change`: one for each that succeeded or was denied. `Traffic`: denials only. */
  readonly recorded: 'Act' | 'Change' | 'Traffic';
}

/** How old the proof for a step-up may be (catalogue, S91). */
export const STEP_UP_SECONDS = 300;

const own = { permission: 'Own', recorded: 'Traffic' } as const;
const ownChange = { permission: 'Own', recorded: 'Change' } as const;
const enrolment = { permission: 'Own', recorded: 'Change', enrolment: true } as const;
const act = (resource: RoleResource, verb: RoleVerb): Route => ({
  permission: [[resource, verb]],
  recorded: 'Act',
});

/** To find a peer and be found: whoever may do anything with people. */
const reaching = {
  permission: [
    ['Chat', 'Send'],
    ['Chat', 'Receive'],
    ['Call', 'Start'],
    ['Call', 'Join'],
    ['File', 'Send'],
    ['File', 'Receive'],
    ['Input', 'Send'],
    ['Input', 'Receive'],
  ],
  recorded: 'Traffic',
} as const satisfies Route;
/** To begin something with people. */
const beginning = {
  permission: [
    ['Chat', 'Send'],
    ['Call', 'Start'],
    ['File', 'Send'],
    ['Input', 'Send'],
  ],
  recorded: 'Traffic',
} as const satisfies Route;

/** All routes. */
export const ROUTES: Readonly<Record<RequestName, Route>> = {
  'prekey.publish': reaching,
  'rendezvous.listen': reaching,
  'rendezvous.forget': own,
  'rendezvous.prekey': reaching,
  'envelope.send': reaching,
  'contact.find': beginning,
  'contact.introduce': beginning,
  'relay.choose': reaching,
  'relay.find': reaching,
  'lease.issue': reaching,
  'lease.return': own,
  'grant.issue': own,
  'handshakes.report': own,

  'device.list': own,
  'device.revoke': { ...ownChange, enrolment: true },
  'session.list': own,
  'session.end': { ...ownChange, enrolment: true },
  'step-up.begin': own,
  'step-up.prove': ownChange,
  'factor.list': { ...own, enrolment: true },
  'factor.totp.begin': enrolment,
  'factor.totp.confirm': enrolment,
  'factor.web-authn.begin': enrolment,
  'factor.web-authn.confirm': enrolment,
  'factor.recovery-codes.renew': ownChange,
  'factor.remove': { ...ownChange, stepUp: true },
  // Their handlers ask for a step-up of every account that has a second factor; who has none must not be locked in.
  'account.export': ownChange,
  'account.delete': ownChange,

  'admin.account.list': act('Account', 'Read'),
  'admin.account.approve': act('Account', 'Approve'),
  'admin.account.lock': act('Account', 'Lock'),
  'admin.account.unlock': { ...act('Account', 'Unlock'), stepUp: true },
  'admin.account.delete': { ...act('Account', 'Delete'), stepUp: true },
  'admin.device.list': act('Device', 'Read'),
  'admin.device.pending': act('Device', 'Read'),
  'admin.device.approve': act('Device', 'Approve'),
  'admin.device.revoke': act('Device', 'Revoke'),
  'admin.session.list': act('Session', 'Read'),
  'admin.session.revoke': act('Session', 'Revoke'),
  'admin.factor.reset': { ...act('SecondFactor', 'Reset'), stepUp: true },
  'admin.invite.create': act('Invite', 'Create'),
  'admin.invite.list': act('Invite', 'Read'),
  'admin.invite.revoke': act('Invite', 'Revoke'),
  'admin.lease.list': act('Lease', 'Read'),
  'admin.lease.revoke': act('Lease', 'Revoke'),
  'admin.relay.list': act('Relay', 'Read'),
};

/** Whether a request is an act of administration. */
export const isAdministration = (name: RequestName): boolean => name.startsWith('admin.');

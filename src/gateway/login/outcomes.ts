/*
 * What can become of a login or of a second factor: one table from the reason, as audit records have it, to the label
 * of the metric and to what the endpoint is told.
 */
import type { LoginRefusal } from '../../messages/signaling.js';

/** What proved something. Values of a metric label. */
export const AUTH_METHODS = ['device-key', 'web-authn', 'totp', 'recovery-code'] as const;
/** What proved something. */
export type AuthMethod = (typeof AUTH_METHODS)[number];

/** Why an attempt failed, coarse enough for a metric label; `none` when it did not. */
export const AUTH_REASON_LABELS = [
  'none',
  'wrong-host',
  'wrong-channel',
  'invalid-binding',
  'invalid-signature',
  'rate-limited',
  'not-admitted',
  'revoked',
  'locked',
  'invalid-proof',
  'replayed-proof',
  'cloned-key',
] as const;
/** A value of the metric label `reason`. */
export type AuthReasonLabel = (typeof AUTH_REASON_LABELS)[number];

interface Failure {
  readonly label: Exclude<AuthReasonLabel, 'none'>;
  readonly refusal: LoginRefusal;
}

const failure = (label: Failure['label'], refusal: LoginRefusal): Failure => ({ label, refusal });

/** Every reason for which a login fails, as audit records name it. */
export const LOGIN_FAILURES = {
  // Before a valid device signature: one answer.
  UnexpectedMessage: failure('invalid-proof', 'login-failed'),
  ChallengeExpired: failure('replayed-proof', 'login-failed'),
  WrongHost: failure('wrong-host', 'login-failed'),
  WrongChannel: failure('wrong-channel', 'login-failed'),
  InvalidBinding: failure('invalid-binding', 'login-failed'),
  InvalidSignature: failure('invalid-signature', 'login-failed'),
  TooManyFailures: failure('rate-limited', 'too-many-logins'),
  // After it: the holder of the device key is told.
  InvalidRevocation: failure('invalid-binding', 'login-failed'),
  AuditUnavailable: failure('not-admitted', 'unavailable'),
  BindingOutdated: failure('invalid-binding', 'binding-outdated'),
  TooManyLogins: failure('rate-limited', 'too-many-logins'),
  TooManyConnections: failure('rate-limited', 'too-many-connections'),
  AccountAwaitsApproval: failure('not-admitted', 'account-awaits-approval'),
  DeviceAwaitsApproval: failure('not-admitted', 'device-awaits-approval'),
  TooManyDevices: failure('not-admitted', 'too-many-devices'),
  RegistrationClosed: failure('not-admitted', 'registration-closed'),
  InviteInvalid: failure('not-admitted', 'invite-invalid'),
  DeviceRevoked: failure('revoked', 'device-revoked'),
  AccountLocked: failure('locked', 'account-locked'),
  LockedOut: failure('locked', 'account-locked'),
  NoSecondFactor: failure('not-admitted', 'no-second-factor'),
  InvalidProof: failure('invalid-proof', 'second-factor-failed'),
  ReplayedProof: failure('replayed-proof', 'second-factor-failed'),
  ClonedKey: failure('cloned-key', 'second-factor-failed'),
} as const satisfies Readonly<Record<string, Failure>>;

/** Why a login failed, as audit records name it. */
export type LoginFailure = keyof typeof LOGIN_FAILURES;

/** Why a proof of a second factor failed. */
export type ProofFailure = Extract<
  LoginFailure,
  'InvalidProof' | 'ReplayedProof' | 'ClonedKey' | 'LockedOut'
>;

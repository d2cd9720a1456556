/*
 * What the interfaces of the seed are called here, both ways where they mean the same. That this file compiles is the
 * test: a type of ours that drifts away from the seed's is an error in it.
 */
import { publishedType, type AuditEntry, type AuditPersonal } from '../../src/audit/record.js';
import type { GatewayEntry, Identity } from '../../src/client/endpoint.library.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import type { AccessRoleMfa } from '../../src/kinds/access-role.gen.js';
import type {
  AuditLog,
  AuthenticationMethods,
  FederatedNetwork,
  ReformsIdentity,
  SecurityMonitoring,
} from './interfaces.js';

/** Compiles only if `A` and `B` are one type. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

/** The four classes of published records are those of the seed, and so are the outcomes. */
export const SAME_CLASSES: Same<AuditLog['eventType'], ReturnType<typeof publishedType>> = true;
export const SAME_OUTCOMES: Same<AuditLog['outcome'], AuditEntry['outcome']> = true;
/** What the seed promises never to log, no record of ours has either. */
export const SAME_SILENCE: Same<
  Pick<AuditLog, 'messageContent' | 'fileContent'>,
  { -readonly [Name in 'messageContent' | 'fileContent']?: AuditEntry[Name] }
> = true;

/** An identity as the seed shows it, but for the private key: ours signs and gives it to nobody. */
export const identityOf = (identity: Identity): Omit<ReformsIdentity, 'privateKey'> => ({
  publicKey: identity.account,
  mnemonic: identity.phrase() ?? '',
  fingerprint: identity.fingerprint,
});

/** A record as the seed shows it. Pseudonymous, not anonymous; the personal part is sealed, or not there. */
export function auditLogOf(entry: AuditEntry, personal: AuditPersonal = {}): AuditLog {
  const { ip = '', userAgent = '', geo } = personal;
  return {
    timestamp: entry.ts,
    eventType: publishedType(entry.type),
    userId: entry.actor.pid,
    action: entry.action,
    resource: entry.resource?.name ?? '',
    outcome: entry.outcome,
    metadata: {
      ipAddress: ip,
      userAgent,
      ...(geo === undefined ? {} : { geoLocation: geo }),
    },
  };
}

/** The servers of the seed as the client's list of gateways. A gateway has one path, so that a list names none. */
export const gatewaysOf = (
  { signalingServers }: FederatedNetwork,
  pins: readonly string[],
): readonly GatewayEntry[] =>
  signalingServers.map((server) => ({ url: `wss://${new URL(server).host}`, pins }));

/** The second factors of the seed as settings name them. A fingerprint or a face unlocks a WebAuthn key. */
export const FACTORS: Readonly<Record<AuthenticationMethods['secondary'][number], string>> = {
  'hardware-security-key': 'WebAuthn',
  'time-based-otp': 'Totp',
  'sms-verification': 'Sms',
  'biometric-auth': 'WebAuthn',
};

/** `adminAccess` of the seed, as a role says it. */
export const ADMIN_ACCESS: Readonly<
  Record<AuthenticationMethods['policies']['adminAccess'], AccessRoleMfa>
> = { 'hardware-key-required': { required: true, hardwareKeyRequired: true } };

/** `newDeviceRegistration` of the seed, as settings say it. */
export const NEW_DEVICES: Readonly<
  Record<
    AuthenticationMethods['policies']['newDeviceRegistration'],
    GatewaySettings['authentication']['deviceApproval']
  >
> = { 'admin-approval-required': 'Administrator' };

/** `automaticLockout` of the seed, in attempts. */
export const LOCKOUT_ATTEMPTS: Readonly<
  Record<SecurityMonitoring['incidentResponse']['automaticLockout'], number>
> = { 'after-5-failed-attempts': 5 };

declare const entry: AuditEntry;

/** What must not compile. */
export const NEVER = (): readonly unknown[] => [
  // @ts-expect-error a record never holds what somebody wrote
  { ...auditLogOf(entry), messageContent: 'hello' } satisfies AuditLog,
  // @ts-expect-error nor does an entry
  { ...entry, messageContent: 'hello' } satisfies AuditEntry,
  // @ts-expect-error nor is there a fifth class
  { ...auditLogOf(entry), eventType: 'chat' } satisfies AuditLog,
];

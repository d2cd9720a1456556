// Written by `npm run generate` from crds/access-roles.yaml. Do not edit.
import type { Metadata } from './metadata.js';

/** How the API server knows AccessRole. */
export const ACCESS_ROLE = {
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'AccessRole',
  plural: 'accessroles',
  schemaRevision: 1,
} as const;

/**
 * An AccessRole says what its subjects may do on a gateway; what no role allows is denied. Schema
 * revision 1.
 */
export type AccessRole = {
  readonly apiVersion: 'sallyport.dev/v1alpha1';
  readonly kind: 'AccessRole';
  readonly metadata: Metadata;
  readonly spec: AccessRoleSpec;
  readonly status?: AccessRoleStatus;
};

/**
 * What the role allows. Every change reaches running gateways as a signed policy bundle and
 * restarts nothing.
 */
export interface AccessRoleSpec {
  /**
   * The SignalingGateways of this namespace to which this applies: either names or selector.
   * Changes live.
   */
  readonly gateways: AccessRoleGateways;
  /** What is allowed; everything else is denied. */
  readonly permissions: readonly AccessRolePermission[];
  /** What subjects must show beside their identity key. */
  readonly mfa: AccessRoleMfa;
  /** When a login of a subject ends; only ever earlier than the gateway says. */
  readonly sessions?: AccessRoleSessions;
  /**
   * What is recorded about subjects: Minimal, Standard or Maximum; never content. Unset means the
   * gateway's level; what a policy demands of the gateway holds in any case.
   */
  readonly auditLevel?: 'Minimal' | 'Standard' | 'Maximum';
  /** Limits of file transfers. Unset means none beyond the gateway's. */
  readonly files?: AccessRoleFiles;
  /** Limits of calls. Unset means those that follow. */
  readonly calls: AccessRoleCalls;
  /**
   * Who has the role: Listed (the accounts in subjects) or Everyone (every registered account, for
   * what guests may do). The CRD's default is Listed.
   */
  readonly assignment: 'Listed' | 'Everyone';
  /**
   * Fingerprints of the accounts that have the role. Unset means nobody yet. As sallyport id shows
   * them.
   */
  readonly subjects?: readonly string[];
  /** When the role ends for all subjects (RFC 3339, UTC). Unset means never. */
  readonly expiresAt?: string;
  /**
   * Names of AccessRoles of this namespace that nobody may have together with this one (segregation
   * of duties). Unset means none.
   */
  readonly conflictsWith?: readonly string[];
}

/**
 * The SignalingGateways of this namespace to which this applies: either names or selector. Changes
 * live.
 */
export interface AccessRoleGateways {
  /** Names of SignalingGateways. Unset means that selector chooses. */
  readonly names?: readonly string[];
  /** Chooses SignalingGateways by their labels. Unset means that names chooses. */
  readonly selector?: AccessRoleGatewaysSelector;
}

/** Chooses SignalingGateways by their labels. Unset means that names chooses. */
export interface AccessRoleGatewaysSelector {
  /** Labels that a SignalingGateway must have; an empty map chooses all of the namespace. */
  readonly matchLabels: Readonly<Record<string, string>>;
}

/**  */
export interface AccessRolePermission {
  /**
   * What the permission is about: Chat, Call, File and Input between people; Account, Device,
   * Session, SecondFactor, Invite, Lease, Relay and AuditRecord for administration.
   */
  readonly resource:
    | 'Chat'
    | 'Call'
    | 'File'
    | 'Input'
    | 'Account'
    | 'Device'
    | 'Session'
    | 'SecondFactor'
    | 'Invite'
    | 'Lease'
    | 'Relay'
    | 'AuditRecord';
  /**
   * What may be done. Chat, File, Input: Send, Receive. Call: Start, Join. Account: Read, Approve,
   * Lock, Unlock, Delete. Device: Read, Approve, Revoke. Session and Lease: Read, Revoke.
   * SecondFactor: Read, Reset. Invite: Create, Read, Revoke. Relay: Read. AuditRecord: Read,
   * Export.
   */
  readonly verbs: readonly (
    | 'Send'
    | 'Receive'
    | 'Start'
    | 'Join'
    | 'Create'
    | 'Read'
    | 'Approve'
    | 'Lock'
    | 'Unlock'
    | 'Revoke'
    | 'Reset'
    | 'Delete'
    | 'Export'
  )[];
  /** When the permission holds; all must be met. Unset means always. */
  readonly conditions?: AccessRolePermissionConditions;
}

/** When the permission holds; all must be met. Unset means always. */
export interface AccessRolePermissionConditions {
  /** Client networks in CIDR notation. Unset means any. For example 10.20.0.0/16. */
  readonly sourceCidrs?: readonly string[];
  /**
   * The second factor was given at most this many seconds ago. Unset means at login, where one is
   * asked.
   */
  readonly secondFactorWithinSeconds?: number;
}

/** What subjects must show beside their identity key. */
export interface AccessRoleMfa {
  /** Whether every login of a subject needs a second factor. The CRD's default is false. */
  readonly required: boolean;
  /**
   * Second factors that count for this role: WebAuthn and Totp. Unset means those of the gateway.
   */
  readonly allowed?: readonly ('WebAuthn' | 'Totp')[];
  /** Whether the second factor must be a roaming security key. The CRD's default is false. */
  readonly hardwareKeyRequired: boolean;
}

/** When a login of a subject ends; only ever earlier than the gateway says. */
export interface AccessRoleSessions {
  /** Seconds without a message after which a session ends. Unset means the gateway's value. */
  readonly idleTimeoutSeconds?: number;
  /** Seconds after login at which a session ends in any case. Unset means the gateway's value. */
  readonly absoluteTimeoutSeconds?: number;
}

/** Limits of file transfers. Unset means none beyond the gateway's. */
export interface AccessRoleFiles {
  /** Largest file, in bytes (100 MB are 100000000). Unset means no limit. */
  readonly maxBytes?: number;
  /**
   * File name endings that are allowed; the content must match, too. Unset means every type. For
   * example .pdf.
   */
  readonly allowedTypes?: readonly string[];
  /**
   * Whether the receiver scans a file before it is released; without a scanner it stays locked. The
   * CRD's default is false.
   */
  readonly scan: boolean;
}

/** Limits of calls. Unset means those that follow. */
export interface AccessRoleCalls {
  /** How many people a call has at most. The CRD's default is 50. */
  readonly maxParticipants: number;
  /**
   * Forbidden, or EncryptedLocalOnly (on the endpoint, encrypted, and the others are told). Servers
   * never record. The CRD's default is Forbidden.
   */
  readonly recording: 'Forbidden' | 'EncryptedLocalOnly';
  /**
   * Whether people of other gateways may join: Forbidden, AdminApproval (they wait in a lobby) or
   * Allowed. The CRD's default is Forbidden.
   */
  readonly externalParticipants: 'Forbidden' | 'AdminApproval' | 'Allowed';
}

/** What the operator has observed and done. */
export interface AccessRoleStatus {
  /**
   * The metadata.generation that the operator has acted on; -1 until it has seen the resource. The
   * CRD's default is -1.
   */
  readonly observedGeneration: number;
  /**
   * What holds for this resource now. Ready, Reconciling and Stalled come first (kstatus), then the
   * kind's own.
   */
  readonly conditions: readonly AccessRoleStatusCondition[];
  /** Gateways whose policy bundle has the role. */
  readonly gateways?: readonly AccessRoleStatusGateway[];
  /**
   * Present while the annotation sallyport.dev/paused-until holds changes back. Certificates, keys
   * and health go on.
   */
  readonly paused?: AccessRoleStatusPaused;
}

/**  */
export interface AccessRoleStatusCondition {
  /** What the condition is about, in CamelCase. */
  readonly type: string;
  /** Whether it holds. */
  readonly status: 'True' | 'False' | 'Unknown';
  /** The metadata.generation to which this refers. */
  readonly observedGeneration: number;
  /** When status last changed. */
  readonly lastTransitionTime: string;
  /** Why, in CamelCase, from a closed list (docs/api). */
  readonly reason: string;
  /** What holds and what to change; never a secret. */
  readonly message: string;
}

/**  */
export interface AccessRoleStatusGateway {
  /** Name of the SignalingGateway. */
  readonly name: string;
  /** Serial of the bundle that has the role. */
  readonly serial: number;
}

/**
 * Present while the annotation sallyport.dev/paused-until holds changes back. Certificates, keys
 * and health go on.
 */
export interface AccessRoleStatusPaused {
  /** When the pause ends by itself. */
  readonly until: string;
  /** Whether changes wait for the end of the pause; status.plan lists them. */
  readonly pendingChanges: boolean;
}

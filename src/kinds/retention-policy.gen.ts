// Written by `npm run generate` from crds/retention-policies.yaml. Do not edit.
import type { Metadata } from './metadata.js';

/** How the API server knows RetentionPolicy. */
export const RETENTION_POLICY = {
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'RetentionPolicy',
  plural: 'retentionpolicies',
  schemaRevision: 1,
} as const;

/**
 * A RetentionPolicy says how long each class of data lives, at least and at most. Messages and
 * files are never stored, so there is no class for them. Schema revision 1.
 */
export type RetentionPolicy = {
  readonly apiVersion: 'sallyport.dev/v1alpha1';
  readonly kind: 'RetentionPolicy';
  readonly metadata: Metadata;
  readonly spec: RetentionPolicySpec;
  readonly status?: RetentionPolicyStatus;
};

/**
 * What is kept how long. Every change becomes a section of the gateway's settings and restarts
 * nothing. Several policies on one gateway combine to the longest at-least and the shortest
 * at-most; where they cross, a condition names both and nothing is deleted.
 */
export interface RetentionPolicySpec {
  /**
   * The SignalingGateways of this namespace to which this applies: either names or selector.
   * Changes live.
   */
  readonly gateways: RetentionPolicyGateways;
  /** One pair of limits per class of data; at least one class. */
  readonly classes: RetentionPolicyClasses;
  /** How data is deleted. */
  readonly secureDeletion: RetentionPolicySecureDeletion;
  /** Suspends every deletion on the gateways of this policy. Unset means no hold. */
  readonly legalHold?: RetentionPolicyLegalHold;
}

/**
 * The SignalingGateways of this namespace to which this applies: either names or selector. Changes
 * live.
 */
export interface RetentionPolicyGateways {
  /** Names of SignalingGateways. Unset means that selector chooses. */
  readonly names?: readonly string[];
  /** Chooses SignalingGateways by their labels. Unset means that names chooses. */
  readonly selector?: RetentionPolicyGatewaysSelector;
}

/** Chooses SignalingGateways by their labels. Unset means that names chooses. */
export interface RetentionPolicyGatewaysSelector {
  /** Labels that a SignalingGateway must have; an empty map chooses all of the namespace. */
  readonly matchLabels: Readonly<Record<string, string>>;
}

/** One pair of limits per class of data; at least one class. */
export interface RetentionPolicyClasses {
  /**
   * Accounts: identity key, state and role assignments. Unset means that this policy says nothing
   * about them.
   */
  readonly account?: RetentionPolicyClassesAccount;
  /** Enrolled devices and their bindings. Unset means that this policy says nothing about them. */
  readonly device?: RetentionPolicyClassesDevice;
  /**
   * Logins; a session that ended is kept no longer than this. Unset means that this policy says
   * nothing about them.
   */
  readonly session?: RetentionPolicyClassesSession;
  /**
   * What signaling leaves behind: coarse times and counters, never who met whom. Unset means that
   * this policy says nothing about them.
   */
  readonly signalingMetadata?: RetentionPolicyClassesSignalingMetadata;
  /**
   * Audit records without their personal part. Unset means that this policy says nothing about
   * them.
   */
  readonly auditSkeleton?: RetentionPolicyClassesAuditSkeleton;
  /**
   * Personal part of audit records, sealed per subject. Unset means that this policy says nothing
   * about them.
   */
  readonly auditPersonal?: RetentionPolicyClassesAuditPersonal;
  /** Encrypted backups. Unset means that this policy says nothing about them. */
  readonly backup?: RetentionPolicyClassesBackup;
}

/**
 * Accounts: identity key, state and role assignments. Unset means that this policy says nothing
 * about them.
 */
export interface RetentionPolicyClassesAccount {
  /** Not deleted before this age, in seconds. Unset means no lower limit. */
  readonly atLeastSeconds?: number;
  /** Deleted at this age, in seconds. Unset means no upper limit. */
  readonly atMostSeconds?: number;
}

/** Enrolled devices and their bindings. Unset means that this policy says nothing about them. */
export interface RetentionPolicyClassesDevice {
  /** Not deleted before this age, in seconds. Unset means no lower limit. */
  readonly atLeastSeconds?: number;
  /** Deleted at this age, in seconds. Unset means no upper limit. */
  readonly atMostSeconds?: number;
}

/**
 * Logins; a session that ended is kept no longer than this. Unset means that this policy says
 * nothing about them.
 */
export interface RetentionPolicyClassesSession {
  /** Not deleted before this age, in seconds. Unset means no lower limit. */
  readonly atLeastSeconds?: number;
  /** Deleted at this age, in seconds. Unset means no upper limit. */
  readonly atMostSeconds?: number;
}

/**
 * What signaling leaves behind: coarse times and counters, never who met whom. Unset means that
 * this policy says nothing about them.
 */
export interface RetentionPolicyClassesSignalingMetadata {
  /** Not deleted before this age, in seconds. Unset means no lower limit. */
  readonly atLeastSeconds?: number;
  /** Deleted at this age, in seconds. Unset means no upper limit. */
  readonly atMostSeconds?: number;
}

/**
 * Audit records without their personal part. Unset means that this policy says nothing about them.
 */
export interface RetentionPolicyClassesAuditSkeleton {
  /** Not deleted before this age, in seconds. Unset means no lower limit. */
  readonly atLeastSeconds?: number;
  /** Deleted at this age, in seconds. Unset means no upper limit. */
  readonly atMostSeconds?: number;
}

/**
 * Personal part of audit records, sealed per subject. Unset means that this policy says nothing
 * about them.
 */
export interface RetentionPolicyClassesAuditPersonal {
  /** Not deleted before this age, in seconds. Unset means no lower limit. */
  readonly atLeastSeconds?: number;
  /** Deleted at this age, in seconds. Unset means no upper limit. */
  readonly atMostSeconds?: number;
}

/** Encrypted backups. Unset means that this policy says nothing about them. */
export interface RetentionPolicyClassesBackup {
  /** Not deleted before this age, in seconds. Unset means no lower limit. */
  readonly atLeastSeconds?: number;
  /** Deleted at this age, in seconds. Unset means no upper limit. */
  readonly atMostSeconds?: number;
}

/** How data is deleted. */
export interface RetentionPolicySecureDeletion {
  /**
   * Whether the subject's key is destroyed, so that copies in backups become unreadable as well.
   * The CRD's default is true.
   */
  readonly cryptographicErasure: boolean;
  /** Whether each deletion leaves a receipt in the audit log. The CRD's default is true. */
  readonly receipts: boolean;
}

/** Suspends every deletion on the gateways of this policy. Unset means no hold. */
export interface RetentionPolicyLegalHold {
  /** When the hold ends by itself (RFC 3339, UTC). */
  readonly until: string;
  /**
   * Why, for those who read status and audit records, for example a case number. Never personal
   * data or a secret.
   */
  readonly reason: string;
}

/** What the operator has observed and done. */
export interface RetentionPolicyStatus {
  /**
   * The metadata.generation that the operator has acted on; -1 until it has seen the resource. The
   * CRD's default is -1.
   */
  readonly observedGeneration: number;
  /**
   * What holds for this resource now. Ready, Reconciling and Stalled come first (kstatus), then the
   * kind's own.
   */
  readonly conditions: readonly RetentionPolicyStatusCondition[];
  /** Gateways to which the policy applies. */
  readonly gateways?: readonly RetentionPolicyStatusGateway[];
  /** The limits in force per gateway and class, of all policies together. */
  readonly effective?: readonly RetentionPolicyStatusEffectiveItem[];
  /**
   * Present while the annotation sallyport.dev/paused-until holds changes back. Certificates, keys
   * and health go on.
   */
  readonly paused?: RetentionPolicyStatusPaused;
}

/**  */
export interface RetentionPolicyStatusCondition {
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
export interface RetentionPolicyStatusGateway {
  /** Name of the SignalingGateway. */
  readonly name: string;
  /** Whether its settings contain the limits. */
  readonly applied: boolean;
}

/**  */
export interface RetentionPolicyStatusEffectiveItem {
  /** Name of the SignalingGateway. */
  readonly gateway: string;
  /** Class of data. */
  readonly class:
    | 'account'
    | 'device'
    | 'session'
    | 'signalingMetadata'
    | 'auditSkeleton'
    | 'auditPersonal'
    | 'backup';
  /** Not deleted before this age, in seconds. */
  readonly atLeastSeconds?: number;
  /** The RetentionPolicy that says so. */
  readonly atLeastSource?: string;
  /** Deleted at this age, in seconds. */
  readonly atMostSeconds?: number;
  /** The RetentionPolicy that says so. */
  readonly atMostSource?: string;
  /** Whether the two limits cross, so that nothing is deleted. */
  readonly conflict: boolean;
}

/**
 * Present while the annotation sallyport.dev/paused-until holds changes back. Certificates, keys
 * and health go on.
 */
export interface RetentionPolicyStatusPaused {
  /** When the pause ends by itself. */
  readonly until: string;
  /** Whether changes wait for the end of the pause; status.plan lists them. */
  readonly pendingChanges: boolean;
}

/*
 * The documented defaults of every field that a CompliancePolicy can constrain. The CRDs have none for them: a
 * default written by the API server could not be told from a choice. This is the only place where they stand.
 */

/** A peer of `networkPolicy.extraEgress`; src/policy passes it through. */
export interface DeclaredPeer {
  readonly cidr?: string;
  readonly namespace?: string;
  readonly podLabels?: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly port: number; readonly protocol?: 'TCP' | 'UDP' }[];
}

/** The constrainable part of a SignalingGateway's spec, with every value that has a default. */
export interface GatewayValues {
  readonly audit: {
    readonly level: 'Minimal' | 'Standard' | 'Maximum';
    readonly onFailure: 'Block' | 'DenyNewSessions' | 'BufferEncrypted';
  };
  readonly authentication: {
    readonly administrators: readonly string[];
    readonly deviceApproval: 'Automatic' | 'Administrator';
    readonly lockout: {
      readonly maxAttempts: number;
      readonly windowSeconds: number;
      readonly durationSeconds: number;
    };
    readonly registration: 'Approval' | 'Invite' | 'Open';
    readonly secondFactors: {
      readonly allowed: readonly string[];
      readonly requiredFor: 'Nobody' | 'Administrators' | 'Everyone';
    };
    readonly sessions: {
      readonly idleTimeoutSeconds: number;
      readonly absoluteTimeoutSeconds: number;
    };
  };
  readonly hardening: {
    readonly appArmor?: 'RuntimeDefault';
    readonly runtimeClassName?: string;
    readonly strictSupplementalGroups: boolean;
    readonly userNamespaces: boolean;
  };
  readonly keyRotation: { readonly everySeconds: number; readonly overlapSeconds: number };
  readonly leases: { readonly lifetimeSeconds: number };
  readonly networkPolicy: { readonly extraEgress: readonly DeclaredPeer[] };
  readonly observability: { readonly logLevel: 'Error' | 'Warn' | 'Info' | 'Debug' };
  readonly rateLimits: {
    readonly connectionsPerAddressPerMinute: number;
    readonly connectionsPerSecond: number;
    readonly failedLoginsPerAddressPerMinute: number;
    readonly firstContactsPerAccountPerHour: number;
    readonly liveLeasesPerAccount: number;
    readonly loginsPerAccountPerHour: number;
    readonly messagesPerSessionPerSecond: number;
    readonly socketsPerAccount: number;
  };
  readonly scheduling: { readonly regions: readonly string[] };
}

/** Defaults of a SignalingGateway. A constrainable field that is absent here is off unless it is set. */
export const GATEWAY_DEFAULTS: GatewayValues = {
  audit: { level: 'Standard', onFailure: 'DenyNewSessions' },
  authentication: {
    administrators: [],
    deviceApproval: 'Automatic',
    lockout: { maxAttempts: 5, windowSeconds: 900, durationSeconds: 1800 },
    registration: 'Approval',
    secondFactors: { allowed: ['WebAuthn', 'Totp'], requiredFor: 'Administrators' },
    sessions: { idleTimeoutSeconds: 1800, absoluteTimeoutSeconds: 43_200 },
  },
  hardening: { strictSupplementalGroups: false, userNamespaces: false },
  keyRotation: { everySeconds: 86_400, overlapSeconds: 1800 },
  leases: { lifetimeSeconds: 600 },
  networkPolicy: { extraEgress: [] },
  observability: { logLevel: 'Info' },
  rateLimits: {
    connectionsPerAddressPerMinute: 60,
    connectionsPerSecond: 200,
    failedLoginsPerAddressPerMinute: 20,
    firstContactsPerAccountPerHour: 20,
    liveLeasesPerAccount: 8,
    loginsPerAccountPerHour: 60,
    messagesPerSessionPerSecond: 50,
    socketsPerAccount: 8,
  },
  scheduling: { regions: [] },
};

/** Fields of sections above that no policy can constrain; they are not values of this folder. */
export const NOT_CONSTRAINABLE: ReadonlySet<string> = new Set([
  'networkPolicy.extraIngress',
  'networkPolicy.monitoringNamespace',
  'observability.serviceMonitor',
  'observability.rules',
  'observability.dashboard',
  'scheduling.nodeSelector',
  'scheduling.tolerations',
  'scheduling.priorityClassName',
]);

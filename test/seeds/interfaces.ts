/*
 * The interfaces of the second seed, word for word, with the indentation that its text lost; and a value of each. What the
 * seed names and does not define is what it is here.
 */
import type { AuditEntry } from '../../src/audit/record.js';
import type { Identity } from '../../src/client/identity/identity.js';

/** 32 bytes. */
export type Ed25519PublicKey = Identity['account'];
/** 32 bytes; an endpoint's library gives it to nobody. */
export type Ed25519PrivateKey = Uint8Array;
export type BIP39Phrase = NonNullable<ReturnType<Identity['phrase']>>;
export type HashedIdentifier = AuditEntry['actor']['pid'];
export type ISO8601Timestamp = AuditEntry['ts'];

// prettier-ignore
// Self-sovereign identity using Ed25519 + BIP39
export interface ReformsIdentity {
  publicKey: Ed25519PublicKey; // 32 bytes, public identity
  privateKey: Ed25519PrivateKey; // 32 bytes, never leaves device
  mnemonic: BIP39Phrase; // 12-24 words, user-controlled backup
  fingerprint: string; // Human-readable identity verification
}

// prettier-ignore
export interface FederatedNetwork {
  // Multiple signaling endpoints
  signalingServers: [
    "wss://your-company.com/signaling",
    "wss://partner-org.com/signaling",
    "wss://backup-server.com/signaling"
  ];
  // Trust relationships
  trustedDomains: [
    "your-company.com",
    "trusted-partner.org"
  ];
  // Isolation policies
  isolationRules: {
    "internal-only": ["your-company.com"],
    "partner-access": ["your-company.com", "trusted-partner.org"],
    "public-access": ["*"]
  };
}

// prettier-ignore
export interface AuthenticationMethods {
  primary: "self-sovereign-identity";
  secondary: [
    "hardware-security-key", // FIDO2/WebAuthn
    "time-based-otp", // TOTP (Google Authenticator)
    "sms-verification", // SMS backup (not recommended)
    "biometric-auth" // Fingerprint/Face ID
  ];
  policies: {
    adminAccess: "hardware-key-required";
    sensitiveOperations: "mfa-required";
    newDeviceRegistration: "admin-approval-required";
  };
}

// prettier-ignore
export interface AuditLog {
  timestamp: ISO8601Timestamp;
  eventType: "authentication" | "authorization" | "data-access" | "system-change";
  userId: HashedIdentifier; // Anonymous but traceable
  action: string; // What happened
  resource: string; // What was accessed
  outcome: "success" | "failure";
  metadata: {
    ipAddress: string;
    userAgent: string;
    geoLocation?: string;
    riskScore?: number;
  };
  // Content never logged
  messageContent?: never;
  fileContent?: never;
  conversationData?: never;
}

// prettier-ignore
export interface SecurityMonitoring {
  threatDetection: {
    // Behavioral analysis
    unusualLoginPatterns: boolean;
    suspiciousFileTransfers: boolean;
    abnormalNetworkTraffic: boolean;
    // Technical indicators
    bruteForceAttempts: boolean;
    certificateAnomalies: boolean;
    encryptionFailures: boolean;
  };
  incidentResponse: {
    automaticLockout: "after-5-failed-attempts";
    adminNotification: "immediate";
    forensicLogging: "enhanced-detail";
    quarantineProtocol: "isolate-affected-systems";
  };
}

/** The only value that the type has: the seed writes values where types stand. */
export const NETWORK: FederatedNetwork = {
  signalingServers: [
    'wss://your-company.com/signaling',
    'wss://partner-org.com/signaling',
    'wss://backup-server.com/signaling',
  ],
  trustedDomains: ['your-company.com', 'trusted-partner.org'],
  isolationRules: {
    'internal-only': ['your-company.com'],
    'partner-access': ['your-company.com', 'trusted-partner.org'],
    'public-access': ['*'],
  },
};

/** As above. */
export const METHODS: AuthenticationMethods = {
  primary: 'self-sovereign-identity',
  secondary: ['hardware-security-key', 'time-based-otp', 'sms-verification', 'biometric-auth'],
  policies: {
    adminAccess: 'hardware-key-required',
    sensitiveOperations: 'mfa-required',
    newDeviceRegistration: 'admin-approval-required',
  },
};

/** Everything is watched. */
export const MONITORING: SecurityMonitoring = {
  threatDetection: {
    unusualLoginPatterns: true,
    suspiciousFileTransfers: true,
    abnormalNetworkTraffic: true,
    bruteForceAttempts: true,
    certificateAnomalies: true,
    encryptionFailures: true,
  },
  incidentResponse: {
    automaticLockout: 'after-5-failed-attempts',
    adminNotification: 'immediate',
    forensicLogging: 'enhanced-detail',
    quarantineProtocol: 'isolate-affected-systems',
  },
};

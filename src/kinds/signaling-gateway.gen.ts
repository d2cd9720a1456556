// Written by `npm run generate` from crds/signaling-gateways.yaml. Do not edit.
import type { Metadata } from './metadata.js';

/** How the API server knows SignalingGateway. */
export const SIGNALING_GATEWAY = {
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'SignalingGateway',
  plural: 'signalinggateways',
  schemaRevision: 1,
} as const;

/** A SignalingGateway is where clients log in and find each other. Schema revision 1. */
export type SignalingGateway = {
  readonly apiVersion: 'sallyport.dev/v1alpha1';
  readonly kind: 'SignalingGateway';
  readonly metadata: Metadata;
  readonly spec: SignalingGatewaySpec;
  readonly status?: SignalingGatewayStatus;
};

/** What the gateway is to be. */
export interface SignalingGatewaySpec {
  /**
   * DNS names under which clients dial this gateway; the certificate must cover them, and a login
   * is bound to one of them. Changes live. For example chat.example.com.
   */
  readonly hosts: readonly string[];
  /** The socket that clients reach. TLS 1.3 always; there is no setting for less. */
  readonly listener: SignalingGatewayListener;
  /**
   * How clients outside the pod network reach the pods. Changes live. Never a host port or a
   * NodePort.
   */
  readonly exposure: SignalingGatewayExposure;
  /**
   * A trusted Ingress that ends TLS and encrypts again to the gateway, which then accepts
   * connections from trustedProxies only. Unset means that clients reach the gateway itself.
   * Changes live.
   */
  readonly ingress?: SignalingGatewayIngress;
  /**
   * Number of pods. Unset means 1 with Embedded storage, else 2; nothing is written while
   * autoscaling is set. Changes live.
   */
  readonly replicas?: number;
  /**
   * A HorizontalPodAutoscaler decides the number of pods; handing over and back drops none. Unset
   * means replicas. Changes live.
   */
  readonly autoscaling?: SignalingGatewayAutoscaling;
  /**
   * Web origins whose pages may open a connection. Unset means none: only programs without an
   * Origin header connect. Changes live. For example https://app.example.com.
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * Proxies whose X-Forwarded-For is believed. Unset means that the header is ignored. Changes
   * live.
   */
  readonly trustedProxies?: SignalingGatewayTrustedProxies;
  /**
   * How much one client, one account and everybody together may ask for. None can be switched off.
   * Changes live. A policy can lower each.
   */
  readonly rateLimits?: SignalingGatewayRateLimits;
  /**
   * Who gets in. The account is an Ed25519 identity key; there is no password. Changes live. A
   * policy can tighten each setting.
   */
  readonly authentication?: SignalingGatewayAuthentication;
  /**
   * RelayPools whose relays clients of this gateway use; each pool must also allow this gateway.
   * Unset means every pool of this namespace. Changes live.
   */
  readonly relayPools?: readonly SignalingGatewayRelayPool[];
  /** Permissions to use a relay. Changes live, for new leases. A policy can shorten them. */
  readonly leases?: SignalingGatewayLeases;
  /** How often the keys that sign leases are replaced. Changes live. A policy can shorten it. */
  readonly keyRotation?: SignalingGatewayKeyRotation;
  /** Where accounts, devices and sessions are kept. */
  readonly storage: SignalingGatewayStorage;
  /** How replicas pass messages to each other. A change rolls the pods. */
  readonly bus: SignalingGatewayBus;
  /** What is recorded about use; never content. Changes live. A policy can raise it. */
  readonly audit?: SignalingGatewayAudit;
  /**
   * The set of algorithms; its name is in handshake, lease and registration, so that two never mix.
   * Immutable. The CRD's default is Standard.
   */
  readonly cryptoProfile: 'Standard';
  /**
   * What the pods may talk to beyond what the operator knows. Everything else is denied in both
   * directions. Changes live.
   */
  readonly networkPolicy?: SignalingGatewayNetworkPolicy;
  /** What monitoring gets. */
  readonly observability: SignalingGatewayObservability;
  /**
   * CPU, memory and disk of each pod. Unset values are those of the render version. A change rolls
   * the pods.
   */
  readonly resources?: SignalingGatewayResources;
  /** Where pods run. A change rolls the pods. */
  readonly scheduling?: SignalingGatewayScheduling;
  /**
   * The image that the pods run, from a repository that the operator's setting
   * images.allowedRepositories allows. Default: the image of the operator that rendered this
   * resource. A change rolls the pods. A policy can demand a registry.
   */
  readonly image?: SignalingGatewayImage;
  /**
   * Tightens the pods beyond the baseline, which already satisfies the restricted profile and
   * cannot be loosened. A change rolls the pods. A policy can demand each of them.
   */
  readonly hardening?: SignalingGatewayHardening;
  /**
   * How objects are written: a number pins a render version, Latest follows the operator. Unset
   * means the version that was newest at creation. A change can roll the pods; status.plan says so
   * before.
   */
  readonly renderVersion?: string;
}

/** The socket that clients reach. TLS 1.3 always; there is no setting for less. */
export interface SignalingGatewayListener {
  /**
   * TCP port of the pods and of the Service. A change rolls the pods. The CRD's default is 8443.
   */
  readonly port: number;
  /**
   * IP addresses of the pod on which to listen, for example of a VPN interface. Unset means all. A
   * change rolls the pods.
   */
  readonly bindAddresses?: readonly string[];
  /**
   * Where the certificate comes from: exactly one of secretRef, certManager and internal. Unset
   * means internal. Changes live; a renewal closes no connection.
   */
  readonly tls?: SignalingGatewayListenerTls;
}

/**
 * Where the certificate comes from: exactly one of secretRef, certManager and internal. Unset means
 * internal. Changes live; a renewal closes no connection.
 */
export interface SignalingGatewayListenerTls {
  /** A Secret of type kubernetes.io/tls in this namespace. Unset means another source. */
  readonly secretRef?: SignalingGatewayListenerTlsSecretRef;
  /** cert-manager issues it; a Certificate is written. Unset means another source. */
  readonly certManager?: SignalingGatewayListenerTlsCertManager;
  /**
   * The namespace's internal CA issues it; clients need its certificate or the pins in
   * status.certificates. Write {}. Unset means another source.
   */
  readonly internal?: Readonly<Record<string, never>>;
}

/** A Secret of type kubernetes.io/tls in this namespace. Unset means another source. */
export interface SignalingGatewayListenerTlsSecretRef {
  /** Name of the Secret. */
  readonly name: string;
}

/** cert-manager issues it; a Certificate is written. Unset means another source. */
export interface SignalingGatewayListenerTlsCertManager {
  /** The issuer. */
  readonly issuerRef: SignalingGatewayListenerTlsCertManagerIssuerRef;
}

/** The issuer. */
export interface SignalingGatewayListenerTlsCertManagerIssuerRef {
  /** Name of the issuer. */
  readonly name: string;
  /** Kind of the issuer. The CRD's default is Issuer. */
  readonly kind: string;
  /** API group of the issuer. The CRD's default is cert-manager.io. */
  readonly group: string;
}

/**
 * How clients outside the pod network reach the pods. Changes live. Never a host port or a
 * NodePort.
 */
export interface SignalingGatewayExposure {
  /**
   * ClusterIP (inside the cluster, or behind an Ingress) or LoadBalancer (client addresses stay
   * visible: externalTrafficPolicy Local). The CRD's default is ClusterIP.
   */
  readonly type: 'ClusterIP' | 'LoadBalancer';
  /** Annotations for the Service, as the cluster's load balancer wants them. Unset means none. */
  readonly annotations?: Readonly<Record<string, string>>;
  /**
   * Client networks in CIDR notation that the load balancer and the NetworkPolicy let in. Unset
   * means all. For example 203.0.113.0/24 or 2001:db8::/32.
   */
  readonly sourceRanges?: readonly string[];
  /**
   * Whether the Service also gets node ports, which some load balancers need. The CRD's default is
   * false.
   */
  readonly allocateNodePorts: boolean;
}

/**
 * A trusted Ingress that ends TLS and encrypts again to the gateway, which then accepts connections
 * from trustedProxies only. Unset means that clients reach the gateway itself. Changes live.
 */
export interface SignalingGatewayIngress {
  /** Name of the IngressClass. */
  readonly className: string;
  /** The Secret of type kubernetes.io/tls with which the Ingress ends TLS. */
  readonly tlsSecretRef: SignalingGatewayIngressTlsSecretRef;
  /**
   * Annotations for the Ingress, as its controller wants them; among them the one that makes it
   * encrypt to the gateway. Unset means none.
   */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The Secret of type kubernetes.io/tls with which the Ingress ends TLS. */
export interface SignalingGatewayIngressTlsSecretRef {
  /** Name of the Secret. */
  readonly name: string;
}

/**
 * A HorizontalPodAutoscaler decides the number of pods; handing over and back drops none. Unset
 * means replicas. Changes live.
 */
export interface SignalingGatewayAutoscaling {
  /** Never fewer pods than this. */
  readonly minReplicas: number;
  /** Never more pods than this. */
  readonly maxReplicas: number;
  /**
   * Mean CPU use that the autoscaler aims at, in percent of the request. The CRD's default is 70.
   */
  readonly targetCpuUtilizationPercent: number;
}

/**
 * Proxies whose X-Forwarded-For is believed. Unset means that the header is ignored. Changes live.
 */
export interface SignalingGatewayTrustedProxies {
  /** Networks of the proxies, in CIDR notation. For example 10.0.12.0/24. */
  readonly cidrs: readonly string[];
  /**
   * How many proxies stand in a row; the client's address is the one that many places from the
   * right. The CRD's default is 1.
   */
  readonly hops: number;
}

/**
 * How much one client, one account and everybody together may ask for. None can be switched off.
 * Changes live. A policy can lower each.
 */
export interface SignalingGatewayRateLimits {
  /** New connections from one address (IPv6: one /64) in a minute. Default: 60. */
  readonly connectionsPerAddressPerMinute?: number;
  /** New connections of all clients in a second, per pod. Default: 200. */
  readonly connectionsPerSecond?: number;
  /** Logins of one account in an hour. Default: 60. */
  readonly loginsPerAccountPerHour?: number;
  /**
   * Logins from one address that failed before a valid device signature, in a minute. Default: 20.
   */
  readonly failedLoginsPerAddressPerMinute?: number;
  /** Signaling messages of one session in a second. Default: 50. */
  readonly messagesPerSessionPerSecond?: number;
  /** People whom one account may address for the first time in an hour. Default: 20. */
  readonly firstContactsPerAccountPerHour?: number;
  /** Relay leases of one account that are valid at the same time. Default: 8. */
  readonly liveLeasesPerAccount?: number;
  /** Connections of one account that are open at the same time. Default: 8. */
  readonly socketsPerAccount?: number;
}

/**
 * Who gets in. The account is an Ed25519 identity key; there is no password. Changes live. A policy
 * can tighten each setting.
 */
export interface SignalingGatewayAuthentication {
  /**
   * Fingerprints of the first administrators. Default: none, and nobody can approve accounts. As
   * sallyport id shows them.
   */
  readonly administrators?: readonly string[];
  /**
   * How an account comes into being: Approval (an administrator approves it), Invite (a single-use
   * code of an administrator) or Open. Default: Approval.
   */
  readonly registration?: 'Approval' | 'Invite' | 'Open';
  /**
   * Whether a further device of an account needs an Administrator besides the signature of the
   * identity key, or is taken up Automatic. Default: Automatic.
   */
  readonly deviceApproval?: 'Automatic' | 'Administrator';
  /**
   * Locks an account after failures of the second factor. Write all three values or none. Default:
   * 5 failures within 900 s lock for 1800 s.
   */
  readonly lockout?: SignalingGatewayAuthenticationLockout;
  /** What is asked beside the identity key. */
  readonly secondFactors?: SignalingGatewayAuthenticationSecondFactors;
  /** When a login ends. */
  readonly sessions?: SignalingGatewayAuthenticationSessions;
}

/**
 * Locks an account after failures of the second factor. Write all three values or none. Default: 5
 * failures within 900 s lock for 1800 s.
 */
export interface SignalingGatewayAuthenticationLockout {
  /** The failure that locks. Default: 5. */
  readonly maxAttempts?: number;
  /** Within how many seconds failures are counted. Default: 900. */
  readonly windowSeconds?: number;
  /** For how many seconds the account stays locked. Default: 1800. */
  readonly durationSeconds?: number;
}

/** What is asked beside the identity key. */
export interface SignalingGatewayAuthenticationSecondFactors {
  /**
   * Second factors that count: WebAuthn (security key or platform authenticator) and Totp. Default:
   * both.
   */
  readonly allowed?: readonly ('WebAuthn' | 'Totp')[];
  /** Who needs a second factor: Nobody, Administrators or Everyone. Default: Administrators. */
  readonly requiredFor?: 'Nobody' | 'Administrators' | 'Everyone';
}

/** When a login ends. */
export interface SignalingGatewayAuthenticationSessions {
  /** Seconds without a message after which a session ends. Default: 1800. */
  readonly idleTimeoutSeconds?: number;
  /** Seconds after login at which a session ends in any case. Default: 43200. */
  readonly absoluteTimeoutSeconds?: number;
}

/**  */
export interface SignalingGatewayRelayPool {
  /** Name of the RelayPool. */
  readonly name: string;
  /** Its namespace. Unset means the namespace of the gateway. */
  readonly namespace?: string;
}

/** Permissions to use a relay. Changes live, for new leases. A policy can shorten them. */
export interface SignalingGatewayLeases {
  /** How long a lease is valid, in seconds. Default: 600. */
  readonly lifetimeSeconds?: number;
}

/** How often the keys that sign leases are replaced. Changes live. A policy can shorten it. */
export interface SignalingGatewayKeyRotation {
  /** Seconds between two keys. Default: 86400. */
  readonly everySeconds?: number;
  /** Seconds for which the former key is still accepted. Default: 1800. */
  readonly overlapSeconds?: number;
}

/** Where accounts, devices and sessions are kept. */
export interface SignalingGatewayStorage {
  /**
   * Embedded (SQLite on a PersistentVolumeClaim, one pod) or PostgreSQL. Immutable. The CRD's
   * default is Embedded.
   */
  readonly type: 'Embedded' | 'PostgreSQL';
  /** The volume of Embedded storage. Unset means 1 GiB of the default class. Immutable. */
  readonly embedded?: SignalingGatewayStorageEmbedded;
  /** The database, with type PostgreSQL. Unset means Embedded. A change rolls the pods. */
  readonly postgresql?: SignalingGatewayStoragePostgresql;
}

/** The volume of Embedded storage. Unset means 1 GiB of the default class. Immutable. */
export interface SignalingGatewayStorageEmbedded {
  /** Size of the volume in GiB. The CRD's default is 1. */
  readonly sizeGibibytes: number;
  /** StorageClass of the volume. Unset means the cluster's default class. */
  readonly storageClassName?: string;
}

/** The database, with type PostgreSQL. Unset means Embedded. A change rolls the pods. */
export interface SignalingGatewayStoragePostgresql {
  /** The Secret with the key uri with which the gateway works. */
  readonly runtimeSecretRef: SignalingGatewayStoragePostgresqlRuntimeSecretRef;
  /**
   * The Secret with the key uri with which the init container changes the schema. Unset means
   * runtimeSecretRef, and the condition RuntimeRoleOwnsSchema says so.
   */
  readonly migrationSecretRef?: SignalingGatewayStoragePostgresqlMigrationSecretRef;
  /**
   * The Secret with the key ca.crt against which the server's certificate is checked. Unset means
   * the public authorities.
   */
  readonly caSecretRef?: SignalingGatewayStoragePostgresqlCaSecretRef;
  /** Where the database is, for the NetworkPolicy; everything else is denied. */
  readonly peers: readonly SignalingGatewayStoragePostgresqlPeer[];
}

/** The Secret with the key uri with which the gateway works. */
export interface SignalingGatewayStoragePostgresqlRuntimeSecretRef {
  /** Name of the Secret. */
  readonly name: string;
}

/**
 * The Secret with the key uri with which the init container changes the schema. Unset means
 * runtimeSecretRef, and the condition RuntimeRoleOwnsSchema says so.
 */
export interface SignalingGatewayStoragePostgresqlMigrationSecretRef {
  /** Name of the Secret. */
  readonly name: string;
}

/**
 * The Secret with the key ca.crt against which the server's certificate is checked. Unset means the
 * public authorities.
 */
export interface SignalingGatewayStoragePostgresqlCaSecretRef {
  /** Name of the Secret. */
  readonly name: string;
}

/**  */
export interface SignalingGatewayStoragePostgresqlPeer {
  /**
   * Network in CIDR notation, for example 10.20.0.0/16. Unset means that namespace and podLabels
   * name the peer.
   */
  readonly cidr?: string;
  /** Namespace of the peer's pods. Unset means the namespace of this resource. */
  readonly namespace?: string;
  /** Labels of the peer's pods, all of which must match. Unset means that cidr names the peer. */
  readonly podLabels?: Readonly<Record<string, string>>;
  /** Ports that are opened. */
  readonly ports: readonly SignalingGatewayStoragePostgresqlPeerPort[];
}

/**  */
export interface SignalingGatewayStoragePostgresqlPeerPort {
  /** Port number. */
  readonly port: number;
  /** Transport protocol. The CRD's default is TCP. */
  readonly protocol: 'TCP' | 'UDP';
}

/** How replicas pass messages to each other. A change rolls the pods. */
export interface SignalingGatewayBus {
  /** InProcess (one replica) or NATS. The CRD's default is InProcess. */
  readonly type: 'InProcess' | 'NATS';
  /** The NATS servers, with type NATS. Unset means InProcess. */
  readonly nats?: SignalingGatewayBusNats;
}

/** The NATS servers, with type NATS. Unset means InProcess. */
export interface SignalingGatewayBusNats {
  /** Addresses of the servers; always TLS. For example tls://nats.messaging.svc:4222. */
  readonly servers: readonly string[];
  /** The Secret with the key user.creds. Unset means that the servers ask for none. */
  readonly credentialsSecretRef?: SignalingGatewayBusNatsCredentialsSecretRef;
  /**
   * The Secret with the key ca.crt against which the servers' certificate is checked. Unset means
   * the public authorities.
   */
  readonly caSecretRef?: SignalingGatewayBusNatsCaSecretRef;
  /** Where the servers are, for the NetworkPolicy; everything else is denied. */
  readonly peers: readonly SignalingGatewayBusNatsPeer[];
}

/** The Secret with the key user.creds. Unset means that the servers ask for none. */
export interface SignalingGatewayBusNatsCredentialsSecretRef {
  /** Name of the Secret. */
  readonly name: string;
}

/**
 * The Secret with the key ca.crt against which the servers' certificate is checked. Unset means the
 * public authorities.
 */
export interface SignalingGatewayBusNatsCaSecretRef {
  /** Name of the Secret. */
  readonly name: string;
}

/**  */
export interface SignalingGatewayBusNatsPeer {
  /**
   * Network in CIDR notation, for example 10.20.0.0/16. Unset means that namespace and podLabels
   * name the peer.
   */
  readonly cidr?: string;
  /** Namespace of the peer's pods. Unset means the namespace of this resource. */
  readonly namespace?: string;
  /** Labels of the peer's pods, all of which must match. Unset means that cidr names the peer. */
  readonly podLabels?: Readonly<Record<string, string>>;
  /** Ports that are opened. */
  readonly ports: readonly SignalingGatewayBusNatsPeerPort[];
}

/**  */
export interface SignalingGatewayBusNatsPeerPort {
  /** Port number. */
  readonly port: number;
  /** Transport protocol. The CRD's default is TCP. */
  readonly protocol: 'TCP' | 'UDP';
}

/** What is recorded about use; never content. Changes live. A policy can raise it. */
export interface SignalingGatewayAudit {
  /** Minimal, Standard or Maximum: which fields a record has (docs). Default: Standard. */
  readonly level?: 'Minimal' | 'Standard' | 'Maximum';
  /**
   * What happens when records cannot be stored: Block everything, DenyNewSessions, or
   * BufferEncrypted until the buffer is full. Default: DenyNewSessions.
   */
  readonly onFailure?: 'Block' | 'DenyNewSessions' | 'BufferEncrypted';
}

/**
 * What the pods may talk to beyond what the operator knows. Everything else is denied in both
 * directions. Changes live.
 */
export interface SignalingGatewayNetworkPolicy {
  /** Further peers that may connect. Unset means none. */
  readonly extraIngress?: readonly SignalingGatewayNetworkPolicyExtraIngressItem[];
  /** Further peers that the pods may connect to. Default: none. A policy can forbid them. */
  readonly extraEgress?: readonly SignalingGatewayNetworkPolicyExtraEgressItem[];
  /** Namespace whose pods may read metrics on port 9090. Unset means that nobody may. */
  readonly monitoringNamespace?: string;
}

/**  */
export interface SignalingGatewayNetworkPolicyExtraIngressItem {
  /**
   * Network in CIDR notation, for example 10.20.0.0/16. Unset means that namespace and podLabels
   * name the peer.
   */
  readonly cidr?: string;
  /** Namespace of the peer's pods. Unset means the namespace of this resource. */
  readonly namespace?: string;
  /** Labels of the peer's pods, all of which must match. Unset means that cidr names the peer. */
  readonly podLabels?: Readonly<Record<string, string>>;
  /** Ports that are opened. */
  readonly ports: readonly SignalingGatewayNetworkPolicyExtraIngressItemPort[];
}

/**  */
export interface SignalingGatewayNetworkPolicyExtraIngressItemPort {
  /** Port number. */
  readonly port: number;
  /** Transport protocol. The CRD's default is TCP. */
  readonly protocol: 'TCP' | 'UDP';
}

/**  */
export interface SignalingGatewayNetworkPolicyExtraEgressItem {
  /**
   * Network in CIDR notation, for example 10.20.0.0/16. Unset means that namespace and podLabels
   * name the peer.
   */
  readonly cidr?: string;
  /** Namespace of the peer's pods. Unset means the namespace of this resource. */
  readonly namespace?: string;
  /** Labels of the peer's pods, all of which must match. Unset means that cidr names the peer. */
  readonly podLabels?: Readonly<Record<string, string>>;
  /** Ports that are opened. */
  readonly ports: readonly SignalingGatewayNetworkPolicyExtraEgressItemPort[];
}

/**  */
export interface SignalingGatewayNetworkPolicyExtraEgressItemPort {
  /** Port number. */
  readonly port: number;
  /** Transport protocol. The CRD's default is TCP. */
  readonly protocol: 'TCP' | 'UDP';
}

/** What monitoring gets. */
export interface SignalingGatewayObservability {
  /**
   * Whether a ServiceMonitor is written where the cluster serves that kind. Changes live. The CRD's
   * default is true.
   */
  readonly serviceMonitor: boolean;
  /**
   * Whether a PrometheusRule is written where the cluster serves that kind. Changes live. The CRD's
   * default is true.
   */
  readonly rules: boolean;
  /** Whether a dashboard ConfigMap is written. Changes live. The CRD's default is true. */
  readonly dashboard: boolean;
  /**
   * Least severity that is logged. No level ever logs content, keys or tokens. Default: Info.
   * Changes live. A policy can forbid Debug.
   */
  readonly logLevel?: 'Error' | 'Warn' | 'Info' | 'Debug';
}

/**
 * CPU, memory and disk of each pod. Unset values are those of the render version. A change rolls
 * the pods.
 */
export interface SignalingGatewayResources {
  /** What the scheduler reserves. */
  readonly requests?: SignalingGatewayResourcesRequests;
  /** What the pod cannot exceed. */
  readonly limits?: SignalingGatewayResourcesLimits;
}

/** What the scheduler reserves. */
export interface SignalingGatewayResourcesRequests {
  /**
   * Processor cores, whole (2) or in thousandths (250m). Unset means that of the render version.
   */
  readonly cpu?: string;
  /** Memory in Mi or Gi, for example 512Mi. Unset means that of the render version. */
  readonly memory?: string;
  /** Disk for logs and temporary files in Mi or Gi. Unset means that of the render version. */
  readonly ephemeralStorage?: string;
}

/** What the pod cannot exceed. */
export interface SignalingGatewayResourcesLimits {
  /**
   * Processor cores, whole (2) or in thousandths (250m). Unset means that of the render version.
   */
  readonly cpu?: string;
  /** Memory in Mi or Gi, for example 512Mi. Unset means that of the render version. */
  readonly memory?: string;
  /** Disk for logs and temporary files in Mi or Gi. Unset means that of the render version. */
  readonly ephemeralStorage?: string;
}

/** Where pods run. A change rolls the pods. */
export interface SignalingGatewayScheduling {
  /** Labels that a node must have. Unset means any node. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Taints of nodes that the pods accept. Unset means none. */
  readonly tolerations?: readonly SignalingGatewaySchedulingToleration[];
  /**
   * Regions (node label topology.kubernetes.io/region) in which pods may run. Default: any region.
   * A policy can narrow it.
   */
  readonly regions?: readonly string[];
  /** PriorityClass of the pods. Unset means the one of the installation. */
  readonly priorityClassName?: string;
}

/**  */
export interface SignalingGatewaySchedulingToleration {
  /** Key of the taint. */
  readonly key: string;
  /** Equal compares value; Exists accepts any value. The CRD's default is Equal. */
  readonly operator: 'Equal' | 'Exists';
  /** Value of the taint, with operator Equal. Unset means the empty value. */
  readonly value?: string;
  /** Effect of the taint. Unset means every effect. */
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  /** How long a pod stays after a NoExecute taint appears, in seconds. Unset means for ever. */
  readonly tolerationSeconds?: number;
}

/**
 * The image that the pods run, from a repository that the operator's setting
 * images.allowedRepositories allows. Default: the image of the operator that rendered this
 * resource. A change rolls the pods. A policy can demand a registry.
 */
export interface SignalingGatewayImage {
  /** Registry and repository without tag, for example registry.example.com/sallyport. */
  readonly repository: string;
  /** Tag, for people; the digest decides. Unset means that only the digest is written. */
  readonly tag?: string;
  /** Digest of the image; a tag alone can be moved to another image. */
  readonly digest: string;
  /** When the node pulls. Unset means IfNotPresent, which is safe because the digest is fixed. */
  readonly pullPolicy?: 'IfNotPresent' | 'Always';
  /** Names of Secrets of type kubernetes.io/dockerconfigjson. Unset means none. */
  readonly pullSecrets?: readonly string[];
}

/**
 * Tightens the pods beyond the baseline, which already satisfies the restricted profile and cannot
 * be loosened. A change rolls the pods. A policy can demand each of them.
 */
export interface SignalingGatewayHardening {
  /**
   * RuntimeDefault names the runtime's AppArmor profile; kubelet then refuses the pod on a host
   * without AppArmor. Default: unset, and the runtime applies it where it can.
   */
  readonly appArmor?: 'RuntimeDefault';
  /**
   * Whether pods get a user namespace of their own (hostUsers false); needs containerd 2 and cgroup
   * v2. Default: false.
   */
  readonly userNamespaces?: boolean;
  /**
   * Whether supplementalGroupsPolicy is Strict; kubelet refuses the pod where the runtime lacks the
   * feature. Default: false.
   */
  readonly strictSupplementalGroups?: boolean;
  /**
   * RuntimeClass of the pods, for example of gVisor or Kata Containers. Default: the cluster's
   * runtime.
   */
  readonly runtimeClassName?: string;
}

/** What the operator has observed and done. */
export interface SignalingGatewayStatus {
  /**
   * The metadata.generation that the operator has acted on; -1 until it has seen the resource. The
   * CRD's default is -1.
   */
  readonly observedGeneration: number;
  /**
   * What holds for this resource now. Ready, Reconciling and Stalled come first (kstatus), then the
   * kind's own.
   */
  readonly conditions: readonly SignalingGatewayStatusCondition[];
  /** Pods that exist (scale subresource). */
  readonly replicas?: number;
  /** Pods that pass their readiness probe. */
  readonly readyReplicas?: number;
  /** Pods that run the newest template. */
  readonly updatedReplicas?: number;
  /** Label selector of the pods (scale subresource). */
  readonly selector?: string;
  /** The render version in use; recorded at creation, kept when the operator is upgraded. */
  readonly renderVersion?: number;
  /** Where clients reach the pods. */
  readonly endpoints?: readonly SignalingGatewayStatusEndpoint[];
  /** Certificates in use; dates and pins, never material. */
  readonly certificates?: readonly SignalingGatewayStatusCertificate[];
  /** The value in use of each setting that a policy can tighten, and where it comes from. */
  readonly effective?: readonly SignalingGatewayStatusEffectiveItem[];
  /**
   * What would change and what would restart, while a pause or an older render version holds it
   * back.
   */
  readonly plan?: readonly SignalingGatewayStatusPlanItem[];
  /** Edits by others to objects of this resource that were reverted, newest first. */
  readonly drift?: readonly SignalingGatewayStatusDriftItem[];
  /** The last rotation that the annotation sallyport.dev/rotate asked for. */
  readonly lastRotation?: SignalingGatewayStatusLastRotation;
  /** Lease keys; ids and dates, never material. */
  readonly keys?: readonly SignalingGatewayStatusKey[];
  /** The policy bundle that the gateway reads, written from its AccessRoles. */
  readonly policyBundle?: SignalingGatewayStatusPolicyBundle;
  /**
   * Present while the annotation sallyport.dev/paused-until holds changes back. Certificates, keys
   * and health go on.
   */
  readonly paused?: SignalingGatewayStatusPaused;
}

/**  */
export interface SignalingGatewayStatusCondition {
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
export interface SignalingGatewayStatusEndpoint {
  /** Ordinal of the pod behind it; absent when the address serves all pods. */
  readonly replica?: number;
  /** IP address or DNS name. */
  readonly address: string;
  /** Port number. */
  readonly port: number;
  /** Transport protocol. */
  readonly protocol: 'TCP' | 'UDP';
  /**
   * Pending while no address is assigned, NotReady while nothing answers behind it, Ready, or
   * Draining.
   */
  readonly state: 'Pending' | 'NotReady' | 'Ready' | 'Draining';
}

/**  */
export interface SignalingGatewayStatusCertificate {
  /**
   * Public (what clients see), Internal (mutual TLS between our programs), Relay (leaf of the pool)
   * or Authority (the namespace's internal CA).
   */
  readonly purpose: 'Public' | 'Internal' | 'Relay' | 'Authority';
  /** The Secret that holds it. */
  readonly secretName: string;
  /** Serial number, lower-case hexadecimal. */
  readonly serial?: string;
  /** Valid from. */
  readonly notBefore: string;
  /** Valid until. */
  readonly notAfter: string;
  /**
   * sha256/BASE64 of the SubjectPublicKeyInfo, the present key first, then the next one (RFC 7469).
   */
  readonly pins: readonly string[];
}

/**  */
export interface SignalingGatewayStatusEffectiveItem {
  /** Path below spec, for example leases.lifetimeSeconds. */
  readonly field: string;
  /** The value, as JSON where it is not a single word or number. */
  readonly value: string;
  /** Default, Spec, or the policy that tightened it. */
  readonly source: string;
}

/**  */
export interface SignalingGatewayStatusPlanItem {
  /** Kind of the object. */
  readonly kind: string;
  /** Name of the object. */
  readonly name: string;
  /** What would happen to it. */
  readonly change: 'Create' | 'Update' | 'Delete';
  /** Whether pods would be replaced. */
  readonly restarts: boolean;
  /** Paths that would change; the first 16. */
  readonly fields: readonly string[];
}

/**  */
export interface SignalingGatewayStatusDriftItem {
  /** Kind of the object. */
  readonly kind: string;
  /** Name of the object. */
  readonly name: string;
  /** Path that was changed. */
  readonly field: string;
  /** Field manager that changed it (managedFields). */
  readonly manager: string;
  /** When it was last reverted. */
  readonly at: string;
  /** How often. After 5 the operator stops and says FightDetected. */
  readonly reverts: number;
}

/** The last rotation that the annotation sallyport.dev/rotate asked for. */
export interface SignalingGatewayStatusLastRotation {
  /** Value of the annotation. */
  readonly token: string;
  /** When it was carried out. */
  readonly at: string;
}

/**  */
export interface SignalingGatewayStatusKey {
  /** Key id, base64url of 16 bytes. */
  readonly kid: string;
  /** Next (published, not yet used), Current (signs) or Retired (accepted until notAfter). */
  readonly state: 'Current' | 'Next' | 'Retired';
  /** Signs from. */
  readonly notBefore: string;
  /** Accepted until. */
  readonly notAfter: string;
  /** When relays were first told of it. */
  readonly publishedAt?: string;
}

/** The policy bundle that the gateway reads, written from its AccessRoles. */
export interface SignalingGatewayStatusPolicyBundle {
  /** Grows with every bundle; the gateway refuses a lower one. */
  readonly serial: number;
  /** SHA-256 of the bundle, lower-case hexadecimal. */
  readonly digest: string;
  /** The ConfigMap that holds it. */
  readonly configMap: string;
}

/**
 * Present while the annotation sallyport.dev/paused-until holds changes back. Certificates, keys
 * and health go on.
 */
export interface SignalingGatewayStatusPaused {
  /** When the pause ends by itself. */
  readonly until: string;
  /** Whether changes wait for the end of the pause; status.plan lists them. */
  readonly pendingChanges: boolean;
}

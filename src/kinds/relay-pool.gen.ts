// Written by `npm run generate` from crds/relay-pools.yaml. Do not edit.
import type { Metadata } from './metadata.js';

/** How the API server knows RelayPool. */
export const RELAY_POOL = {
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'RelayPool',
  plural: 'relaypools',
  schemaRevision: 1,
} as const;

/**
 * A RelayPool is a set of blind UDP relays in one region: they forward packets that they cannot
 * read. Schema revision 1.
 */
export type RelayPool = {
  readonly apiVersion: 'sallyport.dev/v1alpha1';
  readonly kind: 'RelayPool';
  readonly metadata: Metadata;
  readonly spec: RelayPoolSpec;
  readonly status?: RelayPoolStatus;
};

/** What the pool is to be. */
export interface RelayPoolSpec {
  /**
   * Region that clients see and choose by, for example eu-central. Immutable. It does not place
   * pods: scheduling.regions does.
   */
  readonly region: string;
  /**
   * Number of relays. Unset means 2; nothing is written while autoscaling is set. Changes live; a
   * relay that leaves is drained first.
   */
  readonly replicas?: number;
  /**
   * A HorizontalPodAutoscaler decides the number of relays; handing over and back drops none. Unset
   * means replicas. Changes live.
   */
  readonly autoscaling?: RelayPoolAutoscaling;
  /**
   * UDP port of the relays, for sessions and STUN. A change rolls the pods. The CRD's default is
   * 3478.
   */
  readonly port: number;
  /** The sockets that clients reach. A change rolls the pods. */
  readonly listener: RelayPoolListener;
  /** The same frames over TLS 1.3, for networks that block UDP. A change rolls the pods. */
  readonly fallback: RelayPoolFallback;
  /** Answers that tell a client its own address. Changes live. */
  readonly stun: RelayPoolStun;
  /**
   * How clients outside the pod network reach the pods. Changes live. Never a host port or a
   * NodePort.
   */
  readonly exposure: RelayPoolExposure;
  /** What one relay carries. Changes live, for new sessions. */
  readonly capacity: RelayPoolCapacity;
  /**
   * How much one address and everybody together may ask for. None can be switched off. Changes
   * live. A policy can lower each.
   */
  readonly rateLimits?: RelayPoolRateLimits;
  /** How a relay is emptied before it stops. A change rolls the pods. */
  readonly drain: RelayPoolDrain;
  /**
   * SignalingGateways that may issue leases for these relays; each must also name the pool. Unset
   * means every gateway of this namespace. Changes live.
   */
  readonly allowedGateways?: readonly RelayPoolAllowedGateway[];
  /** To which addresses a relay sends. Changes live. */
  readonly peerAddresses: RelayPoolPeerAddresses;
  /**
   * What the pods may talk to beyond what the operator knows. Everything else is denied in both
   * directions. Changes live.
   */
  readonly networkPolicy?: RelayPoolNetworkPolicy;
  /** What monitoring gets. */
  readonly observability: RelayPoolObservability;
  /**
   * CPU, memory and disk of each pod. Unset values are those of the render version. A change rolls
   * the pods.
   */
  readonly resources?: RelayPoolResources;
  /** Where pods run. A change rolls the pods. */
  readonly scheduling?: RelayPoolScheduling;
  /**
   * The image that the pods run, from a repository that the operator's setting
   * images.allowedRepositories allows. Default: the image of the operator that rendered this
   * resource. A change rolls the pods. A policy can demand a registry.
   */
  readonly image?: RelayPoolImage;
  /**
   * Tightens the pods beyond the baseline, which already satisfies the restricted profile and
   * cannot be loosened. A change rolls the pods. A policy can demand each of them.
   */
  readonly hardening?: RelayPoolHardening;
  /**
   * How objects are written: a number pins a render version, Latest follows the operator. Unset
   * means the version that was newest at creation. A change can roll the pods; status.plan says so
   * before.
   */
  readonly renderVersion?: string;
}

/**
 * A HorizontalPodAutoscaler decides the number of relays; handing over and back drops none. Unset
 * means replicas. Changes live.
 */
export interface RelayPoolAutoscaling {
  /** Never fewer relays than this. */
  readonly minReplicas: number;
  /** Never more relays than this. */
  readonly maxReplicas: number;
  /**
   * Mean CPU use that the autoscaler aims at, in percent of the request. The CRD's default is 60.
   */
  readonly targetCpuUtilizationPercent: number;
}

/** The sockets that clients reach. A change rolls the pods. */
export interface RelayPoolListener {
  /**
   * IP addresses of the pod on which to listen, for example of a VPN interface. Unset means all.
   */
  readonly bindAddresses?: readonly string[];
}

/** The same frames over TLS 1.3, for networks that block UDP. A change rolls the pods. */
export interface RelayPoolFallback {
  /** Whether the fallback listens. The CRD's default is true. */
  readonly enabled: boolean;
  /** TCP port of the fallback. The CRD's default is 5349. */
  readonly port: number;
}

/** Answers that tell a client its own address. Changes live. */
export interface RelayPoolStun {
  /**
   * Whether unpadded STUN requests of other programs are answered; ours are padded, so that no
   * answer is larger than its question. Plain ones are limited by
   * rateLimits.stunRequestsPerAddressPerSecond. The CRD's default is false.
   */
  readonly allowPlain: boolean;
}

/**
 * How clients outside the pod network reach the pods. Changes live. Never a host port or a
 * NodePort.
 */
export interface RelayPoolExposure {
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

/** What one relay carries. Changes live, for new sessions. */
export interface RelayPoolCapacity {
  /** Sessions per relay; beyond it new ones are refused. The CRD's default is 2000. */
  readonly maxSessions: number;
  /** Rate in kbit/s up to which a session is never slowed down. The CRD's default is 50000. */
  readonly softKbpsPerSession: number;
  /** Rate in kbit/s above which packets of a session are dropped. The CRD's default is 100000. */
  readonly hardKbpsPerSession: number;
}

/**
 * How much one address and everybody together may ask for. None can be switched off. Changes live.
 * A policy can lower each.
 */
export interface RelayPoolRateLimits {
  /** Proofs of a lease from one address (IPv6: one /64) in a second. Default: 10. */
  readonly handshakesPerAddressPerSecond?: number;
  /** Proofs of a lease of all clients in a second, per relay. Default: 2000. */
  readonly handshakesPerSecond?: number;
  /** STUN requests from one address in a second. Default: 5. */
  readonly stunRequestsPerAddressPerSecond?: number;
  /** New TLS connections to the fallback from one address in a minute. Default: 30. */
  readonly fallbackConnectionsPerAddressPerMinute?: number;
  /** Packets of one session in a second, whatever their size. Default: 20000. */
  readonly packetsPerSessionPerSecond?: number;
}

/** How a relay is emptied before it stops. A change rolls the pods. */
export interface RelayPoolDrain {
  /**
   * How long sessions have to move to another relay, in seconds; the pod gets 10 seconds more. The
   * CRD's default is 120.
   */
  readonly seconds: number;
}

/**  */
export interface RelayPoolAllowedGateway {
  /** Name of the SignalingGateway. */
  readonly name: string;
  /** Its namespace. Unset means the namespace of the pool. */
  readonly namespace?: string;
}

/** To which addresses a relay sends. Changes live. */
export interface RelayPoolPeerAddresses {
  /**
   * Networks in CIDR notation to which a relay never sends, beyond those that are always denied
   * (loopback, link-local, multicast, metadata and service addresses). Unset means none. For
   * example 10.0.0.0/8.
   */
  readonly denied?: readonly string[];
}

/**
 * What the pods may talk to beyond what the operator knows. Everything else is denied in both
 * directions. Changes live.
 */
export interface RelayPoolNetworkPolicy {
  /** Further peers that may connect. Unset means none. */
  readonly extraIngress?: readonly RelayPoolNetworkPolicyExtraIngressItem[];
  /** Further peers that the pods may connect to. Default: none. A policy can forbid them. */
  readonly extraEgress?: readonly RelayPoolNetworkPolicyExtraEgressItem[];
  /** Namespace whose pods may read metrics on port 9090. Unset means that nobody may. */
  readonly monitoringNamespace?: string;
}

/**  */
export interface RelayPoolNetworkPolicyExtraIngressItem {
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
  readonly ports: readonly RelayPoolNetworkPolicyExtraIngressItemPort[];
}

/**  */
export interface RelayPoolNetworkPolicyExtraIngressItemPort {
  /** Port number. */
  readonly port: number;
  /** Transport protocol. The CRD's default is TCP. */
  readonly protocol: 'TCP' | 'UDP';
}

/**  */
export interface RelayPoolNetworkPolicyExtraEgressItem {
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
  readonly ports: readonly RelayPoolNetworkPolicyExtraEgressItemPort[];
}

/**  */
export interface RelayPoolNetworkPolicyExtraEgressItemPort {
  /** Port number. */
  readonly port: number;
  /** Transport protocol. The CRD's default is TCP. */
  readonly protocol: 'TCP' | 'UDP';
}

/** What monitoring gets. */
export interface RelayPoolObservability {
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
export interface RelayPoolResources {
  /** What the scheduler reserves. */
  readonly requests?: RelayPoolResourcesRequests;
  /** What the pod cannot exceed. */
  readonly limits?: RelayPoolResourcesLimits;
}

/** What the scheduler reserves. */
export interface RelayPoolResourcesRequests {
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
export interface RelayPoolResourcesLimits {
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
export interface RelayPoolScheduling {
  /** Labels that a node must have. Unset means any node. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Taints of nodes that the pods accept. Unset means none. */
  readonly tolerations?: readonly RelayPoolSchedulingToleration[];
  /**
   * Regions (node label topology.kubernetes.io/region) in which pods may run. Default: any region.
   * A policy can narrow it.
   */
  readonly regions?: readonly string[];
  /** PriorityClass of the pods. Unset means the one of the installation. */
  readonly priorityClassName?: string;
}

/**  */
export interface RelayPoolSchedulingToleration {
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
export interface RelayPoolImage {
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
export interface RelayPoolHardening {
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
export interface RelayPoolStatus {
  /**
   * The metadata.generation that the operator has acted on; -1 until it has seen the resource. The
   * CRD's default is -1.
   */
  readonly observedGeneration: number;
  /**
   * What holds for this resource now. Ready, Reconciling and Stalled come first (kstatus), then the
   * kind's own.
   */
  readonly conditions: readonly RelayPoolStatusCondition[];
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
  readonly endpoints?: readonly RelayPoolStatusEndpoint[];
  /** Certificates in use; dates and pins, never material. */
  readonly certificates?: readonly RelayPoolStatusCertificate[];
  /** The value in use of each setting that a policy can tighten, and where it comes from. */
  readonly effective?: readonly RelayPoolStatusEffectiveItem[];
  /**
   * What would change and what would restart, while a pause or an older render version holds it
   * back.
   */
  readonly plan?: readonly RelayPoolStatusPlanItem[];
  /** Edits by others to objects of this resource that were reverted, newest first. */
  readonly drift?: readonly RelayPoolStatusDriftItem[];
  /** The last rotation that the annotation sallyport.dev/rotate asked for. */
  readonly lastRotation?: RelayPoolStatusLastRotation;
  /**
   * Present while the annotation sallyport.dev/paused-until holds changes back. Certificates, keys
   * and health go on.
   */
  readonly paused?: RelayPoolStatusPaused;
}

/**  */
export interface RelayPoolStatusCondition {
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
export interface RelayPoolStatusEndpoint {
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
export interface RelayPoolStatusCertificate {
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
export interface RelayPoolStatusEffectiveItem {
  /** Path below spec, for example leases.lifetimeSeconds. */
  readonly field: string;
  /** The value, as JSON where it is not a single word or number. */
  readonly value: string;
  /** Default, Spec, or the policy that tightened it. */
  readonly source: string;
}

/**  */
export interface RelayPoolStatusPlanItem {
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
export interface RelayPoolStatusDriftItem {
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
export interface RelayPoolStatusLastRotation {
  /** Value of the annotation. */
  readonly token: string;
  /** When it was carried out. */
  readonly at: string;
}

/**
 * Present while the annotation sallyport.dev/paused-until holds changes back. Certificates, keys
 * and health go on.
 */
export interface RelayPoolStatusPaused {
  /** When the pause ends by itself. */
  readonly until: string;
  /** Whether changes wait for the end of the pause; status.plan lists them. */
  readonly pendingChanges: boolean;
}

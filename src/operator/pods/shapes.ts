/*
 * The parts of Kubernetes objects that we render, as the API server writes them in JSON. Only fields that we
 * use are here: what has no name in these types (hostPath, hostPort, envFrom, secretKeyRef, added
 * capabilities, a second user) cannot be rendered by any room.
 */
import type { KubernetesObject, ObjectMeta } from '../../kubernetes/object.js';

export type StringMap = Readonly<Record<string, string>>;

/** `requests` and `limits` in canonical quantities. Always all three, so that no pod starves its node. */
export interface ResourceRequirements {
  readonly requests: ResourceAmounts;
  readonly limits: ResourceAmounts;
}

export interface ResourceAmounts {
  readonly cpu: string;
  readonly memory: string;
  readonly 'ephemeral-storage': string;
}

export interface NamedPort {
  /** At most 15 characters (RFC 6335, section 5.1). */
  readonly name: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

/** A probe of a named port over plain HTTP. */
export interface HttpProbe {
  readonly path: string;
  /** Name of a declared port. */
  readonly port: string;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}

export interface Probes {
  readonly readiness: HttpProbe;
  readonly liveness: HttpProbe;
  readonly startup: HttpProbe;
}

/** A fixed text or a field of the pod. Nothing secret is ever an environment variable. */
export type EnvironmentVariable =
  | { readonly name: string; readonly value: string }
  | {
      readonly name: string;
      readonly field:
        'metadata.name' | 'metadata.namespace' | 'metadata.uid' | 'status.podIP' | 'spec.nodeName';
    };

export interface Mount {
  readonly volume: string;
  readonly path: string;
  /** True unless said otherwise: only data that the program writes is writable. */
  readonly readOnly?: boolean;
}

/** A volume of a pod; made by the functions of volumes.ts only. */
export type Volume =
  | {
      readonly name: string;
      readonly secret: {
        readonly secretName: string;
        readonly defaultMode: number;
        readonly optional?: boolean;
        readonly items?: readonly VolumeItem[];
      };
    }
  | {
      readonly name: string;
      readonly configMap: {
        readonly name: string;
        readonly defaultMode: number;
        readonly optional?: boolean;
        readonly items?: readonly VolumeItem[];
      };
    }
  | {
      readonly name: string;
      readonly emptyDir: { readonly sizeLimit: string; readonly medium?: 'Memory' };
    }
  | { readonly name: string; readonly persistentVolumeClaim: { readonly claimName: string } };

export interface VolumeItem {
  readonly key: string;
  readonly path: string;
}

/** The template of a workload. */
export interface PodTemplate {
  readonly metadata: { readonly labels: StringMap; readonly annotations?: StringMap };
  readonly spec: PodSpec;
}

export interface PodSpec {
  readonly serviceAccountName: string;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly [field: string]: unknown;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly [field: string]: unknown;
}

/** An object of a namespace with everything that we own of it. */
export type Rendered = KubernetesObject & { readonly metadata: ObjectMeta };

/*
 * The pods that workloads ask for, read from their templates: no program is known here, only containers.
 */
import { createHash } from 'node:crypto';
import type { KubernetesObject } from '../kubernetes/object.js';

/** A probe over plain HTTP. */
export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string | number };
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}

/** One container of a template, as far as a process can be one. */
export interface Container {
  readonly name: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
  }[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly protocol?: 'TCP' | 'UDP';
  }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly startupProbe?: Probe;
}

/** Which keys of a ConfigMap or Secret become which files. */
export interface Projection {
  readonly defaultMode?: number;
  readonly optional?: boolean;
  readonly items?: readonly { readonly key: string; readonly path: string }[];
}

/** A volume of a template. */
export interface Volume {
  readonly name: string;
  readonly configMap?: Projection & { readonly name: string };
  readonly secret?: Projection & { readonly secretName: string };
  readonly emptyDir?: object;
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

/** A pod of a workload. */
export interface Pod {
  /** `NAMESPACE/NAME`. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** `NAMESPACE/NAME` of the workload. */
  readonly workload: string;
  readonly ordinal: number;
  /** Equal templates have equal revisions. */
  readonly revision: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly container: Container;
  readonly initContainers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly graceSeconds: number;
}

/** A Deployment or StatefulSet and the pods that it wants with its newest template. */
export interface Workload {
  readonly id: string;
  readonly object: KubernetesObject;
  readonly revision: string;
  /** Pods of a lower ordinal keep the template that they have. */
  readonly partition: number;
  readonly pods: readonly Pod[];
}

interface WorkloadSpec {
  readonly replicas?: number;
  readonly updateStrategy?: { readonly rollingUpdate?: { readonly partition?: number } };
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  readonly template: {
    readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
    readonly spec: {
      readonly containers: readonly Container[];
      readonly initContainers?: readonly Container[];
      readonly volumes?: readonly Volume[];
      readonly terminationGracePeriodSeconds?: number;
    };
  };
}

const WORKLOADS = ['Deployment', 'StatefulSet'];
/** A label that the StatefulSet controller puts on each pod; Services of single pods select by it. */
const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';

/** The workloads among `objects`, in their order. */
export function workloadsIn(objects: readonly KubernetesObject[]): readonly Workload[] {
  return objects
    .filter(({ apiVersion, kind }) => apiVersion === 'apps/v1' && WORKLOADS.includes(kind))
    .map(workloadOf);
}

function workloadOf(object: KubernetesObject): Workload {
  const spec = object['spec'] as WorkloadSpec; // What the rooms render (src/operator/pods/workload.ts).
  const { namespace = 'default', name } = object.metadata;
  const id = `${namespace}/${name}`;
  const revision = createHash('sha256')
    .update(JSON.stringify(spec.template))
    .digest('hex')
    .slice(0, 16);
  const pods = Array.from({ length: spec.replicas ?? 1 }, (_, ordinal) =>
    podOf(spec, { id, namespace, name, ordinal, revision }),
  );
  const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  return { id, object, revision, partition, pods };
}

interface Place {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly ordinal: number;
  readonly revision: string;
}

function podOf({ template, volumeClaimTemplates = [] }: WorkloadSpec, place: Place): Pod {
  const { namespace, ordinal, revision } = place;
  const name = `${place.name}-${ordinal}`;
  const { containers, initContainers = [], volumes = [] } = template.spec;
  const [container] = containers;
  if (container === undefined) throw new TypeError(`${place.id} has no container`);
  const claims = volumeClaimTemplates.map(({ metadata }) => ({
    name: metadata.name,
    persistentVolumeClaim: { claimName: `${metadata.name}-${name}` },
  }));
  const claimed = new Set(claims.map((claim) => claim.name));
  return {
    id: `${namespace}/${name}`,
    namespace,
    name,
    workload: place.id,
    ordinal,
    revision,
    labels: { ...template.metadata?.labels, [POD_NAME_LABEL]: name },
    container,
    initContainers,
    volumes: [...volumes.filter((volume) => !claimed.has(volume.name)), ...claims],
    graceSeconds: template.spec.terminationGracePeriodSeconds ?? 30,
  };
}

/** Whether a Service with `selector` leads to `pod`. An empty selector leads nowhere. */
export function isSelected(
  selector: Readonly<Record<string, string>> | undefined,
  pod: Pick<Pod, 'labels'>,
): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([label, value]) => pod.labels[label] === value);
}

/*
 * The one pod template of this operator: every pod of every room is made here, with each row of hardening.md
 * 2.1 to 2.5. What a user may say (`hardening`, `scheduling`, `resources`, `image`) can tighten or move a pod;
 * nothing in these types can loosen it.
 */
import type { ProgramContainer } from './container.js';
import { hardenedContainer, RUN_AS } from './container.js';
import type { Scheduling } from './scheduling.js';
import { schedulingFields } from './scheduling.js';
import type { PodTemplate, StringMap, Volume } from './shapes.js';
import { sortedMap } from './sorted.js';

/** `spec.hardening` of a resource: what some nodes cannot do, so it is asked for. */
export interface Hardening {
  /** `RuntimeDefault` makes kubelet refuse the pod on a host without AppArmor. */
  readonly appArmor?: 'RuntimeDefault' | undefined;
  /** Own user namespace (`hostUsers: false`); needs containerd 2 and cgroup v2. */
  readonly userNamespaces?: boolean | undefined;
  /** `supplementalGroupsPolicy: Strict`; needs a runtime that has it. */
  readonly strictSupplementalGroups?: boolean | undefined;
  /** gVisor, Kata: a RuntimeClass of the cluster. */
  readonly runtimeClassName?: string | undefined;
}

export interface HardenedPod {
  /** All labels of the pod: `podLabels()` of kubernetes/metadata.ts and what the room adds. */
  readonly labels: StringMap;
  /** For example hashes of settings that need a restart. */
  readonly annotations?: StringMap;
  /** Labels that select the replicas of this workload: `selectorLabels()`. */
  readonly selector: StringMap;
  readonly serviceAccountName: string;
  readonly containers: readonly [ProgramContainer, ...ProgramContainer[]];
  readonly initContainers?: readonly ProgramContainer[];
  readonly volumes: readonly Volume[];
  /** At least the drain time (and more than any preStop sleep). */
  readonly terminationGracePeriodSeconds: number;
  readonly hardening?: Hardening | undefined;
  readonly scheduling?: Scheduling | undefined;
}

/**
 * The template of a hardened pod, in the API server's canonical form and in one order.
 * @throws TypeError when a container stays without probes, mounts an undeclared volume, or sleeps longer than the
 *   pod may take to end: mistakes of a room, which no spec of a user can cause.
 */
export function hardenedPodTemplate(pod: HardenedPod): PodTemplate {
  refuseInconsistent(pod);
  const { annotations, initContainers = [] } = pod;
  return {
    metadata: {
      labels: sortedMap(pod.labels),
      ...(annotations === undefined || Object.keys(annotations).length === 0
        ? {}
        : { annotations: sortedMap(annotations) }),
    },
    spec: {
      serviceAccountName: pod.serviceAccountName,
      ...identityFields(),
      securityContext: podSecurityContext(pod.hardening),
      ...optionalHardening(pod.hardening),
      ...schedulingFields(pod.scheduling, pod.selector),
      ...pullSecrets(pod),
      // Names with two dots are looked up as they are: fewer queries leave the pod.
      dnsPolicy: 'ClusterFirst',
      dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: pod.terminationGracePeriodSeconds,
      ...(initContainers.length === 0
        ? {}
        : { initContainers: initContainers.map(hardenedContainer) }),
      containers: pod.containers.map(hardenedContainer),
      ...(pod.volumes.length === 0 ? {} : { volumes: pod.volumes }),
    },
  };
}

/**
 * No token, no service environment, no view of the node or of other containers. The API server cannot tell the `false`
 * of the first three from absence and drops it; the engine knows (docs/engine.md, Canonical forms).
 */
function identityFields() {
  return {
    hostNetwork: false,
    hostPID: false,
    hostIPC: false,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    shareProcessNamespace: false,
  };
}

function podSecurityContext(hardening: Hardening = {}): Readonly<Record<string, unknown>> {
  return {
    runAsNonRoot: true,
    runAsUser: RUN_AS,
    runAsGroup: RUN_AS,
    fsGroup: RUN_AS,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
    ...(hardening.appArmor === undefined ? {} : { appArmorProfile: { type: hardening.appArmor } }),
    ...(hardening.strictSupplementalGroups === true ? { supplementalGroupsPolicy: 'Strict' } : {}),
  };
}

function optionalHardening(hardening: Hardening = {}): Readonly<Record<string, unknown>> {
  const { userNamespaces, runtimeClassName } = hardening;
  return {
    ...(userNamespaces === true ? { hostUsers: false } : {}),
    ...(runtimeClassName === undefined || runtimeClassName === '' ? {} : { runtimeClassName }),
  };
}

function pullSecrets({ containers, initContainers = [] }: HardenedPod) {
  const names = [...containers, ...initContainers].flatMap(({ image }) => image.pullSecrets);
  if (names.length === 0) return {};
  return { imagePullSecrets: [...new Set(names)].sort().map((name) => ({ name })) };
}

function refuseInconsistent(pod: HardenedPod): void {
  const volumes = new Set(pod.volumes.map(({ name }) => name));
  for (const program of [...pod.containers, ...(pod.initContainers ?? [])]) {
    const stray = program.mounts?.find(({ volume }) => !volumes.has(volume));
    if (stray) throw new TypeError(`${program.name} mounts ${stray.volume}, which is no volume.`);
  }
  for (const { name, probes, preStopSleepSeconds = 0 } of pod.containers) {
    if (probes === undefined) throw new TypeError(`${name} has no probes.`);
    if (preStopSleepSeconds >= pod.terminationGracePeriodSeconds) {
      throw new TypeError(`${name} sleeps longer than the pod's grace period.`);
    }
  }
  const missing = Object.entries(pod.selector).find(([key, value]) => pod.labels[key] !== value);
  if (missing) throw new TypeError(`The pod lacks its selector label ${missing[0]}.`);
}

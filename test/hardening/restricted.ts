/*
 * The Pod Security Standard `restricted`, version 1.36: every control of `baseline` and of `restricted`, as the
 * admission plugin of the API server checks them (k8s.io/pod-security-admission, policy/check_*.go). Linux pods.
 * Written from the published standard, not from our builders: a judge that shared code with the judged would agree
 * with it.
 */
import type { Json, JudgedPod, Violation } from './pods.js';
import { at, containersOf, list, record } from './pods.js';

type Check = (pod: JudgedPod) => readonly string[];

/** What the API server would refuse in a namespace with `enforce: restricted`; empty: it is admitted. */
export function restrictedViolations(pod: JudgedPod): readonly Violation[] {
  return Object.entries(CHECKS).flatMap(([rule, check]) =>
    check(pod).map((problem) => ({ rule, where: pod.where, problem })),
  );
}

/** Names of all controls, so that a test can show that each one fails on something. */
export function restrictedRules(): readonly string[] {
  return Object.keys(CHECKS);
}

const BASELINE_CAPABILITIES: ReadonlySet<unknown> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);
const SELINUX_TYPES: ReadonlySet<unknown> = new Set([
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]);
const SAFE_SYSCTLS: ReadonlySet<unknown> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);
const VOLUME_TYPES: ReadonlySet<string> = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);
const PROFILES: ReadonlySet<unknown> = new Set(['RuntimeDefault', 'Localhost']);

const CHECKS: Readonly<Record<string, Check>> = {
  hostProcess: (pod) =>
    inContexts(pod, (context) => at(context, 'windowsOptions', 'hostProcess') !== true),
  hostNamespaces: ({ spec }) =>
    ['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => spec[field] === true),
  privileged: (pod) => inContainers(pod, (context) => context['privileged'] !== true),
  capabilitiesBaseline: (pod) =>
    inContainers(pod, (context) => added(context).every((name) => BASELINE_CAPABILITIES.has(name))),
  hostPathVolumes: ({ spec }) =>
    list(spec['volumes'])
      .filter((volume) => volume['hostPath'] !== undefined)
      .map(nameOf),
  hostPorts: ({ spec }) =>
    containersOf(spec)
      .filter((container) => list(container['ports']).some(({ hostPort }) => Boolean(hostPort)))
      .map(nameOf),
  hostProbes: ({ spec }) => containersOf(spec).filter(hasHostProbe).map(nameOf),
  appArmor: (pod) => [
    ...inContexts(pod, (context) => {
      const type = at(context, 'appArmorProfile', 'type');
      return type === undefined || PROFILES.has(type);
    }),
    ...Object.entries(pod.annotations)
      .filter(([key]) => key.startsWith('container.apparmor.security.beta.kubernetes.io/'))
      .filter(([, value]) => !/^(|runtime\/default|localhost\/.*)$/.test(value))
      .map(([key]) => key),
  ],
  seLinux: (pod) =>
    inContexts(pod, (context) => {
      const { type, user, role } = record(context['seLinuxOptions']);
      return SELINUX_TYPES.has(type ?? '') && !user && !role;
    }),
  procMount: (pod) =>
    inContainers(pod, ({ procMount }) => procMount === undefined || procMount === 'Default'),
  seccompBaseline: (pod) =>
    inContexts(pod, (context) => at(context, 'seccompProfile', 'type') !== 'Unconfined'),
  sysctls: ({ spec }) =>
    list(at(spec, 'securityContext', 'sysctls'))
      .map(({ name }) => name)
      .filter((name) => !SAFE_SYSCTLS.has(name))
      .map(String),
  restrictedVolumes: ({ spec }) =>
    list(spec['volumes'])
      .filter((volume) => !Object.keys(volume).some((key) => VOLUME_TYPES.has(key)))
      .map(nameOf),
  allowPrivilegeEscalation: (pod) =>
    inContainers(pod, (context) => context['allowPrivilegeEscalation'] === false),
  runAsNonRoot: (pod) =>
    byContainerOrPod(
      pod,
      ({ runAsNonRoot }) => runAsNonRoot,
      (value) => value === true,
    ),
  runAsUser: (pod) => inContexts(pod, ({ runAsUser }) => runAsUser !== 0),
  seccompRestricted: (pod) =>
    byContainerOrPod(
      pod,
      (context) => at(context, 'seccompProfile', 'type'),
      (type) => PROFILES.has(type),
    ),
  capabilitiesRestricted: (pod) =>
    inContainers(pod, (context) => {
      const dropped = at(context, 'capabilities', 'drop');
      const dropsAll = Array.isArray(dropped) && dropped.includes('ALL');
      return dropsAll && added(context).every((name) => name === 'NET_BIND_SERVICE');
    }),
};

function added(context: Json): readonly unknown[] {
  const add = at(context, 'capabilities', 'add');
  return Array.isArray(add) ? add : [];
}

/** Containers whose security context is not fine. */
function inContainers({ spec }: JudgedPod, isFine: (context: Json) => boolean): readonly string[] {
  return containersOf(spec)
    .filter((container) => !isFine(record(container['securityContext'])))
    .map(nameOf);
}

/** The pod and its containers: where a context says something, it must be fine. */
function inContexts(pod: JudgedPod, isFine: (context: Json) => boolean): readonly string[] {
  const ofPod = isFine(record(pod.spec['securityContext'])) ? [] : ['pod'];
  return [...ofPod, ...inContainers(pod, isFine)];
}

/** What a container does not say, the pod says for it; what it says counts. */
function byContainerOrPod(
  pod: JudgedPod,
  read: (context: Json) => unknown,
  isFine: (value: unknown) => boolean,
): readonly string[] {
  const ofPod = read(record(pod.spec['securityContext']));
  const badPod = ofPod !== undefined && ofPod !== null && !isFine(ofPod) ? ['pod'] : [];
  return [...badPod, ...inContainers(pod, (context) => isFine(read(context) ?? ofPod))];
}

/** Pod Security v1.34: the kubelet would connect to whatever host a probe or hook names. */
function hasHostProbe(container: Json): boolean {
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].map((name) => container[name]);
  const hooks = ['postStart', 'preStop'].map((name) => at(container, 'lifecycle', name));
  return [...probes, ...hooks].some((handler) =>
    ['httpGet', 'tcpSocket'].some((kind) => Boolean(at(handler, kind, 'host'))),
  );
}

function nameOf(named: Json): string {
  return String(named['name']);
}

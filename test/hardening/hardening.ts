/*
 * The rows of hardening.md 2.1 to 2.7, judged on rendered objects. Together with `restricted.ts` this is what every
 * pod, Service and NetworkPolicy of ours must satisfy, whatever a user wrote.
 */
import type { Json, JudgedPod, Violation } from './pods.js';
import { at, containersOf, list, podsIn, record, strings, text, whereOf } from './pods.js';
import { restrictedViolations } from './restricted.js';

type PodRule = (pod: JudgedPod) => readonly string[];
type ContainerRule = (container: Json, pod: JudgedPod) => string | undefined;
type ObjectRule = (object: Json, all: readonly Json[]) => readonly string[];

/** Everything that is wrong with `objects`; empty: each satisfies the baseline. */
export function hardeningViolations(objects: readonly unknown[]): readonly Violation[] {
  const all = objects.map(record);
  const ofPods = podsIn(objects).flatMap((pod) => [
    ...restrictedViolations(pod),
    ...judged(POD_RULES, pod.where, (rule) => rule(pod)),
    ...judged(CONTAINER_RULES, pod.where, (rule) =>
      containersOf(pod.spec).flatMap((container) => named(container, rule(container, pod))),
    ),
    ...judged(LONG_RUNNING_RULES, pod.where, (rule) =>
      list(pod.spec['containers']).flatMap((container) => named(container, rule(container, pod))),
    ),
  ]);
  const ofObjects = all.flatMap((object) =>
    judged(OBJECT_RULES, whereOf(object), (rule) => rule(object, all)),
  );
  return [...ofPods, ...ofObjects];
}

function judged<Rule>(
  rules: Readonly<Record<string, Rule>>,
  where: string,
  judge: (rule: Rule) => readonly string[],
): readonly Violation[] {
  return Object.entries(rules).flatMap(([rule, one]) =>
    judge(one).map((problem) => ({ rule, where, problem })),
  );
}

function named(container: Json, problem: string | undefined): readonly string[] {
  return problem === undefined ? [] : [`${String(container['name'])}: ${problem}`];
}

const unless = (holds: boolean, problem: string): readonly string[] => (holds ? [] : [problem]);
const problemUnless = (holds: boolean, problem: string): string | undefined =>
  holds ? undefined : problem;

/** Above 10000: in no image's user list by chance. */
const isHighId = (value: unknown): boolean => typeof value === 'number' && value > 10_000;

/** Names of all rules, so that a test can show that each one fails on something. */
export function hardeningRules(): readonly string[] {
  return [POD_RULES, CONTAINER_RULES, LONG_RUNNING_RULES, OBJECT_RULES].flatMap(Object.keys);
}

const POD_RULES: Readonly<Record<string, PodRule>> = {
  podIdentity: ({ spec }) => {
    const context = record(spec['securityContext']);
    return [
      ...unless(context['runAsNonRoot'] === true, 'runAsNonRoot is not true'),
      ...['runAsUser', 'runAsGroup', 'fsGroup'].filter((field) => !isHighId(context[field])),
      ...unless(context['fsGroupChangePolicy'] === 'OnRootMismatch', 'fsGroupChangePolicy'),
      ...unless(!list(context['supplementalGroups']).length, 'supplementalGroups'),
      ...unless(at(context, 'seccompProfile', 'type') === 'RuntimeDefault', 'seccompProfile'),
      ...unless(context['sysctls'] === undefined, 'sysctls'),
    ];
  },
  // Absent is false: the API server drops `false` of these three, and stored objects are judged too.
  noHostNamespaces: ({ spec }) =>
    ['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => Boolean(spec[field])),
  noSharedProcesses: ({ spec }) => unless(spec['shareProcessNamespace'] === false, 'not false'),
  noHostAliases: ({ spec }) => unless(spec['hostAliases'] === undefined, 'hostAliases is set'),
  hostUsersOnlyFalse: ({ spec }) => unless(spec['hostUsers'] !== true, 'hostUsers is true'),
  noToken: ({ spec }) =>
    unless(spec['automountServiceAccountToken'] === false, 'automountServiceAccountToken'),
  noServiceLinks: ({ spec }) => unless(spec['enableServiceLinks'] === false, 'enableServiceLinks'),
  ownServiceAccount: ({ spec }) => [
    ...unless(
      !['', 'default', undefined].includes(spec['serviceAccountName'] as string),
      'default',
    ),
    ...unless(spec['serviceAccount'] === undefined, 'the deprecated field serviceAccount is set'),
  ],
  antiAffinity: ({ spec }) => {
    const affinity = at(spec, 'affinity', 'podAntiAffinity');
    const preferred = list(at(affinity, 'preferredDuringSchedulingIgnoredDuringExecution'));
    const keys = preferred.map((term) => at(term, 'podAffinityTerm', 'topologyKey'));
    return unless(keys.includes('kubernetes.io/hostname'), 'no anti-affinity by host name');
  },
  zoneSpread: ({ spec }) => {
    const keys = list(spec['topologySpreadConstraints']).map(({ topologyKey }) => topologyKey);
    return unless(keys.includes('topology.kubernetes.io/zone'), 'no spread over zones');
  },
  ndots: ({ spec }) => {
    const options = list(at(spec, 'dnsConfig', 'options'));
    const found = options.some(({ name, value }) => name === 'ndots' && value === '2');
    return unless(found, 'dnsConfig has no ndots:2');
  },
  gracePeriod: ({ spec }) => {
    const grace = Number(spec['terminationGracePeriodSeconds'] ?? 0);
    const sleeps = list(spec['containers']).map((container) =>
      Number(at(container, 'lifecycle', 'preStop', 'sleep', 'seconds') ?? 0),
    );
    return unless(grace > Math.max(0, ...sleeps), 'shorter than the preStop sleep');
  },
  ownPriorityClass: ({ spec }) =>
    unless(!text(spec['priorityClassName']).startsWith('system-'), 'a system- class'),
  secretModes: ({ spec }) =>
    list(spec['volumes']).flatMap(({ name, secret }) =>
      secret === undefined || [0o400, 0o440].includes(Number(at(secret, 'defaultMode')))
        ? []
        : [`${String(name)} has mode ${Number(at(secret, 'defaultMode')).toString(8)}`],
    ),
  itemModes: ({ spec }) =>
    list(spec['volumes']).flatMap(({ name, secret }) =>
      list(at(secret, 'items')).some(
        ({ mode }) => mode !== undefined && ![0o400, 0o440].includes(Number(mode)),
      )
        ? [String(name)]
        : [],
    ),
  configModes: ({ spec }) =>
    list(spec['volumes']).flatMap(({ name, configMap }) =>
      configMap === undefined || Number(at(configMap, 'defaultMode')) === 0o444
        ? []
        : [String(name)],
    ),
  emptyDirLimits: ({ spec }) =>
    list(spec['volumes']).flatMap(({ name, emptyDir }) =>
      emptyDir === undefined || at(emptyDir, 'sizeLimit') !== undefined ? [] : [String(name)],
    ),
  noTokenVolume: ({ spec }) =>
    list(spec['volumes']).flatMap(({ name, projected }) =>
      list(at(projected, 'sources')).some((source) => source['serviceAccountToken'] !== undefined)
        ? [String(name)]
        : [],
    ),
};

const AMOUNTS = ['cpu', 'memory', 'ephemeral-storage'] as const;

/** Every container, init containers too. */
const CONTAINER_RULES: Readonly<Record<string, ContainerRule>> = {
  containerIdentity: ({ securityContext }) => {
    const context = record(securityContext);
    const ids = isHighId(context['runAsUser']) && isHighId(context['runAsGroup']);
    return problemUnless(context['runAsNonRoot'] === true && ids, 'runs as root or a low id');
  },
  explicitUnprivileged: ({ securityContext }) =>
    problemUnless(record(securityContext)['privileged'] === false, 'privileged is not false'),
  readOnlyRoot: ({ securityContext }) =>
    problemUnless(record(securityContext)['readOnlyRootFilesystem'] === true, 'writable root'),
  noAddedCapability: ({ securityContext }) => {
    const { drop, add } = record(at(securityContext, 'capabilities'));
    const dropsOnlyAll = JSON.stringify(drop) === '["ALL"]';
    return problemUnless(
      dropsOnlyAll && (add === undefined || JSON.stringify(add) === '[]'),
      'adds',
    );
  },
  containerSeccomp: ({ securityContext }) =>
    problemUnless(at(securityContext, 'seccompProfile', 'type') === 'RuntimeDefault', 'seccomp'),
  pinnedImage: ({ image }) => {
    const reference = text(image);
    const [name = '', digest] = reference.split('@');
    const tag = /:([^/:]+)$/.exec(name)?.[1];
    const byDigest = digest !== undefined && /^sha256:[0-9a-f]{64}$/.test(digest);
    return problemUnless(byDigest && tag !== 'latest', `${reference} has no digest`);
  },
  pullPolicy: ({ image, imagePullPolicy }) => {
    const allowed = String(image).includes('@') ? ['IfNotPresent', 'Always'] : ['Always'];
    return problemUnless(allowed.includes(String(imagePullPolicy)), String(imagePullPolicy));
  },
  boundedResources: ({ resources }) => {
    const missing = ['requests', 'limits'].flatMap((side) =>
      AMOUNTS.filter((amount) => at(resources, side, amount) === undefined).map(
        (name) => `${side}.${name}`,
      ),
    );
    return problemUnless(missing.length === 0, missing.join(' '));
  },
  noSecretEnvironment: ({ env, envFrom }) => {
    const fromSecret = list(env).filter(
      (entry) => at(entry, 'valueFrom', 'secretKeyRef') !== undefined,
    );
    const telling = list(env).filter(({ name }) => SECRET_NAME.test(String(name)));
    const found = [...fromSecret, ...telling].map(({ name }) => String(name));
    return problemUnless(found.length === 0 && envFrom === undefined, `env ${found.join(' ')}`);
  },
  printableArguments: ({ command, args, env }) => {
    const texts = [
      ...(Array.isArray(command) ? command : []),
      ...(Array.isArray(args) ? args : []),
    ];
    const values = list(env).flatMap(({ name, value }) => [name, value ?? '']);
    const odd = [...texts, ...values].find((one) => CONTROL.test(String(one)));
    return problemUnless(odd === undefined, 'control characters');
  },
  noWritableSecret: ({ volumeMounts }, pod) => {
    const readOnly = new Set(
      list(pod.spec['volumes'])
        .filter(({ secret, configMap }) => secret !== undefined || configMap !== undefined)
        .map(({ name }) => name),
    );
    const writable = list(volumeMounts).find(
      (mount) => readOnly.has(mount['name']) && mount['readOnly'] !== true,
    );
    return problemUnless(writable === undefined, String(writable?.['mountPath']));
  },
};

const SECRET_NAME = /(passw|secret|token|credential|private|api_?key)/i;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Containers that stay. */
const LONG_RUNNING_RULES: Readonly<Record<string, ContainerRule>> = {
  probes: (container) => {
    const ports = list(container['ports']).map(({ name }) => name);
    const probes = ['readinessProbe', 'livenessProbe', 'startupProbe'].map(
      (name) => container[name],
    );
    const fine = probes.every((probe) => ports.includes(at(probe, 'httpGet', 'port')));
    return problemUnless(fine, 'a probe is missing or names no declared port');
  },
  probesDiffer: ({ readinessProbe, livenessProbe }) =>
    problemUnless(
      at(readinessProbe, 'httpGet', 'path') !== at(livenessProbe, 'httpGet', 'path'),
      'readiness and liveness ask the same',
    ),
  namedPorts: ({ ports }) =>
    problemUnless(
      list(ports).every(({ name, protocol }) => Boolean(name) && Boolean(protocol)),
      'a port has no name or protocol',
    ),
};

const RECOMMENDED_LABELS = ['name', 'instance', 'component', 'part-of', 'managed-by'].map(
  (label) => `app.kubernetes.io/${label}`,
);
/** Objects of a whole namespace belong to no instance. */
const OF_RESOURCE = 'sallyport.dev/owner-uid';

const OBJECT_RULES: Readonly<Record<string, ObjectRule>> = {
  labels: (object) => {
    const labels = strings(at(object, 'metadata', 'labels'));
    const wanted =
      labels[OF_RESOURCE] === undefined ? ['app.kubernetes.io/managed-by'] : RECOMMENDED_LABELS;
    return wanted.filter((label) => !labels[label]);
  },
  tokenlessServiceAccount: (object) =>
    object['kind'] === 'ServiceAccount'
      ? unless(object['automountServiceAccountToken'] === false, 'mounts a token')
      : [],
  serviceType: (object) =>
    object['kind'] === 'Service' ? serviceProblems(record(object['spec'])) : [],
  networkPolicy: (object) =>
    object['kind'] === 'NetworkPolicy' ? policyProblems(record(object['spec'])) : [],
  isolated: (object, all) =>
    podsIn([object]).flatMap((pod) =>
      unless(
        all.some((other) => other['kind'] === 'NetworkPolicy' && selects(other, pod)),
        'no NetworkPolicy selects its pods',
      ),
    ),
  evictable: (object) => {
    if (object['kind'] !== 'PodDisruptionBudget') return [];
    const { maxUnavailable, unhealthyPodEvictionPolicy } = record(object['spec']);
    return [
      ...unless(maxUnavailable === 1, 'maxUnavailable is not 1'),
      ...unless(unhealthyPodEvictionPolicy === 'AlwaysAllow', 'broken pods hold up a drain'),
    ];
  },
  budgeted: (object, all) =>
    podsIn([object]).flatMap((pod) =>
      unless(
        all.some(
          (other) =>
            other['kind'] === 'PodDisruptionBudget' &&
            matches(at(other, 'spec', 'selector'), pod.labels),
        ),
        'no PodDisruptionBudget selects its pods',
      ),
    ),
  rollout: (object) =>
    object['kind'] === 'Deployment' ? rolloutProblems(record(object['spec'])) : [],
  scaledByOne: (object, all) => {
    const scaled = all.some(
      (other) =>
        other['kind'] === 'HorizontalPodAutoscaler' &&
        at(other, 'spec', 'scaleTargetRef', 'kind') === object['kind'] &&
        at(other, 'spec', 'scaleTargetRef', 'name') === at(object, 'metadata', 'name'),
    );
    return unless(
      !scaled || at(object, 'spec', 'replicas') === undefined,
      'replicas beside an HPA',
    );
  },
  slowScaleDown: (object) =>
    object['kind'] === 'HorizontalPodAutoscaler'
      ? unless(
          Number(at(object, 'spec', 'behavior', 'scaleDown', 'stabilizationWindowSeconds')) >= 300,
          'scales down at once',
        )
      : [],
  noSecretInConfigMap: (object) =>
    object['kind'] === 'ConfigMap'
      ? Object.entries(record(object['data']))
          .filter(([, content]) => /PRIVATE KEY/.test(text(content)))
          .map(([key]) => key)
      : [],
  typedSecret: (object) =>
    object['kind'] === 'Secret' ? unless(Boolean(object['type']), 'type is not set') : [],
};

function serviceProblems(spec: Json): readonly string[] {
  const balanced = spec['type'] === 'LoadBalancer';
  const ports = list(spec['ports']);
  return [
    ...unless(['ClusterIP', 'LoadBalancer'].includes(String(spec['type'])), String(spec['type'])),
    ...unless(spec['externalIPs'] === undefined, 'externalIPs'),
    ...unless(
      ports.every(({ nodePort }) => nodePort === undefined),
      'nodePort',
    ),
    ...unless(
      ports.every(({ name, protocol }) => Boolean(name) && Boolean(protocol)),
      'ports',
    ),
    ...unless(
      ports.every(({ targetPort }) => typeof targetPort === 'string'),
      'targetPort is a number',
    ),
    ...unless(spec['ipFamilyPolicy'] === 'PreferDualStack', 'ipFamilyPolicy'),
    ...unless(spec['internalTrafficPolicy'] !== undefined, 'internalTrafficPolicy'),
    ...unless(Object.keys(record(spec['selector'])).length > 0, 'selects nothing'),
    ...unless(!balanced || spec['externalTrafficPolicy'] === 'Local', 'hides client addresses'),
    ...unless(
      !balanced || spec['allocateLoadBalancerNodePorts'] !== undefined,
      'node ports by default',
    ),
  ];
}

function policyProblems(spec: Json): readonly string[] {
  const types = Array.isArray(spec['policyTypes']) ? (spec['policyTypes'] as unknown[]) : [];
  const rules = [...list(spec['ingress']), ...list(spec['egress'])];
  const labels = record(at(spec, 'podSelector', 'matchLabels'));
  const peers = rules.flatMap((rule) => [...list(rule['from']), ...list(rule['to'])]);
  return [
    ...unless(types.includes('Ingress') && types.includes('Egress'), 'not both directions'),
    ...unless(Object.keys(labels).length > 0, 'selects every pod of the namespace'),
    ...unless(
      rules.every(({ ports }) => list(ports).length > 0),
      'a rule opens every port',
    ),
    ...unless(
      rules.every(({ from, to }) =>
        [from, to].every((side) => side === undefined || list(side).length > 0),
      ),
      'an empty peer list means everyone',
    ),
    ...unless(
      peers.every((peer) => Object.keys(peer).length > 0),
      'an empty peer',
    ),
    ...unless(
      list(spec['egress']).every(({ to }) => to !== undefined || rulesForClientsOnly(spec)),
      'egress to everyone',
    ),
  ];
}

/** Relays answer clients of unknown addresses: that egress is UDP alone. */
function rulesForClientsOnly(spec: Json): boolean {
  return list(spec['egress'])
    .filter(({ to }) => to === undefined)
    .every(({ ports }) => list(ports).every(({ protocol }) => protocol === 'UDP'));
}

function rolloutProblems(spec: Json): readonly string[] {
  const { maxUnavailable, maxSurge } = record(at(spec, 'strategy', 'rollingUpdate'));
  return [
    ...unless(maxUnavailable === 0 && maxSurge === 1, 'loses pods while it rolls'),
    ...unless(Number(spec['progressDeadlineSeconds']) > 0, 'no progressDeadlineSeconds'),
    ...unless(spec['revisionHistoryLimit'] === 5, 'revisionHistoryLimit'),
  ];
}

function selects(policy: Json, pod: JudgedPod): boolean {
  const sameNamespace = text(at(policy, 'metadata', 'namespace')) === pod.namespace;
  return sameNamespace && matches(at(policy, 'spec', 'podSelector'), pod.labels);
}

/** Label selectors of ours have `matchLabels` only. */
function matches(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(strings(at(selector, 'matchLabels')));
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

import { describe, expect, it } from '@jest/globals';

import { podDisruptionBudget, horizontalPodAutoscaler } from '../src/operator/pods/availability.js';
import { imageReference } from '../src/operator/pods/image.js';
import { dnsEgress, networkPolicy } from '../src/operator/pods/network-policy.js';
import { configMap, serviceAccount } from '../src/operator/pods/objects.js';
import { hardenedPodTemplate } from '../src/operator/pods/pod.js';
import { service } from '../src/operator/pods/service.js';
import { configMapVolume, emptyDirVolume, secretVolume } from '../src/operator/pods/volumes.js';
import { deployment } from '../src/operator/pods/workload.js';
import { hardeningRules, hardeningViolations } from './hardening/hardening.js';
import { podsIn } from './hardening/pods.js';
import { restrictedRules, restrictedViolations } from './hardening/restricted.js';

const LABELS = {
  'app.kubernetes.io/name': 'signaling-gateway',
  'app.kubernetes.io/instance': 'edge',
  'app.kubernetes.io/component': 'gateway',
  'app.kubernetes.io/part-of': 'sallyport',
  'app.kubernetes.io/managed-by': 'sallyport',
};
const metadata = {
  name: 'edge-gateway',
  namespace: 'chat',
  labels: { ...LABELS, 'sallyport.dev/owner-uid': 'u' },
};
const AMOUNTS = { cpu: '250m', memory: '256Mi', 'ephemeral-storage': '64Mi' };
const image = imageReference({
  repository: 'registry.example.com/sallyport/sallyport',
  tag: '0.1.0',
  digest: `sha256:${'ab'.repeat(32)}`,
});

/** Everything that a workload of ours has, as rooms build it; mutable, so that a test can break it. */
function goodObjects(): any {
  const template = hardenedPodTemplate({
    labels: LABELS,
    selector: LABELS,
    serviceAccountName: 'edge-gateway',
    containers: [
      {
        name: 'gateway',
        image,
        command: ['node', 'dist/bin/gateway.js'],
        env: [
          { name: 'POD_NAME', field: 'metadata.name' },
          { name: 'NODE_ENV', value: 'production' },
        ],
        ports: [
          { name: 'https', port: 8443, protocol: 'TCP' },
          { name: 'metrics', port: 9090, protocol: 'TCP' },
        ],
        mounts: [
          { volume: 'keys', path: '/etc/keys' },
          { volume: 'settings', path: '/etc/settings' },
          { volume: 'scratch', path: '/var/scratch', readOnly: false },
        ],
        resources: { requests: AMOUNTS, limits: AMOUNTS },
        probes: {
          readiness: { path: '/readyz', port: 'metrics' },
          liveness: { path: '/livez', port: 'metrics' },
          startup: { path: '/livez', port: 'metrics' },
        },
        preStopSleepSeconds: 5,
      },
    ],
    initContainers: [
      {
        name: 'migrate',
        image,
        command: ['node'],
        resources: { requests: AMOUNTS, limits: AMOUNTS },
      },
    ],
    volumes: [
      secretVolume({ volume: 'keys', name: 'edge-keys' }),
      configMapVolume({ volume: 'settings', name: 'edge-settings' }),
      emptyDirVolume('scratch', '16Mi'),
    ],
    terminationGracePeriodSeconds: 60,
  });
  return structuredClone({
    workload: deployment({
      metadata,
      selector: LABELS,
      template,
      replicas: 2,
      minReadySeconds: 5,
      progressDeadlineSeconds: 600,
    }),
    policy: networkPolicy({
      metadata,
      podLabels: LABELS,
      ingress: [{ peers: 'Anyone', ports: [{ port: 'https', protocol: 'TCP' }] }],
      egress: [dnsEgress()],
    }),
    budget: podDisruptionBudget({ metadata, selector: LABELS }),
    service: service({
      metadata,
      selector: LABELS,
      ports: [{ name: 'https', port: 8443, targetPort: 'https', protocol: 'TCP' }],
      exposure: { type: 'LoadBalancer' },
    }),
    account: serviceAccount(metadata),
    settings: configMap(metadata, { 'settings.json': '{}' }),
    secret: { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data: {} },
  });
}

const scaler = horizontalPodAutoscaler({
  metadata,
  target: { kind: 'Deployment', name: 'edge-gateway' },
  autoscaling: { minReplicas: 2, maxReplicas: 5, targetCpuUtilizationPercent: 70 },
});

/** Breaks one thing. `pod` and `container` are those of the workload. */
type Break = (parts: { pod: any; container: any; init: any; template: any; objects: any }) => void;

function violationsAfter(breakIt: Break) {
  const objects = goodObjects();
  const { template } = objects.workload.spec;
  const pod = template.spec;
  breakIt({ pod, template, container: pod.containers[0], init: pod.initContainers[0], objects });
  const all = Object.values(objects);
  return {
    restricted: podsIn(all).flatMap(restrictedViolations),
    hardening: hardeningViolations(all),
  };
}

/** The published controls: at least one way to violate each. */
const RESTRICTED_BREAKS: readonly (readonly [string, Break])[] = [
  ['hostProcess', ({ pod }) => (pod.securityContext.windowsOptions = { hostProcess: true })],
  ['hostNamespaces', ({ pod }) => (pod.hostNetwork = true)],
  ['hostNamespaces', ({ pod }) => (pod.hostPID = true)],
  ['hostNamespaces', ({ pod }) => (pod.hostIPC = true)],
  ['privileged', ({ container }) => (container.securityContext.privileged = true)],
  ['capabilitiesBaseline', ({ init }) => (init.securityContext.capabilities.add = ['SYS_ADMIN'])],
  ['hostPathVolumes', ({ pod }) => pod.volumes.push({ name: 'x', hostPath: { path: '/' } })],
  ['hostPorts', ({ container }) => (container.ports[0].hostPort = 8443)],
  ['hostProbes', ({ container }) => (container.livenessProbe.httpGet.host = '10.0.0.1')],
  [
    'hostProbes',
    ({ container }) => (container.lifecycle = { preStop: { httpGet: { host: 'a', port: 1 } } }),
  ],
  ['appArmor', ({ pod }) => (pod.securityContext.appArmorProfile = { type: 'Unconfined' })],
  [
    'appArmor',
    ({ template }) =>
      (template.metadata.annotations = {
        'container.apparmor.security.beta.kubernetes.io/gateway': 'unconfined',
      }),
  ],
  ['seLinux', ({ pod }) => (pod.securityContext.seLinuxOptions = { type: 'spc_t' })],
  ['seLinux', ({ container }) => (container.securityContext.seLinuxOptions = { user: 'root' })],
  ['procMount', ({ container }) => (container.securityContext.procMount = 'Unmasked')],
  ['seccompBaseline', ({ init }) => (init.securityContext.seccompProfile.type = 'Unconfined')],
  ['sysctls', ({ pod }) => (pod.securityContext.sysctls = [{ name: 'kernel.msgmax', value: '1' }])],
  [
    'restrictedVolumes',
    ({ pod }) => pod.volumes.push({ name: 'x', nfs: { server: 's', path: '/' } }),
  ],
  [
    'allowPrivilegeEscalation',
    ({ container }) => delete container.securityContext.allowPrivilegeEscalation,
  ],
  ['runAsNonRoot', ({ container }) => (container.securityContext.runAsNonRoot = false)],
  ['runAsNonRoot', ({ pod }) => (pod.securityContext.runAsNonRoot = false)],
  ['runAsUser', ({ init }) => (init.securityContext.runAsUser = 0)],
  [
    'seccompRestricted',
    ({ pod, container }) => {
      delete pod.securityContext.seccompProfile;
      delete container.securityContext.seccompProfile;
    },
  ],
  ['capabilitiesRestricted', ({ container }) => delete container.securityContext.capabilities.drop],
  [
    'capabilitiesRestricted',
    ({ container }) => (container.securityContext.capabilities.add = ['CHOWN']),
  ],
];

const HARDENING_BREAKS: readonly (readonly [string, Break])[] = [
  ['podIdentity', ({ pod }) => (pod.securityContext.fsGroup = 0)],
  ['podIdentity', ({ pod }) => delete pod.securityContext.fsGroupChangePolicy],
  ['podIdentity', ({ pod }) => (pod.securityContext.supplementalGroups = [0])],
  ['noHostNamespaces', ({ pod }) => (pod.hostPID = true)],
  ['noSharedProcesses', ({ pod }) => delete pod.shareProcessNamespace],
  ['noHostAliases', ({ pod }) => (pod.hostAliases = [{ ip: '10.0.0.1', hostnames: ['a'] }])],
  ['hostUsersOnlyFalse', ({ pod }) => (pod.hostUsers = true)],
  ['noToken', ({ pod }) => (pod.automountServiceAccountToken = true)],
  ['noServiceLinks', ({ pod }) => delete pod.enableServiceLinks],
  ['ownServiceAccount', ({ pod }) => (pod.serviceAccountName = 'default')],
  ['ownServiceAccount', ({ pod }) => (pod.serviceAccount = 'edge-gateway')],
  ['antiAffinity', ({ pod }) => delete pod.affinity],
  ['zoneSpread', ({ pod }) => (pod.topologySpreadConstraints = [])],
  ['ndots', ({ pod }) => delete pod.dnsConfig],
  ['gracePeriod', ({ pod }) => (pod.terminationGracePeriodSeconds = 5)],
  ['ownPriorityClass', ({ pod }) => (pod.priorityClassName = 'system-node-critical')],
  ['secretModes', ({ pod }) => (pod.volumes[0].secret.defaultMode = 0o644)],
  ['secretModes', ({ pod }) => delete pod.volumes[0].secret.defaultMode],
  [
    'itemModes',
    ({ pod }) => (pod.volumes[0].secret.items = [{ key: 'a', path: 'a', mode: 0o777 }]),
  ],
  ['configModes', ({ pod }) => (pod.volumes[1].configMap.defaultMode = 0o777)],
  ['emptyDirLimits', ({ pod }) => delete pod.volumes[2].emptyDir.sizeLimit],
  [
    'noTokenVolume',
    ({ pod }) =>
      pod.volumes.push({
        name: 't',
        projected: { sources: [{ serviceAccountToken: { path: 't' } }] },
      }),
  ],
  ['containerIdentity', ({ init }) => (init.securityContext.runAsGroup = 0)],
  ['containerIdentity', ({ container }) => (container.securityContext.runAsUser = 1000)],
  ['explicitUnprivileged', ({ init }) => delete init.securityContext.privileged],
  ['readOnlyRoot', ({ init }) => (init.securityContext.readOnlyRootFilesystem = false)],
  [
    'noAddedCapability',
    ({ container }) => (container.securityContext.capabilities.add = ['NET_BIND_SERVICE']),
  ],
  ['containerSeccomp', ({ init }) => delete init.securityContext.seccompProfile],
  ['pinnedImage', ({ container }) => (container.image = 'registry.example.com/x:1.0')],
  ['pullPolicy', ({ container }) => (container.imagePullPolicy = 'Never')],
  ['boundedResources', ({ init }) => delete init.resources.limits['ephemeral-storage']],
  ['boundedResources', ({ container }) => delete container.resources.requests.cpu],
  [
    'noSecretEnvironment',
    ({ container }) =>
      container.env.push({ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }),
  ],
  [
    'noSecretEnvironment',
    ({ container }) => container.env.push({ name: 'DB_PASSWORD', value: 'x' }),
  ],
  ['noSecretEnvironment', ({ init }) => (init.envFrom = [{ secretRef: { name: 's' } }])],
  ['printableArguments', ({ container }) => container.env.push({ name: 'A', value: 'a\nB=c' })],
  ['noWritableSecret', ({ container }) => delete container.volumeMounts[0].readOnly],
  ['probes', ({ container }) => delete container.startupProbe],
  ['probes', ({ container }) => (container.livenessProbe.httpGet.port = 9090)],
  ['probesDiffer', ({ container }) => (container.readinessProbe.httpGet.path = '/livez')],
  ['namedPorts', ({ container }) => delete container.ports[0].name],
  [
    'labels',
    ({ objects }) => delete objects.settings.metadata.labels['app.kubernetes.io/instance'],
  ],
  ['tokenlessServiceAccount', ({ objects }) => delete objects.account.automountServiceAccountToken],
  ['serviceType', ({ objects }) => (objects.service.spec.type = 'NodePort')],
  ['serviceType', ({ objects }) => delete objects.service.spec.allocateLoadBalancerNodePorts],
  ['serviceType', ({ objects }) => (objects.service.spec.externalTrafficPolicy = 'Cluster')],
  ['networkPolicy', ({ objects }) => (objects.policy.spec.policyTypes = ['Ingress'])],
  ['networkPolicy', ({ objects }) => (objects.policy.spec.podSelector = {})],
  ['networkPolicy', ({ objects }) => delete objects.policy.spec.ingress[0].ports],
  ['networkPolicy', ({ objects }) => delete objects.policy.spec.egress[0].to],
  ['networkPolicy', ({ objects }) => (objects.policy.spec.egress[0].to = [])],
  ['isolated', ({ objects }) => delete objects.policy],
  ['isolated', ({ objects }) => (objects.policy.metadata.namespace = 'elsewhere')],
  ['evictable', ({ objects }) => (objects.budget.spec.maxUnavailable = 0)],
  ['evictable', ({ objects }) => delete objects.budget.spec.unhealthyPodEvictionPolicy],
  ['budgeted', ({ objects }) => delete objects.budget],
  ['rollout', ({ objects }) => (objects.workload.spec.strategy = { type: 'Recreate' })],
  ['rollout', ({ objects }) => delete objects.workload.spec.progressDeadlineSeconds],
  ['scaledByOne', ({ objects }) => (objects.scaler = scaler)],
  [
    'slowScaleDown',
    ({ objects }) => {
      delete objects.workload.spec.replicas;
      objects.scaler = structuredClone(scaler);
      objects.scaler.spec.behavior.scaleDown.stabilizationWindowSeconds = 0;
    },
  ],
  [
    'noSecretInConfigMap',
    ({ objects }) => (objects.settings.data.key = '-----BEGIN PRIVATE KEY-----'),
  ],
  ['typedSecret', ({ objects }) => delete objects.secret.type],
];

describe('what our builders render', () => {
  it('S178: satisfies the restricted profile and every row of hardening.md', () => {
    const { restricted, hardening } = violationsAfter(() => undefined);
    expect(restricted).toEqual([]);
    expect(hardening).toEqual([]);
  });

  it('S176: mounts Secrets with mode 0440, readable by nobody else', () => {
    const pod = goodObjects().workload.spec.template.spec;
    expect(pod.volumes[0]).toEqual({
      name: 'keys',
      secret: { secretName: 'edge-keys', defaultMode: 288 },
    });
  });

  it('S177: runs as a user and group that own their volumes and nothing else', () => {
    expect(goodObjects().workload.spec.template.spec.securityContext).toMatchObject({
      runAsUser: 65_532,
      runAsGroup: 65_532,
      fsGroup: 65_532,
    });
  });
});

describe('the judge of the restricted profile', () => {
  it.each(RESTRICTED_BREAKS)('sees a violation of %s', (rule, breakIt) => {
    const rules = violationsAfter(breakIt).restricted.map((violation) => violation.rule);
    expect(rules).toContain(rule);
  });

  it('has a broken pod for each of its controls', () => {
    expect([...new Set(RESTRICTED_BREAKS.map(([rule]) => rule))].sort()).toEqual(
      [...restrictedRules()].sort(),
    );
  });

  it('lets a container inherit from its pod', () => {
    const { restricted } = violationsAfter(({ container }) => {
      delete container.securityContext.seccompProfile;
      delete container.securityContext.runAsNonRoot;
    });
    expect(restricted).toEqual([]);
  });
});

describe('the judge of hardening.md', () => {
  it.each(HARDENING_BREAKS)('sees a violation of %s', (rule, breakIt) => {
    const rules = violationsAfter(breakIt).hardening.map((violation) => violation.rule);
    expect(rules).toContain(rule);
  });

  it('has a broken object for each of its rules', () => {
    expect([...new Set(HARDENING_BREAKS.map(([rule]) => rule))].sort()).toEqual(
      [...hardeningRules()].sort(),
    );
  });
});

import { describe, expect, it } from '@jest/globals';

import { horizontalPodAutoscaler } from '../src/operator/pods/availability.js';
import type { Break, Loose } from './hardening/broken-pods.js';
import {
  brokenObjects,
  goodObjects,
  metadata,
  RESTRICTED_BREAKS,
} from './hardening/broken-pods.js';
import { hardeningRules, hardeningViolations } from './hardening/hardening.js';
import { podsIn } from './hardening/pods.js';
import { restrictedRules, restrictedViolations } from './hardening/restricted.js';

const scaler = horizontalPodAutoscaler({
  metadata,
  target: { kind: 'Deployment', name: 'edge-gateway' },
  autoscaling: { minReplicas: 2, maxReplicas: 5, targetCpuUtilizationPercent: 70 },
});

function violationsAfter(breaks: Break) {
  const all = Object.values(brokenObjects(breaks));
  return {
    restricted: podsIn(all).flatMap(restrictedViolations),
    hardening: hardeningViolations(all),
  };
}

const HARDENING_BREAKS: readonly (readonly [string, Break])[] = [
  ['podIdentity', { 'pod.securityContext.fsGroup': 0 }],
  ['podIdentity', { 'pod.securityContext.fsGroupChangePolicy': undefined }],
  ['podIdentity', { 'pod.securityContext.supplementalGroups': [0] }],
  ['noHostNamespaces', { 'pod.hostPID': true }],
  ['noSharedProcesses', { 'pod.shareProcessNamespace': undefined }],
  ['noHostAliases', { 'pod.hostAliases': [{ ip: '10.0.0.1', hostnames: ['a'] }] }],
  ['hostUsersOnlyFalse', { 'pod.hostUsers': true }],
  ['noToken', { 'pod.automountServiceAccountToken': true }],
  ['noServiceLinks', { 'pod.enableServiceLinks': undefined }],
  ['ownServiceAccount', { 'pod.serviceAccountName': 'default' }],
  ['ownServiceAccount', { 'pod.serviceAccount': 'edge-gateway' }],
  ['antiAffinity', { 'pod.affinity': undefined }],
  ['zoneSpread', { 'pod.topologySpreadConstraints': [] }],
  ['ndots', { 'pod.dnsConfig': undefined }],
  ['gracePeriod', { 'pod.terminationGracePeriodSeconds': 5 }],
  ['ownPriorityClass', { 'pod.priorityClassName': 'system-node-critical' }],
  ['secretModes', { 'pod.volumes.0.secret.defaultMode': 0o644 }],
  ['secretModes', { 'pod.volumes.0.secret.defaultMode': undefined }],
  ['itemModes', { 'pod.volumes.0.secret.items': [{ key: 'a', path: 'a', mode: 0o777 }] }],
  ['configModes', { 'pod.volumes.1.configMap.defaultMode': 0o777 }],
  ['emptyDirLimits', { 'pod.volumes.2.emptyDir.sizeLimit': undefined }],
  [
    'noTokenVolume',
    { 'pod.volumes.3': { name: 't', projected: { sources: [{ serviceAccountToken: {} }] } } },
  ],
  ['containerIdentity', { 'init.securityContext.runAsGroup': 0 }],
  ['containerIdentity', { 'container.securityContext.runAsUser': 1000 }],
  ['explicitUnprivileged', { 'init.securityContext.privileged': undefined }],
  ['readOnlyRoot', { 'init.securityContext.readOnlyRootFilesystem': false }],
  ['noAddedCapability', { 'container.securityContext.capabilities.add': ['NET_BIND_SERVICE'] }],
  ['containerSeccomp', { 'init.securityContext.seccompProfile': undefined }],
  ['pinnedImage', { 'container.image': 'registry.example.com/x:1.0' }],
  ['pullPolicy', { 'container.imagePullPolicy': 'Never' }],
  ['boundedResources', { 'init.resources.limits.ephemeral-storage': undefined }],
  ['boundedResources', { 'container.resources.requests.cpu': undefined }],
  ['noSecretEnvironment', { 'container.env.2': { name: 'A', valueFrom: { secretKeyRef: {} } } }],
  ['noSecretEnvironment', { 'container.env.2': { name: 'DB_PASSWORD', value: 'x' } }],
  ['noSecretEnvironment', { 'init.envFrom': [{ secretRef: { name: 's' } }] }],
  ['printableArguments', { 'container.env.2': { name: 'A', value: 'a\nB=c' } }],
  ['noWritableSecret', { 'container.volumeMounts.0.readOnly': undefined }],
  ['probes', { 'container.startupProbe': undefined }],
  ['probes', { 'container.livenessProbe.httpGet.port': 9090 }],
  ['probesDiffer', { 'container.readinessProbe.httpGet.path': '/livez' }],
  ['namedPorts', { 'container.ports.0.name': undefined }],
  ['labels', { 'settings.metadata.labels': { 'app.kubernetes.io/name': 'x' } }],
  ['tokenlessServiceAccount', { 'account.automountServiceAccountToken': undefined }],
  ['serviceType', { 'service.spec.type': 'NodePort' }],
  ['serviceType', { 'service.spec.allocateLoadBalancerNodePorts': undefined }],
  ['serviceType', { 'service.spec.externalTrafficPolicy': 'Cluster' }],
  ['networkPolicy', { 'policy.spec.policyTypes': ['Ingress'] }],
  ['networkPolicy', { 'policy.spec.podSelector': {} }],
  ['networkPolicy', { 'policy.spec.ingress.0.ports': undefined }],
  ['networkPolicy', { 'policy.spec.egress.0.to': undefined }],
  ['networkPolicy', { 'policy.spec.egress.0.to': [] }],
  ['isolated', { policy: undefined }],
  ['isolated', { 'policy.metadata.namespace': 'elsewhere' }],
  ['evictable', { 'budget.spec.maxUnavailable': 0 }],
  ['evictable', { 'budget.spec.unhealthyPodEvictionPolicy': undefined }],
  ['budgeted', { budget: undefined }],
  ['rollout', { 'workload.spec.strategy': { type: 'Recreate' } }],
  ['rollout', { 'workload.spec.progressDeadlineSeconds': undefined }],
  ['scaledByOne', { scaler }],
  [
    'slowScaleDown',
    {
      'workload.spec.replicas': undefined,
      scaler: { ...scaler, spec: { behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } } },
    },
  ],
  ['noSecretInConfigMap', { 'settings.data.key': '-----BEGIN PRIVATE KEY-----' }],
  ['typedSecret', { 'secret.type': undefined }],
];

const specOf = ({ workload }: Loose) => podsIn([workload])[0]!.spec;

describe('what our builders render', () => {
  it('S178: satisfies the restricted profile and every row of hardening.md', () => {
    const { restricted, hardening } = violationsAfter({});
    expect(restricted).toEqual([]);
    expect(hardening).toEqual([]);
  });

  it('S176: mounts Secrets with mode 0440, readable by nobody else', () => {
    const volume = { name: 'keys', secret: { secretName: 'edge-keys', defaultMode: 288 } };
    expect(specOf(goodObjects())['volumes']).toContainEqual(volume);
  });

  it('S177: runs as a user and group that own their volumes and nothing else', () => {
    expect(specOf(goodObjects())['securityContext']).toMatchObject({
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
    const { restricted } = violationsAfter({
      'container.securityContext.seccompProfile': undefined,
      'container.securityContext.runAsNonRoot': undefined,
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

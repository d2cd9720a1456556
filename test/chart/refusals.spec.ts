import { describe, expect, it } from '@jest/globals';
import { refusal } from './helm.js';

/** Values that the schema refuses, and what helm says about each. */
const BAD: readonly (readonly [object, string])[] = [
  [{ replica: 3 }, "additional properties 'replica' not allowed"],
  [{ cluster: { serviceCidrs: [] } }, "at '/cluster': additional properties 'serviceCidrs'"],
  [{ 'sallyport-cluster': { crds: { instal: true } } }, "at '/crds': additional properties"],
  [{ replicas: 0 }, "at '/replicas': minimum: got 0, want 1"],
  [{ replicas: '2' }, "at '/replicas': got string, want integer"],
  [{ scope: { watch: 'Some' } }, "'All', 'Named', 'Selected'"],
  [
    { scope: { watch: 'Named', namespaces: ['Office'] } },
    "at '/scope/namespaces/0': 'Office' does",
  ],
  [{ installId: 'a/b' }, "at '/installId': 'a/b' does not match pattern"],
  [{ image: { digest: 'sha256:00' } }, "at '/image/digest': 'sha256:00' does not match"],
  [{ image: { tag: 'a b' } }, "at '/image/tag'"],
  [{ image: { registry: 'registry.example.com/a:b' } }, "at '/image/registry'"],
  [{ image: { repository: 'a@sha256:00' } }, "at '/image/repository'"],
  [{ image: { pullSecrets: ['A'] } }, "at '/image/pullSecrets/0'"],
  [{ cluster: { podCIDRs: ['10.0.0.0'] } }, "at '/cluster/podCIDRs/0': '10.0.0.0' does not match"],
  [{ cluster: { install: 'yes' } }, "at '/cluster/install': got string, want boolean"],
  [{ workers: 65 }, "at '/workers': maximum: got 65, want 64"],
  [{ logLevel: 'verbose' }, "at '/logLevel': value must be one of"],
  [{ resources: { limits: { memory: 'much' } } }, "at '/resources/limits/memory'"],
  [{ resources: { limits: { gpu: 1 } } }, "additional properties 'gpu' not allowed"],
  [{ hardening: { appArmor: 'Unconfined' } }, "at '/hardening/appArmor': value must be one of"],
  [{ networkPolicy: { apiServerPorts: [] } }, "at '/networkPolicy/apiServerPorts': minItems"],
  [
    { monitoring: { serviceMonitor: 'On' } },
    "at '/monitoring/serviceMonitor': value must be one of",
  ],
  [{ previousRenders: [{ version: 1 }] }, "missing properties 'tag', 'digest'"],
  [{ metadata: { labels: { a: 1 } } }, "at '/metadata/labels/a': got number, want string"],
];

/** Values that cannot hold together, and the sentence. */
const IMPOSSIBLE: readonly (readonly [object, string])[] = [
  [{ scope: { watch: 'Named' } }, 'List the namespaces to serve, or set scope.watch=All.'],
  [{ scope: { namespaces: ['a'] } }, 'Set scope.watch=Named, or remove scope.namespaces.'],
  [{ scope: { watch: 'Selected' } }, 'Write a label selector such as sallyport=enabled.'],
  [{ scope: { namespaceSelector: 'a=b' } }, 'Set scope.watch=Selected, or remove'],
  [{ cluster: { install: false } }, 'Set scope.watch=Named and list scope.namespaces; or have'],
  [
    { scope: { watch: 'Named', namespaces: ['a'] }, rbac: { clusterRole: 'Existing' } },
    'Remove rbac.clusterRole.',
  ],
  [{ leaderElection: { renewSeconds: 15 } }, 'Set it to about two thirds.'],
  [{ leaderElection: { retrySeconds: 9 } }, 'Set it to about a fifth.'],
  [{ image: { tag: 'latest' } }, 'Write a version, and image.digest.'],
  [{ oldSpaceMegabytes: 400 }, 'Raise the one or lower the other.'],
  [{ monitoring: { serviceMonitor: 'Enabled' } }, 'Name the namespace of your Prometheus.'],
  [
    { scheduling: { priorityClassName: 'system-node-critical' } },
    'Name a PriorityClass of your own',
  ],
  [
    {
      previousRenders: [{ version: 1, tag: '0.0.1', digest: `sha256:${'0'.repeat(64)}` }],
    },
    'List earlier render versions only, newest first.',
  ],
];

describe('chart sallyport', () => {
  it.each(BAD)('refuses %j and says where', (values, complaint) => {
    expect(refusal(values)).toContain(complaint);
  });

  it.each(IMPOSSIBLE)('refuses the combination %j and says what to write', (values, sentence) => {
    expect(refusal(values)).toContain(sentence);
  });

  it('refuses an unknown value at every depth', () => {
    const groups = [
      'cluster scope rbac image images leaderElection client keys hardening',
      'scheduling networkPolicy monitoring metadata resources',
    ];
    for (const group of groups.join(' ').split(' '))
      expect(refusal({ [group]: { unknown: 1 } })).toContain("'unknown' not allowed");
  });
});

describe('chart sallyport-cluster', () => {
  it.each([
    [{ crd: {} }, "additional properties 'crd' not allowed"],
    [{ priorityClass: { value: 2_000_000_000 } }, "at '/priorityClass/value': maximum"],
    [{ operatorRole: { namespace: 'A' } }, "at '/operatorRole/namespace'"],
  ])('refuses %j and says where', (values, complaint) => {
    expect(refusal(values, 'sallyport-cluster')).toContain(complaint);
  });
});

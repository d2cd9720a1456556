import { describe, expect, it } from '@jest/globals';

import { dnsEgress, metricsIngress, networkPolicy } from '../src/operator/pods/network-policy.js';
import type { NetworkRule } from '../src/operator/pods/network-policy.js';
import { extraRules } from '../src/operator/pods/extra-peers.js';
import { keyMounts } from './network/key-mounts.js';
import type { Endpoint, World } from './network/reachability.js';
import { isInCidr, lineOf, mayConnect, reachability } from './network/reachability.js';

const workload = (name: string, ports: object[], extra: object = {}) => ({
  kind: 'Deployment',
  metadata: { name, namespace: 'chat' },
  spec: {
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name, ports, ...extra }] },
    },
  },
});
const gateway = workload('gateway', [
  { name: 'https', containerPort: 8443, protocol: 'TCP' },
  { name: 'internal', containerPort: 9443, protocol: 'TCP' },
  { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
]);
const relay = workload('relay', [{ name: 'relay', containerPort: 3478, protocol: 'UDP' }]);

const policyOf = (name: string, ingress: NetworkRule[], egress: NetworkRule[]) =>
  networkPolicy({
    metadata: { name, namespace: 'chat' },
    podLabels: { app: name },
    ingress,
    egress,
  });

const OTHERS: readonly Endpoint[] = [
  {
    name: 'client',
    address: '203.0.113.7',
    ports: [{ name: 'udp', port: 40000, protocol: 'UDP' }],
  },
  {
    name: 'metadata',
    address: '169.254.169.254',
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  },
  {
    name: 'dns',
    namespace: 'kube-system',
    labels: { 'k8s-app': 'kube-dns' },
    ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
  },
  { name: 'neighbour', namespace: 'chat', labels: { app: 'shop' } },
  { name: 'prometheus', namespace: 'monitoring', labels: { app: 'prometheus' } },
  {
    name: 'false-dns',
    namespace: 'chat',
    labels: { 'k8s-app': 'kube-dns' },
    ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
  },
];

const linesOf = (...objects: unknown[]) => reachability({ objects, others: OTHERS }).map(lineOf);

describe('pods that no policy selects', () => {
  it('reach and are reached by everyone', () => {
    const lines = linesOf(gateway);
    expect(lines).toContain('neighbour -> chat/gateway 9443/TCP');
    expect(lines).toContain('chat/gateway -> metadata 80/TCP');
  });
});

describe('pods behind a policy without rules', () => {
  it('reach nobody and are reached by nobody', () => {
    const lines = linesOf(gateway, policyOf('gateway', [], []));
    expect(lines.filter((line) => line.includes('chat/gateway'))).toEqual([]);
  });
});

describe('pods behind a policy', () => {
  const policies = [
    policyOf(
      'gateway',
      [
        { peers: 'Anyone', ports: [{ port: 'https', protocol: 'TCP' }] },
        { peers: [{ pods: { app: 'relay' } }], ports: [{ port: 'internal', protocol: 'TCP' }] },
        metricsIngress('monitoring', 9090),
      ],
      [dnsEgress()],
    ),
    policyOf(
      'relay',
      [{ peers: 'Anyone', ports: [{ port: 3478, protocol: 'UDP' }] }],
      [
        { peers: [{ pods: { app: 'gateway' } }], ports: [{ port: 9443, protocol: 'TCP' }] },
        {
          peers: [{ cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] }],
          ports: [{ port: 1, protocol: 'UDP', endPort: 65535 }],
        },
      ],
    ),
  ];

  it('have exactly the connections that the rules name', () => {
    const ours = linesOf(gateway, relay, ...policies).filter((line) => line.includes('chat/'));
    expect(ours).toEqual([
      'chat/gateway -> dns 53/UDP',
      'chat/relay -> chat/gateway 9443/TCP',
      'chat/relay -> client 40000/UDP',
      'client -> chat/gateway 8443/TCP',
      'client -> chat/relay 3478/UDP',
      'dns -> chat/gateway 8443/TCP',
      'dns -> chat/relay 3478/UDP',
      'false-dns -> chat/gateway 8443/TCP',
      'false-dns -> chat/relay 3478/UDP',
      'metadata -> chat/gateway 8443/TCP',
      'metadata -> chat/relay 3478/UDP',
      'neighbour -> chat/gateway 8443/TCP',
      'neighbour -> chat/relay 3478/UDP',
      'prometheus -> chat/gateway 8443/TCP',
      'prometheus -> chat/gateway 9090/TCP',
      'prometheus -> chat/relay 3478/UDP',
    ]);
  });

  it('need the permission of both ends', () => {
    const world: World = { objects: [gateway, relay, policies[0]], others: [] };
    const attempt = {
      from: { name: 'x', namespace: 'chat', labels: { app: 'shop' } },
      port: 9443,
      protocol: 'TCP',
    };
    const to = { name: 'g', namespace: 'chat', labels: { app: 'gateway' }, ports: [] };
    expect(mayConnect(world, { ...attempt, to })).toBe(false);
    expect(mayConnect({ ...world, objects: [gateway] }, { ...attempt, to })).toBe(true);
  });
});

describe('what a user adds', () => {
  it('opens what it names and nothing for entries that name nobody', () => {
    const extra = extraRules([
      { cidr: '203.0.113.0/24', ports: [{ port: 9443 }] },
      { podLabels: { app: 'shop' }, ports: [{ port: 9090, protocol: 'TCP' }] },
      { podLabels: {}, ports: [{ port: 9443 }] },
      { ports: [{ port: 9443 }] },
      { cidr: '0.0.0.0/0', ports: [] },
    ]);
    const lines = linesOf(gateway, policyOf('gateway', [...extra], []));
    expect(lines.filter((line) => line.includes('chat/gateway'))).toEqual([
      'client -> chat/gateway 9443/TCP',
      'neighbour -> chat/gateway 9090/TCP',
    ]);
  });

  it('T51: a rule without peers is nobody, never everyone', () => {
    const none: NetworkRule = { peers: [], ports: [{ port: 8443, protocol: 'TCP' }] };
    expect(linesOf(gateway, policyOf('gateway', [none], []))).not.toContain(
      'client -> chat/gateway 8443/TCP',
    );
  });

  it('T51: an empty selector is refused rather than rendered', () => {
    const rule = (pods: Record<string, string>): NetworkRule => ({
      peers: [{ pods }],
      ports: [{ port: 1, protocol: 'TCP' }],
    });
    expect(() => policyOf('gateway', [rule({})], [])).toThrow(TypeError);
    const metadata = { name: 'all', namespace: 'chat' };
    expect(() => networkPolicy({ metadata, podLabels: {}, ingress: [], egress: [] })).toThrow(
      TypeError,
    );
  });
});

describe('the evaluator', () => {
  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3/32', true],
    ['10.1.2.3', '::/0', false],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['::1', '::1/128', true],
    ['203.0.113.7', '0.0.0.0/0', true],
  ])('%s in %s: %s', (address, cidr, expected) => {
    expect(isInCidr(address, cidr)).toBe(expected);
  });

  it('reads policies of others: all pods, expressions, no port, default types', () => {
    const policy = (spec: object) => ({
      kind: 'NetworkPolicy',
      metadata: { name: 'p', namespace: 'chat' },
      spec: { podSelector: {}, ...spec },
    });
    const expression = (operator: string, values?: string[]) => ({
      from: [{ podSelector: { matchExpressions: [{ key: 'app', operator, values }] } }],
    });
    const neighbourReaches = (rule: object) =>
      linesOf(gateway, policy({ ingress: [rule] })).includes('neighbour -> chat/gateway 9443/TCP');
    expect(neighbourReaches(expression('In', ['shop']))).toBe(true);
    expect(neighbourReaches(expression('NotIn', ['shop']))).toBe(false);
    expect(neighbourReaches(expression('Exists'))).toBe(true);
    expect(neighbourReaches(expression('DoesNotExist'))).toBe(false);
    expect(neighbourReaches({ from: [] })).toBe(true);
    expect(linesOf(gateway, policy({}))).toContain('chat/gateway -> metadata 80/TCP');
    expect(linesOf(gateway, policy({ policyTypes: ['Egress'] }))).not.toContain(
      'chat/gateway -> metadata 80/TCP',
    );
    expect(linesOf(gateway, policy({ egress: [{ ports: [{ port: 80 }] }] }))).toContain(
      'chat/gateway -> metadata 80/TCP',
    );
  });

  it('S209: lists which container mounts which Secret, and which files of it', () => {
    const pod = workload('gateway', [], {
      volumeMounts: [
        { name: 'keys', mountPath: '/k' },
        { name: 'tls', mountPath: '/t' },
        { name: 'settings', mountPath: '/s' },
      ],
    });
    Object.assign(pod.spec.template.spec, {
      volumes: [
        { name: 'keys', secret: { secretName: 'edge-keys' } },
        { name: 'tls', secret: { secretName: 'edge-tls', items: [{ key: 'tls.crt', path: 'c' }] } },
        { name: 'settings', configMap: { name: 'edge-settings' } },
        { name: 'unmounted', secret: { secretName: 'ca' } },
      ],
    });
    expect(keyMounts([pod])).toEqual([
      { where: 'chat/gateway gateway', secret: 'edge-keys' },
      { where: 'chat/gateway gateway', secret: 'edge-tls', files: ['tls.crt'] },
    ]);
  });
});

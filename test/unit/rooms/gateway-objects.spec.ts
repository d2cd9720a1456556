import { describe, expect, it } from '@jest/globals';
import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import type { ObservedGateway } from '../../../src/operator/signaling-gateway/situation.js';
import { aReplicatedGateway, aSignalingGateway } from '../../builders.js';
import { at, list, strings } from '../../hardening/pods.js';
import type { Json } from '../../hardening/pods.js';
import {
  aServingPool,
  authority,
  condition,
  edited,
  fileOf,
  objectOf,
  observedGateway,
  templateOf,
} from './observed-gateway.js';

const pool = aServingPool();

describe('the directory of relays', () => {
  const files = (observed: ObservedGateway) =>
    strings(objectOf(observed, 'ConfigMap', '-relays')['data']);

  it('lists each relay with address, port, region and pin, once it has an address', () => {
    const observed = observedGateway(aSignalingGateway(), { pools: [pool] });
    expect(fileOf(observed, '-relays', 'relays.json')['relays']).toEqual([
      {
        id: `${pool.metadata.namespace!}/${pool.metadata.name}/0`,
        region: pool.spec.region,
        address: '198.51.100.7',
        port: 3478,
        fallback: { port: 5349, pins: [`sha256/${'E'.repeat(43)}=`] },
      },
    ]);
  });

  it('has relays of another namespace only when both sides say so, with the CA of that namespace', () => {
    const { name, namespace = '' } = aSignalingGateway().metadata;
    const away = (allowedGateways?: { name: string; namespace: string }[]) =>
      aServingPool({
        metadata: { namespace: 'relays' },
        ...(allowedGateways && { allowedGateways }),
      });
    const wants = aSignalingGateway({
      relayPools: [{ name: pool.metadata.name, namespace: 'relays' }],
    });
    const seen = (gateway: SignalingGateway, other: ReturnType<typeof away>) =>
      files(observedGateway(gateway, { pools: [other], authorities: [authority('relays')] }));
    const both = seen(wants, away([{ name, namespace }]));
    expect(Object.keys(both)).toEqual(['relays.crt', 'relays.json']);
    expect(both['relays.json']).toContain('198.51.100.7');
    expect(seen(wants, away())['relays.json']).not.toContain('198.51.100.7');
    expect(seen(aSignalingGateway(), away([{ name, namespace }]))['relays.json']).not.toContain(
      '198.51.100.7',
    );
  });
});

describe('the network policy', () => {
  const spec = (gateway: SignalingGateway, pools: readonly (typeof pool)[] = []) =>
    objectOf(observedGateway(gateway, { pools }), 'NetworkPolicy')['spec'];
  const rulesFor = (port: number, direction: 'ingress' | 'egress', policy: unknown) =>
    list(at(policy, direction)).filter((rule) => list(rule['ports'])[0]?.['port'] === port);
  const plain = aSignalingGateway();

  it('lets relays of permitted pools reach 9443, and nobody else', () => {
    expect(rulesFor(9443, 'ingress', spec(plain))).toEqual([]);
    const [rule] = rulesFor(9443, 'ingress', spec(plain, [pool]));
    expect(list(rule?.['from'])).toHaveLength(1);
  });

  it('lets nobody read metrics unless a namespace is named', () => {
    expect(rulesFor(9090, 'ingress', spec(plain))).toEqual([]);
    const monitored = aSignalingGateway({ networkPolicy: { monitoringNamespace: 'monitoring' } });
    expect(rulesFor(9090, 'ingress', spec(monitored))).toHaveLength(1);
  });

  it('behind an ingress admits its proxies only', () => {
    const behind = aSignalingGateway({
      ingress: { className: 'nginx', tlsSecretRef: { name: 'tls' } },
      trustedProxies: { cidrs: ['10.0.12.0/24'], hops: 1 },
    });
    const [rule] = rulesFor(8443, 'ingress', spec(behind));
    expect(rule?.['from']).toEqual([{ ipBlock: { cidr: '10.0.12.0/24' } }]);
  });

  it('lets a gateway that dials nobody reach nobody, not even DNS', () => {
    expect(at(spec(plain), 'egress')).toBeUndefined();
    expect(at(spec(plain), 'policyTypes')).toEqual(['Ingress', 'Egress']);
  });

  it('opens the database, the bus and DNS, and nothing else', () => {
    const ports = list(at(spec(aReplicatedGateway()), 'egress')).flatMap((rule) =>
      list(rule['ports']).map(({ port }) => port),
    );
    expect(new Set(ports)).toEqual(new Set([53, 5432, 4222]));
  });
});

describe('what rolls pods', () => {
  const gateway = aSignalingGateway();
  const template = (spec: object) =>
    JSON.stringify(templateOf(edited(observedGateway(gateway), spec)));
  const before = template({});

  it.each([
    ['origins', { allowedOrigins: ['https://a.example'] }],
    ['rate limits', { rateLimits: { connectionsPerSecond: 7 } }],
    ['authentication', { authentication: { registration: 'Open' } }],
    ['leases', { leases: { lifetimeSeconds: 300 } }],
    ['hosts', { hosts: ['other.example.com'] }],
    ['log level', { observability: { ...gateway.spec.observability, logLevel: 'Debug' } }],
    ['audit', { audit: { level: 'Maximum' } }],
  ])('%s do not', (_, spec) => {
    expect(template(spec)).toBe(before);
  });

  it.each([
    ['the port', { listener: { port: 8444 } }],
    ['the image', { image: { repository: 'r.example/x', digest: `sha256:${'2'.repeat(64)}` } }],
    ['hardening', { hardening: { appArmor: 'RuntimeDefault' } }],
    ['resources', { resources: { limits: { memory: '2Gi' } } }],
  ])('%s does', (_, spec) => {
    expect(template(spec)).not.toBe(before);
  });

  it('a new relay does not', () => {
    const observed = observedGateway(gateway, { pools: [pool] });
    expect(JSON.stringify(templateOf(observed))).toBe(before);
  });
});

describe('the migration Secret', () => {
  const postgresql = {
    runtimeSecretRef: { name: 'runtime' },
    peers: [{ cidr: '10.1.0.0/16', ports: [{ port: 5432 }] }],
  };
  const withStorage = (more: object) =>
    observedGateway(
      aReplicatedGateway({
        storage: { type: 'PostgreSQL', postgresql: { ...postgresql, ...more } },
      }),
    );
  const both = withStorage({ migrationSecretRef: { name: 'owner' } });
  const mounts = (container: Json | undefined) =>
    list(container?.['volumeMounts']).map(({ name }) => name);

  it('is mounted by the init container alone, which mounts the role to grant to and no key of ours', () => {
    const spec = at(templateOf(both), 'spec');
    const init = mounts(list(at(spec, 'initContainers'))[0]);
    expect(init).toEqual(['settings', 'runtime', 'migration']);
    expect(mounts(list(at(spec, 'containers'))[0])).not.toContain('migration');
  });

  it('that is absent makes a condition, and the gateway works with one role', () => {
    expect(condition(withStorage({}), 'RuntimeRoleOwnsSchema')).toMatchObject({
      status: 'True',
      reason: 'OneSecretOnly',
    });
    expect(condition(both, 'RuntimeRoleOwnsSchema')?.status).toBe('False');
    const embedded = observedGateway(aSignalingGateway());
    expect(condition(embedded, 'RuntimeRoleOwnsSchema')).toBeUndefined();
  });
});

describe('an autoscaled gateway', () => {
  const observed = observedGateway(
    aReplicatedGateway({
      replicas: undefined,
      autoscaling: { minReplicas: 2, maxReplicas: 4, targetCpuUtilizationPercent: 70 },
    }),
  );

  it('never writes replicas, which the autoscaler owns', () => {
    const deployment: KubernetesObject = objectOf(observed, 'Deployment');
    expect(deployment['spec']).not.toHaveProperty('replicas');
    expect(at(objectOf(observed, 'HorizontalPodAutoscaler'), 'spec', 'maxReplicas')).toBe(4);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import { GATEWAY_SETTINGS, RELAY_DIRECTORY } from '../../../src/gateway/settings.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { readSettings } from '../../../src/runtime/settings.js';
import { aReplicatedGateway, aRetentionPolicy, aSignalingGateway } from '../../builders.js';
import { authority, aServingPool, observedGateway, planAt } from './observed-gateway.js';
import { goldenCases, itIsGolden, jsonFileIn } from './golden-objects.js';

const pools = [
  aServingPool({ metadata: { name: 'frankfurt', namespace: 'demo' } }),
  aServingPool({
    metadata: { name: 'edge', namespace: 'relays' },
    allowedGateways: [{ name: 'edge', namespace: 'demo' }],
  }),
];
const retentionPolicies = [
  aRetentionPolicy({
    metadata: { namespace: 'demo' },
    gateways: { selector: { matchLabels: {} } },
  }),
];
const authorities = [authority('demo'), authority('relays')];

const GRID: Readonly<Record<string, SignalingGateway>> = {
  'grid-listener-port-and-addresses': aSignalingGateway({
    listener: { port: 10_443, bindAddresses: ['10.8.0.1'] },
  }),
  'grid-load-balancer': aReplicatedGateway({
    exposure: { type: 'LoadBalancer', allocateNodePorts: true },
  }),
  'grid-autoscaling': aReplicatedGateway({
    replicas: undefined,
    autoscaling: { minReplicas: 2, maxReplicas: 6, targetCpuUtilizationPercent: 60 },
  }),
  'grid-cert-manager': aSignalingGateway({
    listener: { tls: { certManager: { issuerRef: { name: 'letsencrypt' } } } },
  }),
  'grid-hardening': aSignalingGateway({
    hardening: {
      appArmor: 'RuntimeDefault',
      userNamespaces: true,
      strictSupplementalGroups: true,
      runtimeClassName: 'gvisor',
    },
  }),
  'grid-network-policy': aSignalingGateway({
    networkPolicy: {
      extraIngress: [{ podLabels: { app: 'probe' }, ports: [{ port: 8443 }] }],
      extraEgress: [{ cidr: '198.51.100.0/24', ports: [{ port: 6514 }] }],
      monitoringNamespace: 'monitoring',
    },
  }),
  'grid-storage-class': aSignalingGateway({
    storage: { type: 'Embedded', embedded: { sizeGibibytes: 20, storageClassName: 'fast' } },
  }),
  'grid-scheduling-and-resources': aSignalingGateway({
    scheduling: {
      nodeSelector: { 'kubernetes.io/arch': 'arm64' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      regions: ['eu-central', 'eu-west'],
      priorityClassName: 'important',
    },
    resources: { limits: { memory: '2Gi' } },
  }),
};

const cases = goldenCases('gateway-', '00000000-0000-4000-8000-000000000001', GRID);

const render = (gateway: SignalingGateway): readonly KubernetesObject[] =>
  planAt(
    observedGateway(gateway, {
      pools: pools.filter(
        ({ metadata }) =>
          metadata.namespace === gateway.metadata.namespace || gateway.spec.relayPools,
      ),
      retentionPolicies,
      authorities,
    }),
  ).plan.apply;

describe('the objects of a SignalingGateway', () => {
  itIsGolden('signaling-gateway', cases, render);

  it.each(cases)('%s give the gateway files that it can read', (_, gateway) => {
    const objects = render(gateway);
    const json = (name: string) => jsonFileIn(objects, name);
    const settings = json('settings.json');
    expect(readSettings(GATEWAY_SETTINGS, settings, 'settings.json')).toEqual(settings);
    const directory = json('relays.json');
    expect(readSettings(RELAY_DIRECTORY, directory, 'relays.json')).toEqual(directory);
  });
});

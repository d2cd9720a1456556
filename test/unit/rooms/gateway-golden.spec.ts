/*
 * Every object of every sample and of a grid of settings, as files in test/golden/signaling-gateway. They are
 * written anew by UPDATE_GOLDEN=1 and reviewed in the diff: a change here is a change of what clusters get.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { dump, loadAll } from 'js-yaml';
import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import { GATEWAY_SETTINGS, RELAY_DIRECTORY } from '../../../src/gateway/settings.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { readSettings } from '../../../src/runtime/settings.js';
import {
  aReplicatedGateway,
  aRetentionPolicy,
  aSignalingGateway,
  CREATED,
} from '../../builders.js';
import { schemaOf, withDefaults } from '../../defaulting.js';
import { hardeningViolations } from '../../hardening/hardening.js';
import { authority, aServingPool, observedGateway, planAt } from './observed-gateway.js';

const ROOT = join(import.meta.dirname, '../../..');
const GOLDEN = join(ROOT, 'test/golden/signaling-gateway');
const SAMPLES = join(ROOT, 'config/samples');

function sample(file: string): SignalingGateway {
  const [document] = loadAll(readFileSync(join(SAMPLES, file), 'utf8')) as [SignalingGateway];
  const { spec } = withDefaults(schemaOf('SignalingGateway'), document) as SignalingGateway;
  const { name, labels } = document.metadata;
  const metadata = {
    name,
    namespace: 'demo',
    uid: '00000000-0000-4000-8000-000000000001',
    generation: 1,
    creationTimestamp: CREATED,
    ...(labels === undefined ? {} : { labels }),
  };
  return { ...document, metadata, spec };
}

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

const cases: readonly (readonly [string, SignalingGateway])[] = [
  ...readdirSync(SAMPLES)
    .filter((file) => file.startsWith('gateway-'))
    .map((file) => [file.replace('.yaml', ''), sample(file)] as const),
  ...Object.entries(GRID),
];

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
  it.each(cases)('S204: %s are those of the golden file', (name, gateway) => {
    const text = render(gateway)
      .map((object) => dump(object, { lineWidth: 120, noRefs: true, sortKeys: false }))
      .join('---\n');
    const file = join(GOLDEN, `${name}.yaml`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
    expect(existsSync(file)).toBe(true);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  it.each(cases)('S178: %s satisfy every row of the hardening baseline', (_, gateway) => {
    expect(hardeningViolations(render(gateway))).toEqual([]);
  });

  it.each(cases)('%s give the gateway files that it can read', (_, gateway) => {
    const files = render(gateway)
      .filter(({ kind }) => kind === 'ConfigMap')
      .flatMap((object) => Object.entries(object['data'] as Record<string, string>));
    const json = (name: string) => JSON.parse(files.find(([file]) => file === name)![1]) as object;
    const settings = json('settings.json');
    expect(readSettings(GATEWAY_SETTINGS, settings, 'settings.json')).toEqual(settings);
    const directory = json('relays.json');
    expect(readSettings(RELAY_DIRECTORY, directory, 'relays.json')).toEqual(directory);
  });

  it('has no golden file that no case writes', () => {
    const files = readdirSync(GOLDEN).map((file) => file.replace('.yaml', ''));
    expect(files.sort()).toEqual(cases.map(([name]) => name).sort());
  });
});

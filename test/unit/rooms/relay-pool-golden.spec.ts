/*
 * Every object of every sample and of a grid of settings, as files in test/golden/relay-pool. They are written anew by
 * UPDATE_GOLDEN=1 and reviewed in the diff: a change here is a change of what clusters get.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { dump, loadAll } from 'js-yaml';
import type { RelayPool } from '../../../src/kinds/relay-pool.gen.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { RELAY_GATEWAYS, RELAY_SETTINGS } from '../../../src/relay/settings.js';
import { readSettings } from '../../../src/runtime/settings.js';
import { aRelayPool, CREATED } from '../../builders.js';
import { schemaOf, withDefaults } from '../../defaulting.js';
import { hardeningViolations } from '../../hardening/hardening.js';
import { aServingGateway, observedPool, planPoolAt } from './observed-relay-pool.js';

const ROOT = join(import.meta.dirname, '../../..');
const GOLDEN = join(ROOT, 'test/golden/relay-pool');
const SAMPLES = join(ROOT, 'config/samples');

function sample(file: string): RelayPool {
  const [document] = loadAll(readFileSync(join(SAMPLES, file), 'utf8')) as [RelayPool];
  const { spec } = withDefaults(schemaOf('RelayPool'), document) as RelayPool;
  const metadata = {
    name: document.metadata.name,
    namespace: 'demo',
    uid: '00000000-0000-4000-8000-000000000002',
    generation: 1,
    creationTimestamp: CREATED,
  };
  return { ...document, metadata, spec };
}

const gateways = [
  aServingGateway({ metadata: { name: 'edge', namespace: 'demo' } }),
  aServingGateway({
    metadata: { name: 'edge', namespace: 'partners' },
    relayPools: [{ name: 'frankfurt', namespace: 'demo' }],
  }),
];

const GRID: Readonly<Record<string, RelayPool>> = {
  'grid-ports-and-addresses': aRelayPool({
    port: 4478,
    listener: { bindAddresses: ['10.8.0.1'] },
    fallback: { enabled: false, port: 5349 },
  }),
  'grid-source-ranges': aRelayPool({
    exposure: { type: 'LoadBalancer', sourceRanges: ['203.0.113.0/24', '2001:db8::/32'] },
  }),
  'grid-hardening': aRelayPool({
    hardening: {
      appArmor: 'RuntimeDefault',
      userNamespaces: true,
      strictSupplementalGroups: true,
      runtimeClassName: 'gvisor',
    },
  }),
  'grid-network-policy': aRelayPool({
    networkPolicy: {
      extraIngress: [{ podLabels: { app: 'probe' }, ports: [{ port: 3478, protocol: 'UDP' }] }],
      extraEgress: [{ cidr: '198.51.100.0/24', ports: [{ port: 6514, protocol: 'TCP' }] }],
      monitoringNamespace: 'monitoring',
    },
    peerAddresses: { denied: ['192.168.0.0/16'] },
  }),
  'grid-scheduling-and-resources': aRelayPool({
    scheduling: { regions: ['eu-central'], priorityClassName: 'important' },
    resources: { limits: { cpu: '2', memory: '1Gi' } },
  }),
};

const cases: readonly (readonly [string, RelayPool])[] = [
  ...readdirSync(SAMPLES)
    .filter((file) => file.startsWith('pool-'))
    .map((file) => [file.replace('.yaml', ''), sample(file)] as const),
  ...Object.entries(GRID),
];

const render = (pool: RelayPool): readonly KubernetesObject[] =>
  planPoolAt(observedPool(pool, { gateways })).plan.apply;

describe('the objects of a RelayPool', () => {
  it.each(cases)('S204: %s are those of the golden file', (name, pool) => {
    const text = render(pool)
      .map((object) => dump(object, { lineWidth: 120, noRefs: true, sortKeys: false }))
      .join('---\n');
    const file = join(GOLDEN, `${name}.yaml`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
    expect(existsSync(file)).toBe(true);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  it.each(cases)('S178: %s satisfy every row of the hardening baseline', (_, pool) => {
    expect(hardeningViolations(render(pool))).toEqual([]);
  });

  it.each(cases)('%s give the relays files that they can read', (_, pool) => {
    const files = render(pool)
      .filter(({ kind }) => kind === 'ConfigMap')
      .flatMap((object) => Object.entries(object['data'] as Record<string, string>));
    const json = (name: string) => JSON.parse(files.find(([file]) => file === name)![1]) as object;
    const settings = json('settings.json');
    expect(readSettings(RELAY_SETTINGS, settings, 'settings.json')).toEqual(settings);
    const directory = json('gateways.json');
    expect(readSettings(RELAY_GATEWAYS, directory, 'gateways.json')).toEqual(directory);
  });

  it('has no golden file that no case writes', () => {
    const files = readdirSync(GOLDEN).map((file) => file.replace('.yaml', ''));
    expect(files.sort()).toEqual(cases.map(([name]) => name).sort());
  });
});

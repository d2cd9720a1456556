import { describe, expect, it } from '@jest/globals';
import type { RelayPool } from '../../../src/kinds/relay-pool.gen.js';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { RELAY_GATEWAYS, RELAY_SETTINGS } from '../../../src/relay/settings.js';
import { readSettings } from '../../../src/runtime/settings.js';
import { aRelayPool } from '../../builders.js';
import { aServingGateway, observedPool, planPoolAt } from './observed-relay-pool.js';
import { goldenCases, itIsGolden, jsonFileIn } from './golden-objects.js';

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

const cases = goldenCases('pool-', '00000000-0000-4000-8000-000000000002', GRID);

const render = (pool: RelayPool): readonly KubernetesObject[] =>
  planPoolAt(observedPool(pool, { gateways })).plan.apply;

describe('the objects of a RelayPool', () => {
  itIsGolden('relay-pool', cases, render);

  it.each(cases)('%s give the relays files that they can read', (_, pool) => {
    const objects = render(pool);
    const json = (name: string) => jsonFileIn(objects, name);
    const settings = json('settings.json');
    expect(readSettings(RELAY_SETTINGS, settings, 'settings.json')).toEqual(settings);
    const directory = json('gateways.json');
    expect(readSettings(RELAY_GATEWAYS, directory, 'gateways.json')).toEqual(directory);
  });
});

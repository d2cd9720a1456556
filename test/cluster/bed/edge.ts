/*
 * An installation that faces a network: gateway and relays with addresses of their own.
 */
import { isIP } from 'node:net';
import type { AnyObject } from '../../apiserver/bed/admin.js';
import type { Installation } from './installation.js';
import type { KnownGateway } from './people.js';

/** The name that clients know. */
export const HOST = 'chat.example.com';

const ours = (kind: string, name: string, spec: object): AnyObject => ({
  apiVersion: 'sallyport.dev/v1alpha1',
  kind,
  metadata: { name },
  spec,
});

/**
 * A gateway, two relays and a role for everybody. Behind load balancers they serve the outside: relays there never send
 * to pods. With `ClusterIP` they serve people in pods.
 */
export const edgeResources = (type: 'LoadBalancer' | 'ClusterIP' = 'LoadBalancer'): AnyObject[] => [
  ours('SignalingGateway', 'edge', {
    hosts: [HOST],
    listener: { tls: { internal: {} } },
    exposure: { type },
    authentication: { registration: 'Open' },
    relayPools: [{ name: 'relays' }],
  }),
  ours('RelayPool', 'relays', {
    region: 'test',
    replicas: 2,
    exposure: { type },
    fallback: { enabled: true, port: 5349 },
    drain: { seconds: 10 },
    allowedGateways: [{ name: 'edge' }],
    resources: { limits: { cpu: '250m' } },
  }),
  ours('AccessRole', 'member', {
    gateways: { names: ['edge'] },
    permissions: [
      { resource: 'Chat', verbs: ['Send', 'Receive'] },
      { resource: 'Call', verbs: ['Start', 'Join'] },
      { resource: 'File', verbs: ['Send', 'Receive'] },
    ],
    files: { maxBytes: 10_000_000 },
    assignment: 'Everyone',
  }),
];

/** The gateway of `namespace` as people know it: name, pins of its status, and its address. */
export async function knownEdge(
  installation: Installation,
  namespace: string,
): Promise<KnownGateway> {
  const { status } = await installation.resource(namespace, 'signalinggateways', 'edge');
  const [endpoint] = status.endpoints as { address: string; port: number }[];
  const certificates = status.certificates as { purpose: string; pins: string[] }[];
  const shown = certificates.find(({ purpose }) => purpose === 'Public');
  const { address: shownAddress, port } = endpoint!;
  if (isIP(shownAddress) !== 0)
    return { host: HOST, port, pins: shown!.pins, address: shownAddress };
  const path = `/api/v1/namespaces/${namespace}/services/${shownAddress.split('.')[0]!}`;
  const { spec } = await installation.cluster.admin.get(path);
  return { host: HOST, port, pins: shown!.pins, address: spec.clusterIP as string };
}

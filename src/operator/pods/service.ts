import type { ObjectMeta } from '../../kubernetes/object.js';
import type { Rendered, StringMap } from './shapes.js';
import { sortedMap } from './sorted.js';

/** `spec.exposure` of a resource. */
export interface Exposure {
  readonly type: 'ClusterIP' | 'LoadBalancer';
  readonly annotations?: StringMap | undefined;
  /** Clients that a load balancer lets through; empty: all. */
  readonly sourceRanges?: readonly string[] | undefined;
  /** Some load balancers reach pods through node ports only. */
  readonly allocateNodePorts?: boolean | undefined;
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  /** Name of the container's port. */
  readonly targetPort: string;
  readonly protocol: 'TCP' | 'UDP';
  /** For example `kubernetes.io/wss`. */
  readonly appProtocol?: string;
}

export interface ServiceParts {
  readonly metadata: ObjectMeta;
  readonly selector: StringMap;
  readonly ports: readonly [ServicePort, ...ServicePort[]];
  /** Absent: reachable inside the cluster only. */
  readonly exposure?: Exposure | undefined;
  /** Addresses of pods that are not ready too: relays register and drain while not ready. */
  readonly publishNotReadyAddresses?: boolean;
}

/**
 * A Service of type ClusterIP or LoadBalancer, never NodePort. A load balancer keeps the client's address
 * (`externalTrafficPolicy: Local`), which limits and the audit log need.
 */
export function service(parts: ServiceParts): Rendered {
  const { exposure } = parts;
  return {
    ...serviceShell(parts),
    metadata: withAnnotations(parts.metadata, exposure?.annotations),
    spec: {
      type: exposure?.type ?? 'ClusterIP',
      ...commonFields(parts),
      ...(exposure?.type === 'LoadBalancer' ? loadBalancerFields(exposure) : {}),
    },
  };
}

/** A Service without an address of its own: one DNS name per pod of a StatefulSet. */
export function headlessService(parts: Omit<ServiceParts, 'exposure'>): Rendered {
  return {
    ...serviceShell(parts),
    spec: { type: 'ClusterIP', clusterIP: 'None', ...commonFields(parts) },
  };
}

function serviceShell({ metadata }: Pick<ServiceParts, 'metadata'>) {
  return { apiVersion: 'v1', kind: 'Service', metadata };
}

function commonFields({ selector, ports, publishNotReadyAddresses }: ServiceParts) {
  return {
    selector: sortedMap(selector),
    ports: ports.map(({ name, port, targetPort, protocol, appProtocol }) => ({
      name,
      port,
      targetPort,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    })),
    internalTrafficPolicy: 'Cluster',
    ipFamilyPolicy: 'PreferDualStack',
    sessionAffinity: 'None',
    ...(publishNotReadyAddresses === true ? { publishNotReadyAddresses } : {}),
  };
}

function loadBalancerFields({ sourceRanges, allocateNodePorts }: Exposure) {
  return {
    externalTrafficPolicy: 'Local',
    allocateLoadBalancerNodePorts: allocateNodePorts ?? false,
    ...(sourceRanges === undefined || sourceRanges.length === 0
      ? {}
      : { loadBalancerSourceRanges: [...new Set(sourceRanges)].sort() }),
  };
}

/** What a user annotates never replaces ours. */
function withAnnotations(metadata: ObjectMeta, annotations: StringMap | undefined): ObjectMeta {
  if (annotations === undefined || Object.keys(annotations).length === 0) return metadata;
  return { ...metadata, annotations: sortedMap({ ...annotations, ...metadata.annotations }) };
}

/*
 * Doors of a pool: one Service per relay, and the network policy.
 *
 * How the policy meets hardening.md 2.6 ("relays: no egress to the API server, metadata, databases, nor anything but
 * clients and the gateways' 9443"):
 * - Out to clients goes UDP only, to ports from 1024 on. The API server, metadata services and databases speak TCP,
 *   and DNS, NTP and SNMP live below 1024, so none of them is reachable even at an address that no range denies.
 * - From that rule the denied ranges are taken out (configuration.ts): link-local with 169.254.169.254, Services,
 *   the API server, behind a load balancer pods and nodes, and what the pool denies.
 * - Answers to clients are part of connections that clients opened, so a network plug-in that keeps state passes them
 *   anyway; the rule is for those that forget a silent UDP flow sooner than the session ends.
 * - TCP goes out to the internal port of permitted gateways' pods, and to DNS.
 */
import { selectorLabels } from '../../kubernetes/metadata.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import { RELAY_PORTS } from '../../relay/settings.js';
import { exceptOf } from '../pods/cidr.js';
import { extraRules } from '../pods/extra-peers.js';
import { METRICS_PORT_NAME, serviceMonitor } from '../pods/monitoring.js';
import {
  dnsEgress,
  metricsIngress,
  networkPolicy,
  type NetworkRule,
  type PolicyPort,
} from '../pods/network-policy.js';
import { headlessService, service, type ServicePort } from '../pods/service.js';
import { deniedRanges, GATEWAY_INTERNAL_PORT } from './configuration.js';
import type { RelayPoolContext } from './context.js';
import { COMPONENT, relayChild, relayPoolNames } from './context.js';

/** Label by which a StatefulSet marks each of its pods (apps/v1). */
const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
/** Marks the one Service that is scraped: the Services per relay have the same pods. */
const SCRAPED = { 'sallyport.dev/scraped': 'true' } as const;
/** Ephemeral ports and what NATs map to; services of the system live below (RFC 6335, section 6). */
const CLIENT_PORTS: PolicyPort = { port: 1024, endPort: 65_535, protocol: 'UDP' };

/** The Service that gives each relay its DNS name, and Prometheus its targets. */
export function headless({ pool }: RelayPoolContext): KubernetesObject {
  return headlessService({
    metadata: relayChild(pool, relayPoolNames(pool).workload, { labels: SCRAPED }),
    selector: selectorLabels(pool, COMPONENT),
    ports: [
      {
        name: METRICS_PORT_NAME,
        port: RELAY_PORTS.metrics,
        targetPort: METRICS_PORT_NAME,
        protocol: 'TCP',
      },
    ],
    publishNotReadyAddresses: true,
  });
}

/** The address of each relay. A relay that drains is not ready for Kubernetes, and still reached by its sessions. */
export function replicaServices({ pool, services }: RelayPoolContext): readonly KubernetesObject[] {
  const names = relayPoolNames(pool);
  return Array.from({ length: services }, (_, ordinal) =>
    service({
      metadata: relayChild(pool, names.replica(ordinal)),
      selector: { [POD_NAME_LABEL]: names.replica(ordinal) },
      ports: clientPorts(pool.spec),
      exposure: pool.spec.exposure,
      publishNotReadyAddresses: true,
    }),
  );
}

/** Scraping, where prometheus-operator is there to do it. */
export function relayServiceMonitor({
  pool,
  installation,
}: RelayPoolContext): readonly KubernetesObject[] {
  if (!installation.servesServiceMonitors || !pool.spec.observability.serviceMonitor) return [];
  return [
    serviceMonitor({
      metadata: relayChild(pool, relayPoolNames(pool).workload),
      selector: { ...selectorLabels(pool, COMPONENT), ...SCRAPED },
    }),
  ];
}

/** Who may reach the relays, and whom they may reach. */
export function relayNetworkPolicy(context: RelayPoolContext): KubernetesObject {
  const { pool, values } = context;
  const { networkPolicy: extra } = pool.spec;
  return networkPolicy({
    metadata: relayChild(pool, relayPoolNames(pool).workload),
    podLabels: selectorLabels(pool, COMPONENT),
    ingress: [
      clientsIngress(context),
      metricsIngress(extra?.monitoringNamespace, RELAY_PORTS.metrics),
      ...extraRules(extra?.extraIngress),
    ],
    egress: [
      clientsEgress(context),
      gatewaysEgress(context),
      dnsEgress(),
      ...extraRules(values.networkPolicy.extraEgress),
    ],
  });
}

/** The way to gateways as a policy of its own, which adds to `relayNetworkPolicy`; none without a gateway. */
export function gatewaysNetworkPolicy(context: RelayPoolContext): readonly KubernetesObject[] {
  const { pool, gateways } = context;
  if (gateways.length === 0) return [];
  return [
    networkPolicy({
      metadata: relayChild(pool, relayPoolNames(pool).gateways),
      podLabels: selectorLabels(pool, COMPONENT),
      ingress: [],
      egress: [gatewaysEgress(context)],
    }),
  ];
}

function clientsIngress({ pool: { spec } }: RelayPoolContext): NetworkRule {
  const { sourceRanges = [] } = spec.exposure;
  return {
    peers:
      sourceRanges.length === 0 ? 'Anyone' : [...sourceRanges].sort().map((cidr) => ({ cidr })),
    ports: [
      { port: spec.port, protocol: 'UDP' },
      ...(spec.fallback.enabled ? [{ port: spec.fallback.port, protocol: 'TCP' } as const] : []),
    ],
  };
}

function clientsEgress(context: RelayPoolContext): NetworkRule {
  const denied = deniedRanges(context);
  return {
    peers: [
      { cidr: '0.0.0.0/0', except: exceptOf('IPv4', denied) },
      { cidr: '::/0', except: exceptOf('IPv6', denied) },
    ],
    ports: [CLIENT_PORTS],
  };
}

function gatewaysEgress({ gateways }: RelayPoolContext): NetworkRule {
  return {
    peers: gateways.map(({ gateway }) => ({
      pods: selectorLabels(gateway, 'gateway'),
      namespace: gateway.metadata.namespace,
    })),
    ports: [{ port: GATEWAY_INTERNAL_PORT, protocol: 'TCP' }],
  };
}

function clientPorts(
  spec: RelayPoolContext['pool']['spec'],
): readonly [ServicePort, ...ServicePort[]] {
  return [
    { name: 'relay', port: spec.port, targetPort: 'relay', protocol: 'UDP' },
    ...(spec.fallback.enabled
      ? [
          {
            name: 'fallback',
            port: spec.fallback.port,
            targetPort: 'fallback',
            protocol: 'TCP',
          } as const,
        ]
      : []),
  ];
}

/*
 * Everything that a RelayPool becomes, in one list. The workload and what scales and guards it are here, doors in
 * network.ts, files in configuration.ts.
 *
 * Each relay has a Service of its own, so that a client reaches exactly the relay that its lease names. There are
 * as many as there may be relays: with an autoscaler `maxReplicas`, because an address that exists before its relay
 * costs less than sessions that wait for one, and gateways then need not learn addresses while load rises. A
 * Service outlives its relay until that has drained.
 */
import { ANNOTATION_RENDER, podLabels, selectorLabels } from '../../kubernetes/metadata.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import type { RelayPool } from '../../kinds/relay-pool.gen.js';
import { RELAY_PATHS, RELAY_PORTS, RELAY_SETTINGS } from '../../relay/settings.js';
import { restartPart } from '../../runtime/live-settings.js';
import { horizontalPodAutoscaler, podDisruptionBudget } from '../pods/availability.js';
import type { ProgramContainer } from '../pods/container.js';
import { imageReference } from '../pods/image.js';
import { METRICS_PORT_NAME } from '../pods/monitoring.js';
import { restartDigest, serviceAccount } from '../pods/objects.js';
import { hardenedPodTemplate } from '../pods/pod.js';
import { goodRevision } from '../pods/rollback.js';
import { guaranteedResources } from '../pods/resources.js';
import type { NamedPort, PodTemplate, ResourceRequirements } from '../pods/shapes.js';
import { configMapVolume, secretVolume } from '../pods/volumes.js';
import { statefulSet } from '../pods/workload.js';
import { gatewaysConfigMap, relaySettings, settingsConfigMap } from './configuration.js';
import type { RelayPoolContext } from './context.js';
import { COMPONENT, relayChild, relayPoolNames, wantedReplicas } from './context.js';
import type { RolloutChoice } from '../pods/rolling-update.js';
import { headless, replicaServices, relayNetworkPolicy, relayServiceMonitor } from './network.js';

/** Hash of the settings that need a new process; as a pod annotation it rolls pods when they change. */
export const ANNOTATION_RESTART_SETTINGS = 'sallyport.dev/restart-settings';
/** A relay that failed within this time of its start never counts. */
const MIN_READY_SECONDS = 10;
/** What the pod gets beyond the drain: to close what is left, and to write its last records. */
const GRACE_BEYOND_DRAIN_SECONDS = 10;
/** Whole cores and no more than is asked for (Guaranteed): forwarding must not wait for its share of a core. */
const RESOURCES: ResourceRequirements = {
  requests: { cpu: '1', memory: '256Mi', 'ephemeral-storage': '64Mi' },
  limits: { cpu: '1', memory: '256Mi', 'ephemeral-storage': '64Mi' },
};

/** All objects of a pool but its certificate's Secret, which is made by order. */
export function relayPoolObjects(
  context: RelayPoolContext,
  rollout: Pick<RolloutChoice, 'template' | 'annotations' | 'partition' | 'good'>,
): readonly KubernetesObject[] {
  const { pool } = context;
  const { good } = rollout;
  return [
    serviceAccount(relayChild(pool, relayPoolNames(pool).workload)),
    settingsConfigMap(context),
    gatewaysConfigMap(context),
    relayNetworkPolicy(context),
    headless(context),
    ...replicaServices(context),
    ...(good === undefined
      ? []
      : [goodRevision(relayPoolNames(pool).goodRevision, good, (name) => relayChild(pool, name))]),
    relayStatefulSet(context, rollout),
    podDisruptionBudget({
      metadata: relayChild(pool, relayPoolNames(pool).workload),
      selector: selectorLabels(pool, COMPONENT),
    }),
    ...autoscaler(pool),
    ...relayServiceMonitor(context),
  ];
}

/** The pods of a pool, as the render version writes them. */
export function relayTemplate(context: RelayPoolContext): PodTemplate {
  const { pool, values } = context;
  const names = relayPoolNames(pool);
  return hardenedPodTemplate({
    labels: podLabels(pool, COMPONENT),
    annotations: {
      [ANNOTATION_RESTART_SETTINGS]: restartDigest(
        restartPart(RELAY_SETTINGS, relaySettings(context)),
      ),
    },
    selector: selectorLabels(pool, COMPONENT),
    serviceAccountName: names.workload,
    containers: [relayContainer(context)],
    volumes: [
      configMapVolume({ volume: 'settings', name: names.settings }),
      configMapVolume({ volume: 'gateways', name: names.gateways }),
      // Two entries by name: the Secret also holds the key of the next rotation, which no pod needs yet.
      secretVolume({
        volume: 'tls',
        name: names.tls,
        items: ['tls.crt', 'tls.key'].map((key) => ({ key, path: key })),
      }),
    ],
    terminationGracePeriodSeconds: pool.spec.drain.seconds + GRACE_BEYOND_DRAIN_SECONDS,
    hardening: values.hardening,
    scheduling: { ...pool.spec.scheduling, regions: values.scheduling.regions },
  });
}

function relayContainer({ pool, render }: RelayPoolContext): ProgramContainer {
  const metrics = { path: '/readyz', port: METRICS_PORT_NAME };
  return {
    name: COMPONENT,
    image: imageReference(render.image, pool.spec.image),
    command: ['node', 'dist/bin/relay.js', '--settings', RELAY_PATHS.settings],
    // Kubernetes expands the variable: a relay learns its ordinal from its pod's name and reads no environment.
    args: ['--pod', '$(POD_NAME)'],
    env: [{ name: 'POD_NAME', field: 'metadata.name' }],
    ports: relayPorts(pool),
    mounts: [
      { volume: 'settings', path: '/etc/sallyport/settings' },
      { volume: 'gateways', path: RELAY_PATHS.gateways },
      { volume: 'tls', path: RELAY_PATHS.tls },
    ],
    resources: guaranteedResources(pool.spec.resources, RESOURCES),
    probes: {
      readiness: metrics,
      liveness: { ...metrics, path: '/livez' },
      startup: { ...metrics, path: '/livez' },
    },
  };
}

function relayPorts({ spec }: RelayPool): readonly NamedPort[] {
  return [
    { name: 'relay', port: spec.port, protocol: 'UDP' },
    ...(spec.fallback.enabled
      ? [{ name: 'fallback', port: spec.fallback.port, protocol: 'TCP' } as const]
      : []),
    { name: METRICS_PORT_NAME, port: RELAY_PORTS.metrics, protocol: 'TCP' },
  ];
}

function relayStatefulSet(
  { pool, render }: RelayPoolContext,
  {
    template,
    partition,
    annotations,
  }: Pick<RolloutChoice, 'template' | 'annotations' | 'partition'>,
): KubernetesObject {
  const names = relayPoolNames(pool);
  return statefulSet({
    metadata: relayChild(pool, names.workload, {
      annotations: { ...annotations, [ANNOTATION_RENDER]: String(render.version) },
    }),
    selector: selectorLabels(pool, COMPONENT),
    serviceName: names.workload,
    replicas: wantedReplicas(pool),
    template,
    partition,
    minReadySeconds: MIN_READY_SECONDS,
  });
}

function autoscaler(pool: RelayPool): readonly KubernetesObject[] {
  const { autoscaling } = pool.spec;
  const { workload } = relayPoolNames(pool);
  if (autoscaling === undefined) return [];
  return [
    horizontalPodAutoscaler({
      metadata: relayChild(pool, workload),
      target: { kind: 'StatefulSet', name: workload },
      autoscaling,
    }),
  ];
}

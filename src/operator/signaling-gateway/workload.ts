/*
 * The pods of a gateway: a Deployment, or with Embedded storage a StatefulSet of one with its volume. Only what a
 * running gateway cannot take up is in the template, so that everything else changes without a restart.
 */
import { GATEWAY_PATHS, GATEWAY_PORTS, GATEWAY_SETTINGS } from '../../gateway/settings.js';
import { ANNOTATION_RENDER, podLabels, selectorLabels } from '../../kubernetes/metadata.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import { restartPart } from '../../runtime/live-settings.js';
import { horizontalPodAutoscaler, podDisruptionBudget } from '../pods/availability.js';
import type { ProgramContainer } from '../pods/container.js';
import { imageReference } from '../pods/image.js';
import { restartDigest } from '../pods/objects.js';
import { hardenedPodTemplate } from '../pods/pod.js';
import { resources } from '../pods/resources.js';
import type { Rollout } from '../pods/rollback.js';
import type { Mount, PodTemplate, ResourceRequirements, Volume } from '../pods/shapes.js';
import { claimVolume, configMapVolume, secretVolume } from '../pods/volumes.js';
import { deployment, persistentVolumeClaim, statefulSet } from '../pods/workload.js';
import { CA_NAME } from '../keys/ca.js';
import { FILES, gatewaySettings, SECRET_FOLDERS } from './configuration.js';
import {
  COMPONENT,
  gatewayChild,
  gatewayNames,
  hasColumnKeys,
  publicTlsSecret,
  tlsSource,
  wantedReplicas,
  workloadKind,
} from './objects.js';
import type { GatewayContext } from './objects.js';

/** Hash of the settings that need a new process; as a pod annotation it rolls pods when they change. */
export const ANNOTATION_RESTART_SETTINGS = 'sallyport.dev/restart-settings';

/** Load balancers and kube-proxy stop sending new clients within this time after a pod is told to end. */
const PRE_STOP_SLEEP_SECONDS = 10;
/** The sleep, then time to close sockets so that clients come back elsewhere one after the other. */
const GRACE_SECONDS = 60;
/** A pod that dies in its first seconds does not count as rolled out. */
const MIN_READY_SECONDS = 5;
/** A rollout may wait for a database and an image pull, not for a person. */
export const PROGRESS_DEADLINE_SECONDS = 600;
/** Name of the volume claim; the API server's name of the claim is VOLUME-STATEFULSET-0. */
const DATA = 'data';

/** An idle gateway; 10,000 idle sockets take about 560 MB (architecture.md 8). */
const RESOURCES: ResourceRequirements = {
  requests: { cpu: '100m', memory: '256Mi', 'ephemeral-storage': '64Mi' },
  limits: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '256Mi' },
};

/** The Deployment or StatefulSet, with the template that the rollout has chosen. */
export function workload(
  context: GatewayContext,
  { template, annotations }: Pick<Rollout, 'template' | 'annotations'>,
): KubernetesObject {
  const { gateway, render } = context;
  const names = gatewayNames(gateway);
  const child = gatewayChild(gateway, names.workload);
  const parts = {
    metadata: {
      ...child,
      annotations: { ...annotations, [ANNOTATION_RENDER]: String(render.version) },
    },
    selector: selectorLabels(gateway, COMPONENT),
    template,
    replicas: wantedReplicas(gateway),
    minReadySeconds: MIN_READY_SECONDS,
  };
  if (workloadKind(gateway) === 'Deployment') {
    return deployment({ ...parts, progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS });
  }
  const set = statefulSet({
    ...parts,
    serviceName: names.internalService,
  });
  return {
    ...set,
    spec: { ...(set['spec'] as object), volumeClaimTemplates: [dataClaim(context)] },
  };
}

/** Lets one pod at a time be evicted. */
export function disruptionBudget({ gateway }: GatewayContext): KubernetesObject {
  return podDisruptionBudget({
    metadata: gatewayChild(gateway, gatewayNames(gateway).workload),
    selector: selectorLabels(gateway, COMPONENT),
  });
}

/** The HorizontalPodAutoscaler, when one is wanted. */
export function autoscaler({ gateway }: GatewayContext): readonly KubernetesObject[] {
  const { autoscaling } = gateway.spec;
  if (autoscaling === undefined) return [];
  const name = gatewayNames(gateway).workload;
  const target = { kind: workloadKind(gateway), name };
  return [horizontalPodAutoscaler({ metadata: gatewayChild(gateway, name), target, autoscaling })];
}

/** The template of the pods. */
export function podTemplate(context: GatewayContext): PodTemplate {
  const { gateway, values } = context;
  const { spec } = gateway;
  const migration = migrationContainer(context);
  return hardenedPodTemplate({
    labels: podLabels(gateway, COMPONENT),
    annotations: {
      [ANNOTATION_RESTART_SETTINGS]: restartDigest(
        restartPart(GATEWAY_SETTINGS, gatewaySettings(context)),
      ),
    },
    selector: selectorLabels(gateway, COMPONENT),
    serviceAccountName: gatewayNames(gateway).workload,
    initContainers: migration === undefined ? [] : [migration],
    containers: [gatewayContainer(context)],
    volumes: [...fileVolumes(context), ...storageVolumes(context), ...busVolumes(context)],
    terminationGracePeriodSeconds: GRACE_SECONDS,
    hardening: values.hardening,
    scheduling: { ...spec.scheduling, regions: values.scheduling.regions },
  });
}

function gatewayContainer(context: GatewayContext): ProgramContainer {
  const { gateway } = context;
  const { spec } = gateway;
  const migrationOnly = 'migration';
  return {
    name: 'gateway',
    image: imageReference(context.render.image, spec.image),
    command: ['node', 'dist/bin/gateway.js', '--settings', GATEWAY_PATHS.settings],
    ports: [
      { name: 'gateway', port: spec.listener.port, protocol: 'TCP' },
      { name: 'internal', port: GATEWAY_PORTS.internal, protocol: 'TCP' },
      { name: 'metrics', port: GATEWAY_PORTS.metrics, protocol: 'TCP' },
    ],
    mounts: [
      ...FILE_MOUNTS,
      ...mountsOf(storageVolumes(context).filter(({ name }) => name !== migrationOnly)),
      ...mountsOf(busVolumes(context)),
      ...(spec.storage.type === 'Embedded'
        ? [{ volume: DATA, path: GATEWAY_PATHS.data, readOnly: false }]
        : []),
    ],
    resources: resources(spec.resources, RESOURCES),
    probes: {
      readiness: { path: '/readyz', port: 'metrics' },
      liveness: { path: '/livez', port: 'metrics' },
      startup: { path: '/livez', port: 'metrics' },
    },
    preStopSleepSeconds: PRE_STOP_SLEEP_SECONDS,
  };
}

/** Changes the schema under an advisory lock before the gateway starts. It alone mounts the migration Secret. */
function migrationContainer(context: GatewayContext): ProgramContainer | undefined {
  const { gateway, render } = context;
  const { spec } = gateway;
  const { postgresql } = spec.storage;
  if (postgresql === undefined) return undefined;
  const folder = postgresql.migrationSecretRef === undefined ? 'runtime' : 'migration';
  // With a role of its own it has to know which other role to grant to: the one in the runtime URI.
  const needed = new Set<string>(['runtime', folder, 'database-ca']);
  return {
    name: 'migrate',
    image: imageReference(render.image, spec.image),
    command: ['node', 'dist/bin/gateway.js', '--settings', GATEWAY_PATHS.settings],
    args: ['--migrate', `${SECRET_FOLDERS[folder]}/${FILES.uri}`],
    mounts: [
      { volume: 'settings', path: folderOf(GATEWAY_PATHS.settings) },
      ...mountsOf(storageVolumes(context).filter(({ name }) => needed.has(name))),
    ],
    resources: resources(spec.resources, RESOURCES),
  };
}

/** Volumes that every gateway has, with their mounts below. */
function fileVolumes({ gateway }: GatewayContext): readonly Volume[] {
  const names = gatewayNames(gateway);
  const items = (keys: readonly string[]) => keys.map((key) => ({ key, path: key }));
  const tlsItems = items([FILES.certificate, FILES.key]);
  // Endpoints are told the next key by its pin; who brings the certificate says nothing of the key that follows.
  const isOurs = tlsSource(gateway).type === 'Internal';
  const publicItems = isOurs ? [...tlsItems, ...items([FILES.nextPin])] : tlsItems;
  const data = claimVolume(DATA, `${DATA}-${names.workload}-0`);
  return [
    configMapVolume({ volume: 'settings', name: names.settings }),
    configMapVolume({ volume: 'relays', name: names.relays }),
    // Without a role nobody has a permission; the gateway runs and waits for its first bundle.
    configMapVolume({ volume: 'policy', name: names.policyBundle, optional: true }),
    configMapVolume({ volume: 'trust', name: CA_NAME }),
    secretVolume({ volume: 'lease-keys', name: names.leaseKeys }),
    secretVolume({ volume: 'tls', name: publicTlsSecret(gateway), items: publicItems }),
    secretVolume({ volume: 'internal-tls', name: names.internalTls, items: tlsItems }),
    // The StatefulSet's controller puts the same claim in its place; standalone reads it here.
    ...(gateway.spec.storage.type === 'Embedded' ? [data] : []),
  ];
}

const FILE_MOUNTS: readonly Mount[] = [
  { volume: 'settings', path: folderOf(GATEWAY_PATHS.settings) },
  { volume: 'relays', path: GATEWAY_PATHS.relays },
  { volume: 'policy', path: GATEWAY_PATHS.policy },
  { volume: 'trust', path: GATEWAY_PATHS.trust },
  { volume: 'lease-keys', path: GATEWAY_PATHS.leaseKeys },
  { volume: 'tls', path: GATEWAY_PATHS.publicTls },
  { volume: 'internal-tls', path: GATEWAY_PATHS.internalTls },
];

/** Secrets of storage and bus: each gives one key, at one place. */
const SECRET_MOUNTS: Readonly<Record<string, string>> = {
  'column-keys': SECRET_FOLDERS.columnKeys,
  runtime: SECRET_FOLDERS.runtime,
  migration: SECRET_FOLDERS.migration,
  'database-ca': SECRET_FOLDERS.databaseCa,
  'bus-credentials': SECRET_FOLDERS.busCredentials,
  'bus-ca': SECRET_FOLDERS.busCa,
};

function storageVolumes({ gateway }: GatewayContext): readonly Volume[] {
  const { runtimeSecretRef, migrationSecretRef, caSecretRef } =
    gateway.spec.storage.postgresql ?? {};
  const columnKeys = hasColumnKeys(gateway)
    ? { name: gatewayNames(gateway).columnKeys }
    : undefined;
  return [
    ...keyVolume('column-keys', columnKeys, FILES.keyIndex),
    ...keyVolume('runtime', runtimeSecretRef, FILES.uri),
    ...keyVolume('migration', migrationSecretRef, FILES.uri),
    ...keyVolume('database-ca', caSecretRef, FILES.ca),
  ];
}

function busVolumes({ gateway }: GatewayContext): readonly Volume[] {
  const { credentialsSecretRef, caSecretRef } = gateway.spec.bus.nats ?? {};
  return [
    ...keyVolume('bus-credentials', credentialsSecretRef, FILES.credentials),
    ...keyVolume('bus-ca', caSecretRef, FILES.ca),
  ];
}

function keyVolume(
  volume: string,
  secret: { readonly name: string } | undefined,
  key: string,
): readonly Volume[] {
  if (secret === undefined) return [];
  return [secretVolume({ volume, name: secret.name, items: [{ key, path: key }] })];
}

function mountsOf(volumes: readonly Volume[]): readonly Mount[] {
  return volumes.map(({ name }) => ({
    volume: name,
    path: SECRET_MOUNTS[name] ?? `/etc/sallyport/${name}`,
  }));
}

function dataClaim({ gateway }: GatewayContext): Readonly<Record<string, unknown>> {
  const { sizeGibibytes = 1, storageClassName } = gateway.spec.storage.embedded ?? {};
  const claim = persistentVolumeClaim({
    metadata: { name: DATA },
    size: `${sizeGibibytes}Gi`,
    storageClassName,
  });
  // The API server writes this status into every claim template.
  return { ...claim, status: { phase: 'Pending' } };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

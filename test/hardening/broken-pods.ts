/* One workload as rooms build it, and ways to break it: judges are tested on these, and so is the API server. */
import { podDisruptionBudget } from '../../src/operator/pods/availability.js';
import { imageReference } from '../../src/operator/pods/image.js';
import { dnsEgress, networkPolicy } from '../../src/operator/pods/network-policy.js';
import { configMap, serviceAccount } from '../../src/operator/pods/objects.js';
import { hardenedPodTemplate } from '../../src/operator/pods/pod.js';
import { service } from '../../src/operator/pods/service.js';
import { configMapVolume, emptyDirVolume, secretVolume } from '../../src/operator/pods/volumes.js';
import { deployment } from '../../src/operator/pods/workload.js';

const LABELS = {
  'app.kubernetes.io/name': 'signaling-gateway',
  'app.kubernetes.io/instance': 'edge',
  'app.kubernetes.io/component': 'gateway',
  'app.kubernetes.io/part-of': 'sallyport',
  'app.kubernetes.io/managed-by': 'sallyport',
};
/** Metadata of every object here. */
export const metadata = {
  name: 'edge-gateway',
  namespace: 'chat',
  labels: { ...LABELS, 'sallyport.dev/owner-uid': 'u' },
};
const AMOUNTS = { cpu: '250m', memory: '256Mi', 'ephemeral-storage': '64Mi' };
const image = imageReference({
  repository: 'registry.example.com/sallyport/sallyport',
  tag: '0.1.0',
  digest: `sha256:${'ab'.repeat(32)}`,
});

/** JSON that a test may break. */
export interface Loose {
  [field: string]: unknown;
}

/** A copy in which no two objects share a part. */
const copied = (value: object) => JSON.parse(JSON.stringify(value)) as Loose;

/** Everything that a workload of ours has, as rooms build it; mutable, so that a test can break it. */
export function goodObjects(): Loose {
  const template = hardenedPodTemplate({
    labels: LABELS,
    selector: LABELS,
    serviceAccountName: 'edge-gateway',
    containers: [
      {
        name: 'gateway',
        image,
        command: ['node', 'dist/bin/gateway.js'],
        env: [
          { name: 'POD_NAME', field: 'metadata.name' },
          { name: 'NODE_ENV', value: 'production' },
        ],
        ports: [
          { name: 'https', port: 8443, protocol: 'TCP' },
          { name: 'metrics', port: 9090, protocol: 'TCP' },
        ],
        mounts: [
          { volume: 'keys', path: '/etc/keys' },
          { volume: 'settings', path: '/etc/settings' },
          { volume: 'scratch', path: '/var/scratch', readOnly: false },
        ],
        resources: { requests: AMOUNTS, limits: AMOUNTS },
        probes: {
          readiness: { path: '/readyz', port: 'metrics' },
          liveness: { path: '/livez', port: 'metrics' },
          startup: { path: '/livez', port: 'metrics' },
        },
        preStopSleepSeconds: 5,
      },
    ],
    initContainers: [
      {
        name: 'migrate',
        image,
        command: ['node'],
        resources: { requests: AMOUNTS, limits: AMOUNTS },
      },
    ],
    volumes: [
      secretVolume({ volume: 'keys', name: 'edge-keys' }),
      configMapVolume({ volume: 'settings', name: 'edge-settings' }),
      emptyDirVolume('scratch', '16Mi'),
    ],
    terminationGracePeriodSeconds: 60,
  });
  return copied({
    workload: deployment({
      metadata,
      selector: LABELS,
      template,
      replicas: 2,
      minReadySeconds: 5,
      progressDeadlineSeconds: 600,
    }),
    policy: networkPolicy({
      metadata,
      podLabels: LABELS,
      ingress: [{ peers: 'Anyone', ports: [{ port: 'https', protocol: 'TCP' }] }],
      egress: [dnsEgress()],
    }),
    budget: podDisruptionBudget({ metadata, selector: LABELS }),
    service: service({
      metadata,
      selector: LABELS,
      ports: [{ name: 'https', port: 8443, targetPort: 'https', protocol: 'TCP' }],
      exposure: { type: 'LoadBalancer' },
    }),
    account: serviceAccount(metadata),
    settings: configMap(metadata, { 'settings.json': '{}' }),
    secret: { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data: {} },
  });
}

/** What to change, by path; undefined deletes. `pod`, `container` and `init` are those of the workload. */
export type Break = Readonly<Record<string, unknown>>;

const ROOTS: Readonly<Record<string, string>> = {
  template: 'workload.spec.template',
  pod: 'workload.spec.template.spec',
  container: 'workload.spec.template.spec.containers.0',
  init: 'workload.spec.template.spec.initContainers.0',
};

/** The objects with `breaks` done to them. @throws Error for a path that leads nowhere: it would break and prove nothing */
export function brokenObjects(breaks: Break): Loose {
  const objects = goodObjects();
  for (const [path, value] of Object.entries(breaks)) {
    const [root = '', ...rest] = path.split('.');
    const steps = [...(ROOTS[root] ?? root).split('.'), ...rest];
    const last = steps.pop() ?? '';
    const holder = steps.reduce((here, step) => here[step] as Loose, objects);
    // A path that leads nowhere would break nothing and prove nothing.
    if (value === undefined && !(last in holder)) throw new Error(`${path} is not there`);
    if (value === undefined) Reflect.deleteProperty(holder, last);
    else holder[last] = value;
  }
  return objects;
}

const UNCONFINED_ANNOTATION = {
  'container.apparmor.security.beta.kubernetes.io/gateway': 'unconfined',
};

/** The published controls: at least one way to violate each. */
export const RESTRICTED_BREAKS: readonly (readonly [string, Break])[] = [
  ['hostProcess', { 'pod.securityContext.windowsOptions': { hostProcess: true } }],
  ['hostNamespaces', { 'pod.hostNetwork': true }],
  ['hostNamespaces', { 'pod.hostPID': true }],
  ['hostNamespaces', { 'pod.hostIPC': true }],
  ['privileged', { 'container.securityContext.privileged': true }],
  ['capabilitiesBaseline', { 'init.securityContext.capabilities.add': ['SYS_ADMIN'] }],
  ['hostPathVolumes', { 'pod.volumes.3': { name: 'x', hostPath: { path: '/' } } }],
  ['hostPorts', { 'container.ports.0.hostPort': 8443 }],
  ['hostProbes', { 'container.livenessProbe.httpGet.host': '10.0.0.1' }],
  ['hostProbes', { 'container.lifecycle.preStop': { httpGet: { host: 'a', port: 1 } } }],
  ['appArmor', { 'pod.securityContext.appArmorProfile': { type: 'Unconfined' } }],
  ['appArmor', { 'template.metadata.annotations': UNCONFINED_ANNOTATION }],
  ['seLinux', { 'pod.securityContext.seLinuxOptions': { type: 'spc_t' } }],
  ['seLinux', { 'container.securityContext.seLinuxOptions': { user: 'root' } }],
  ['procMount', { 'container.securityContext.procMount': 'Unmasked' }],
  ['seccompBaseline', { 'init.securityContext.seccompProfile.type': 'Unconfined' }],
  ['sysctls', { 'pod.securityContext.sysctls': [{ name: 'kernel.msgmax', value: '1' }] }],
  ['restrictedVolumes', { 'pod.volumes.3': { name: 'x', nfs: { server: 's', path: '/' } } }],
  ['allowPrivilegeEscalation', { 'container.securityContext.allowPrivilegeEscalation': undefined }],
  ['runAsNonRoot', { 'container.securityContext.runAsNonRoot': false }],
  ['runAsNonRoot', { 'pod.securityContext.runAsNonRoot': false }],
  ['runAsUser', { 'init.securityContext.runAsUser': 0 }],
  [
    'seccompRestricted',
    {
      'pod.securityContext.seccompProfile': undefined,
      'container.securityContext.seccompProfile': undefined,
    },
  ],
  ['capabilitiesRestricted', { 'container.securityContext.capabilities.drop': undefined }],
  ['capabilitiesRestricted', { 'container.securityContext.capabilities.add': ['CHOWN'] }],
];

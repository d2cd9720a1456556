import type { Rendering } from './helm.js';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const OTHER = `sha256:${'fedcba9876543210'.repeat(4)}`;
const PROMETHEUS = [
  'monitoring.coreos.com/v1/ServiceMonitor',
  'monitoring.coreos.com/v1/PrometheusRule',
];

/** A grid of values, each rendered into a golden file of that name. */
export const CASES: Readonly<Record<string, Rendering>> = {
  'no-values': {},
  production: {
    values: {
      cluster: {
        serviceCIDRs: ['10.96.0.0/12'],
        podCIDRs: ['10.244.0.0/16', 'fd00:10:244::/56'],
        apiServer: ['192.0.2.10/32', '2001:db8::10/128'],
      },
      installId: 'clinic',
      image: {
        registry: 'mirror.example.com:5000/approved',
        digest: DIGEST,
        pullSecrets: ['registry'],
      },
      images: { allowedRepositories: ['mirror.example.com:5000/approved'] },
      replicas: 3,
      networkPolicy: { monitoringNamespace: 'monitoring', apiServerPorts: [6443] },
      scheduling: { priorityClassName: 'sallyport' },
      'sallyport-cluster': { priorityClass: { create: true } },
      metadata: {
        labels: { 'example.com/team': 'platform' },
        annotations: { 'example.com/owner': 'platform@example.com' },
      },
    },
    apis: PROMETHEUS,
  },
  'named-namespaces': {
    values: {
      cluster: { install: false },
      scope: { watch: 'Named', namespaces: ['clinic', 'sallyport-system', 'office'] },
      image: { digest: DIGEST },
    },
  },
  'labelled-namespaces': {
    values: { scope: { watch: 'Selected', namespaceSelector: 'sallyport=enabled' } },
    release: 'blue',
    namespace: 'operators',
  },
  'existing-cluster-role': {
    values: { cluster: { install: false }, rbac: { clusterRole: 'Existing' } },
  },
  'hardening-and-scheduling': {
    values: {
      image: { digest: DIGEST, pullPolicy: 'Always' },
      hardening: {
        appArmor: 'RuntimeDefault',
        userNamespaces: true,
        strictSupplementalGroups: true,
        runtimeClassName: 'gvisor',
      },
      scheduling: {
        nodeSelector: { 'kubernetes.io/arch': 'amd64' },
        tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'ops', effect: 'NoSchedule' }],
      },
      resources: { requests: { cpu: '500m' }, limits: { memory: '1Gi' } },
      oldSpaceMegabytes: 768,
    },
  },
  tuned: {
    values: {
      image: { digest: DIGEST },
      renderVersion: 3,
      previousRenders: [
        { version: 2, tag: '0.0.2', digest: OTHER },
        { version: 1, tag: '0.0.1', digest: DIGEST },
      ],
      images: { pullPolicy: 'Always' },
      replicas: 1,
      workers: 8,
      logLevel: 'debug',
      leaderElection: { leaseSeconds: 60, renewSeconds: 40, retrySeconds: 8 },
      client: { connections: 8, callDeadlineSeconds: 60 },
      keys: { checkSecretsEverySeconds: 60 },
      shutdownDeadlineSeconds: 30,
    },
  },
  'monitoring-asked-for': {
    values: {
      networkPolicy: { monitoringNamespace: 'monitoring' },
      monitoring: {
        serviceMonitor: 'Enabled',
        labels: { release: 'prometheus' },
      },
    },
  },
  'monitoring-declined': {
    values: {
      networkPolicy: { monitoringNamespace: 'monitoring' },
      monitoring: { serviceMonitor: 'Disabled' },
    },
    apis: PROMETHEUS,
  },
  cluster: { chart: 'sallyport-cluster' },
  'cluster-for-existing-role': {
    chart: 'sallyport-cluster',
    values: {
      crds: { install: false },
      aggregatedRoles: false,
      operatorRole: { create: true, namespace: 'operators', serviceAccount: 'blue-operator' },
    },
  },
};

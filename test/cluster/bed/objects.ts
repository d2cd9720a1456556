/*
 * What a cluster has before anything is installed: names, volumes, and a class of them.
 */
import type { AnyObject } from '../../apiserver/bed/admin.js';
import { DNS_SERVICE, NODE_NAME } from './addresses.js';

/** How many volumes there are. */
export const VOLUMES = 8;

/** Folders of the node as volumes. Nobody makes more of them, so a claim binds to one that is there. */
export function localVolumes(folder: string): AnyObject[] {
  return [
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: {
        name: 'local',
        annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
      },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
    },
    ...Array.from({ length: VOLUMES }, (_, index) => localVolume(folder, index)),
  ];
}

const localVolume = (folder: string, index: number): AnyObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: `local-${index}` },
  spec: {
    capacity: { storage: '20Gi' },
    accessModes: ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Retain',
    storageClassName: 'local',
    local: { path: `${folder}/volumes/${index}` },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          {
            matchExpressions: [
              { key: 'kubernetes.io/hostname', operator: 'In', values: [NODE_NAME] },
            ],
          },
        ],
      },
    },
  },
});

const NAMES = `.:53 {
  errors
  health
  ready
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    ttl 5
  }
}
`;

/** CoreDNS as clusters run it: pods that policies find by their label. It forwards nothing: nothing is out there. */
export function clusterDns(image: string): AnyObject[] {
  const labels = { 'k8s-app': 'kube-dns' };
  const metadata = { name: 'kube-dns', namespace: 'kube-system', labels };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'kube-dns' },
      rules: [
        {
          apiGroups: [''],
          resources: ['services', 'pods', 'namespaces'],
          verbs: ['list', 'watch'],
        },
        {
          apiGroups: ['discovery.k8s.io'],
          resources: ['endpointslices'],
          verbs: ['list', 'watch'],
        },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'kube-dns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'kube-dns' },
      subjects: [{ kind: 'ServiceAccount', name: 'kube-dns', namespace: 'kube-system' }],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: NAMES } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        clusterIP: DNS_SERVICE,
        selector: labels,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: dnsPod(image) },
      },
    },
  ];
}

const dnsPod = (image: string): object => ({
  serviceAccountName: 'kube-dns',
  dnsPolicy: 'Default',
  volumes: [{ name: 'configuration', configMap: { name: 'kube-dns' } }],
  containers: [
    {
      name: 'coredns',
      image,
      imagePullPolicy: 'Never',
      args: ['-conf', '/configuration/Corefile'],
      volumeMounts: [{ name: 'configuration', mountPath: '/configuration', readOnly: true }],
      readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
    },
  ],
});

/*
 * The programs of the node with their arguments and files. Each works as on a node of a real cluster, but for what a
 * comment names.
 */
import { join } from 'node:path';
import { apiServerArgs, controllerManagerArgs } from '../../apiserver/bed/command-lines.js';
import {
  API_SERVER_PORT,
  DNS_SERVICE,
  NODE_ADDRESS,
  NODE_NAME,
  POD_RANGE,
  SERVICE_RANGE,
} from './addresses.js';

/** etcd's client port in the node's namespace. */
export const ETCD_PORT = 2379;

/** The API server, reachable from pods and for them under the service "kubernetes". */
export function clusterApiServerArgs(folder: string): string[] {
  const file = (name: string) => join(folder, name);
  return apiServerArgs({
    folder,
    etcdPort: ETCD_PORT,
    port: API_SERVER_PORT,
    options: {
      controllerManager: true,
      args: [
        '--bind-address=0.0.0.0',
        `--advertise-address=${NODE_ADDRESS}`,
        '--endpoint-reconciler-type=lease',
        `--service-cluster-ip-range=${SERVICE_RANGE}`,
        '--kubelet-preferred-address-types=InternalIP',
        // Without them `kubectl exec` is Unauthorized.
        `--kubelet-client-certificate=${file('kubelet-client.crt')}`,
        `--kubelet-client-key=${file('kubelet-client.key')}`,
        `--kubelet-certificate-authority=${file('ca.crt')}`,
      ],
    },
  });
}

/** All controllers, in a hurry. */
export function clusterControllerManagerArgs(folder: string, kubeconfig: string): string[] {
  return [
    ...controllerManagerArgs(folder, kubeconfig, ['*']),
    '--allocate-node-cidrs',
    `--cluster-cidr=${POD_RANGE}`,
    `--root-ca-file=${join(folder, 'ca.crt')}`,
  ];
}

/** The scheduler. */
export const schedulerArgs = (kubeconfig: string): string[] => [
  `--kubeconfig=${kubeconfig}`,
  `--authentication-kubeconfig=${kubeconfig}`,
  `--authorization-kubeconfig=${kubeconfig}`,
  '--leader-elect=false',
  '--secure-port=10259',
];

/** Arguments of kubelet beside its configuration file. */
export const kubeletArgs = (folder: string, kubeconfig: string): string[] => [
  `--config=${join(folder, 'kubelet.json')}`,
  `--kubeconfig=${kubeconfig}`,
  `--hostname-override=${NODE_NAME}`,
  `--node-ip=${NODE_ADDRESS}`,
  '--node-labels=topology.kubernetes.io/zone=zone-1',
  '--root-dir=/var/lib/kubelet',
];

/** kubelet's configuration: an old machine's control groups, no swap, no other machine's names. */
export const kubeletConfiguration = (folder: string, controlGroup: string): object => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: false },
    x509: { clientCAFile: join(folder, 'ca.crt') },
  },
  authorization: { mode: 'AlwaysAllow' },
  cgroupDriver: 'cgroupfs',
  // A branch of its own, so that it can be removed afterwards.
  cgroupRoot: controlGroup,
  failCgroupV1: false,
  failSwapOn: false,
  resolvConf: '',
  clusterDomain: 'cluster.local',
  clusterDNS: [DNS_SERVICE],
  containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
  tlsCertFile: join(folder, 'kubelet.crt'),
  tlsPrivateKeyFile: join(folder, 'kubelet.key'),
  syncFrequency: '10s',
  // The disk is that of whoever runs the tests.
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '1%',
    'imagefs.available': '1%',
  },
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  maxPods: 60,
  shutdownGracePeriod: '0s',
});

/** containerd's configuration: its own folders, and no lowering of OOM scores, which a machine may refuse. */
export const containerdConfiguration = (folder: string, plugins: string): string => `version = 2
root = "${folder}/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "pause.test/pause:1"
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${plugins}"
    conf_dir = "${folder}/cni"
`;

/** The network of the pods: a bridge on the node. */
export const networkConfiguration = (): object => ({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      // To the outside they have the address of the node, as on most clusters.
      ipMasq: true,
      // Without it a pod that calls its own service never hears back.
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: '10.244.0.0/24' }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});

/** kube-proxy's configuration. */
export const proxyConfiguration = (kubeconfig: string): object => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'nftables',
  hostnameOverride: NODE_NAME,
  clusterCIDR: POD_RANGE,
  clientConnection: { kubeconfig },
  // These would write settings of the whole machine.
  conntrack: { maxPerCore: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
});

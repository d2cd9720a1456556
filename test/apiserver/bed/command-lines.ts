import { join } from 'node:path';

/** What Kubernetes objects of ours need; `endpointslice` and others would only cost time. */
const CONTROLLERS = [
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'deployment-controller',
  'replicaset-controller',
  'statefulset-controller',
  'disruption-controller',
];

/** etcd on one loopback port, its data in `folder`. Nothing has to survive a power cut, so it never syncs. */
export function etcdArgs(folder: string, port: number): string[] {
  const url = `http://127.0.0.1:${port}`;
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    '--listen-peer-urls=http://127.0.0.1:0',
    '--unsafe-no-fsync',
    // As kubeadm runs it: without it a kind in which nothing happens gets no bookmarks for ten minutes.
    '--watch-progress-notify-interval=5s',
    '--quota-backend-bytes=8589934592',
    '--log-level=warn',
  ];
}

interface ApiServerArgs {
  readonly folder: string;
  readonly etcdPort: number;
  readonly port: number;
  readonly options: {
    readonly controllerManager?: boolean;
    readonly featureGates?: Readonly<Record<string, boolean>>;
    readonly args?: readonly string[];
  };
}

/** kube-apiserver as a cluster runs it, with static users and an audit log of everything. */
export function apiServerArgs({ folder, etcdPort, port, options }: ApiServerArgs): string[] {
  const gates = Object.entries(options.featureGates ?? {}).map(([gate, on]) => `${gate}=${on}`);
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${join(folder, 'server.crt')}`,
    `--tls-private-key-file=${join(folder, 'server.key')}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(folder, 'accounts.pub')}`,
    `--service-account-signing-key-file=${join(folder, 'accounts.key')}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged',
    // The reconciler of the service "kubernetes" refuses a loopback address.
    '--endpoint-reconciler-type=none',
    `--audit-policy-file=${join(folder, 'audit-policy.json')}`,
    `--audit-log-path=${join(folder, 'audit.jsonl')}`,
    // In megabytes: one file, so that the reader of the log never misses a rotation.
    '--audit-log-maxsize=100000',
    // Without a controller manager nobody makes the service account "default", and no pod could be created.
    ...(options.controllerManager ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ...(gates.length > 0 ? [`--feature-gates=${gates.join(',')}`] : []),
    ...(options.args ?? []),
  ];
}

/** kube-controller-manager, alone and in a hurry. */
export function controllerManagerArgs(
  folder: string,
  kubeconfig: string,
  controllers: readonly string[] = CONTROLLERS,
): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    `--controllers=${controllers.join(',')}`,
    `--service-account-private-key-file=${join(folder, 'accounts.key')}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
  ];
}

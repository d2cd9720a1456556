import type { KubernetesObject, ObjectMeta } from '../../../src/kubernetes/object.js';

/**
 * Objects as the rooms render them, in all the shapes that decide about ownership: lists with keys, sets,
 * atomic lists and maps, empty structures, ports keyed by two fields, quantities, numbers or strings.
 */
export function realisticChildren(
  namespace: string,
  owner: { readonly uid: string; readonly name: string },
): readonly KubernetesObject[] {
  const metadata = (name: string, more: Partial<ObjectMeta> = {}): ObjectMeta => ({
    name,
    namespace,
    labels: {
      'app.kubernetes.io/name': 'gateway',
      'app.kubernetes.io/managed-by': 'sallyport',
      'sallyport.dev/owner-uid': owner.uid,
    },
    ownerReferences: [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: owner.name,
        uid: owner.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
    ...more,
  });
  const selector = { 'app.kubernetes.io/name': 'gateway', 'app.kubernetes.io/instance': 'web' };
  const template = {
    metadata: { labels: selector, annotations: { 'sallyport.dev/settings': 'abc' } },
    spec: podSpec(selector),
  };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata('web-gateway', { annotations: { 'sallyport.dev/render': '1' } }),
      spec: {
        replicas: 3,
        revisionHistoryLimit: 3,
        minReadySeconds: 0,
        paused: false,
        progressDeadlineSeconds: 600,
        selector: { matchLabels: selector },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' } },
        template,
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: metadata('pool-relay'),
      spec: {
        replicas: 2,
        serviceName: 'pool-relay',
        podManagementPolicy: 'Parallel',
        selector: { matchLabels: selector },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        template,
        volumeClaimTemplates: [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { name: 'store' },
            spec: {
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: '10Gi' } },
              volumeMode: 'Filesystem',
            },
            status: { phase: 'Pending' },
          },
        ],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata('web-gateway'),
      spec: {
        type: 'LoadBalancer',
        externalTrafficPolicy: 'Local',
        allocateLoadBalancerNodePorts: false,
        publishNotReadyAddresses: false,
        loadBalancerSourceRanges: ['192.0.2.0/24', '198.51.100.0/24'],
        selector,
        ports: [
          { name: 'dns-tcp', port: 53, targetPort: 'gateway', protocol: 'TCP' },
          { name: 'dns-udp', port: 53, targetPort: 3478, protocol: 'UDP' },
        ],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata('pool-relay'),
      spec: {
        clusterIP: 'None',
        publishNotReadyAddresses: true,
        selector,
        ports: [{ name: 'relay', port: 3478, targetPort: 'relay', protocol: 'UDP' }],
      },
    },
    networkPolicy(metadata('web-gateway'), selector),
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: metadata('deny-all'),
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: metadata('web-gateway'),
      spec: {
        minAvailable: '50%',
        selector: { matchLabels: selector },
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      },
    },
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: metadata('web-gateway'),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web-gateway' },
        minReplicas: 2,
        maxReplicas: 8,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
          },
        ],
        behavior: {
          scaleDown: {
            stabilizationWindowSeconds: 300,
            policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata('web-gateway-lease-keys', { annotations: { 'sallyport.dev/keys': '[]' } }),
      type: 'Opaque',
      data: { 'current.key': 'c2VjcmV0', empty: '' },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata('web-gateway-frozen'),
      type: 'sallyport.dev/keys',
      immutable: true,
      data: { 'next.key': 'c2VjcmV0MQ==' },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata('web-gateway-settings'),
      data: { 'settings.json': '{"version":1,\n"port":8443}', empty: '' },
    },
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: metadata('web-gateway'),
      automountServiceAccountToken: false,
    },
    ingress(metadata('web-gateway', { annotations: { 'example.com/backend-protocol': 'HTTPS' } })),
    {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: metadata('web-gateway-1'),
      revision: 1,
      data: {
        spec: { template: { spec: { volumes: [{ name: 'tmp', emptyDir: {} }], a: [], n: 0.5 } } },
      },
    },
  ];
}

function networkPolicy(
  metadata: ObjectMeta,
  selector: Readonly<Record<string, string>>,
): KubernetesObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec: {
      podSelector: { matchLabels: selector },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        { ports: [{ port: 8443, protocol: 'TCP' }] },
        {
          from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: 'prometheus' } } }],
          ports: [{ port: 'metrics', protocol: 'TCP' }],
        },
      ],
      egress: [
        {
          to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.96.0.0/12'] } }],
          ports: [{ port: 5432, protocol: 'TCP', endPort: 5440 }],
        },
        { to: [{ podSelector: {} }], ports: [{ port: 53, protocol: 'UDP' }] },
      ],
    },
  };
}

function ingress(metadata: ObjectMeta): KubernetesObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata,
    spec: {
      ingressClassName: 'nginx',
      tls: [{ hosts: ['chat.example.com'], secretName: 'web-gateway-tls' }],
      rules: [
        {
          host: 'chat.example.com',
          http: {
            paths: [
              {
                path: '/',
                pathType: 'Prefix',
                backend: { service: { name: 'web-gateway', port: { number: 8443 } } },
              },
            ],
          },
        },
      ],
    },
  };
}

function podSpec(selector: Readonly<Record<string, string>>): Record<string, unknown> {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    serviceAccountName: 'web-gateway',
    priorityClassName: 'system-cluster-critical',
    terminationGracePeriodSeconds: 60,
    shareProcessNamespace: false,
    hostNetwork: false,
    hostPID: false,
    hostIPC: false,
    hostUsers: false,
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      fsGroupChangePolicy: 'OnRootMismatch',
      supplementalGroups: [4000, 3000],
      seccompProfile: { type: 'RuntimeDefault' },
      sysctls: [{ name: 'net.ipv4.ip_local_port_range', value: '1024 65535' }],
    },
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [
      { key: 'dedicated', operator: 'Equal', value: 'relay', effect: 'NoSchedule' },
      {
        key: 'node.kubernetes.io/not-ready',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 30,
      },
    ],
    topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map(
      (topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: selector },
        matchLabelKeys: ['pod-template-hash'],
      }),
    ),
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 100,
            podAffinityTerm: {
              labelSelector: { matchLabels: selector },
              topologyKey: 'kubernetes.io/hostname',
            },
          },
        ],
      },
    },
    imagePullSecrets: [{ name: 'pull' }],
    initContainers: [container('migrate')],
    containers: [container('gateway'), container('sidecar')],
    volumes: [
      { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
      { name: 'cache', emptyDir: {} },
      { name: 'disk', emptyDir: { medium: '' } },
      { name: 'settings', configMap: { name: 'web-gateway-settings', defaultMode: 288 } },
      {
        name: 'keys',
        secret: {
          secretName: 'web-gateway-lease-keys',
          defaultMode: 256,
          optional: false,
          items: [{ key: 'current.key', path: 'current.key', mode: 256 }],
        },
      },
      {
        name: 'projected',
        projected: {
          defaultMode: 288,
          sources: [
            { configMap: { name: 'sallyport-ca' } },
            { serviceAccountToken: { audience: 'log', path: 'token', expirationSeconds: 3600 } },
            {
              downwardAPI: {
                items: [
                  { path: 'name', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
                ],
              },
            },
          ],
        },
      },
    ],
  };
}

function container(name: string): Record<string, unknown> {
  const probe = { httpGet: { path: '/livez', port: 'metrics', scheme: 'HTTP' }, periodSeconds: 10 };
  const exec = { exec: { command: ['node', 'dist/bin/drain.js'] } };
  const isMain = name !== 'migrate';
  return {
    name,
    image: `registry.example.com/sallyport@sha256:${'a'.repeat(64)}`,
    imagePullPolicy: 'IfNotPresent',
    tty: false,
    stdin: false,
    command: ['node', 'dist/bin/gateway.js', '--settings', '/etc/sallyport/settings.json'],
    args: [],
    env: [
      {
        name: 'POD_NAME',
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
      },
      { name: 'POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
      { name: 'EMPTY', value: '' },
      { name: 'NODE_OPTIONS', value: '--max-old-space-size=96' },
      {
        name: 'CPU',
        valueFrom: {
          resourceFieldRef: { containerName: name, resource: 'limits.cpu', divisor: '0' },
        },
      },
    ],
    ports: [
      { name: 'relay', containerPort: 3478, protocol: 'UDP' },
      { name: 'fallback', containerPort: 3478, protocol: 'TCP' },
      { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
    ].map((port) => ({ ...port, name: `${port.name.slice(0, 8)}-${name.slice(0, 4)}` })),
    resources: {
      requests: { cpu: '0.25', memory: '128Mi', 'ephemeral-storage': '1024Mi' },
      limits: { memory: '134217728', cpu: '1000m' },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    ...(isMain
      ? {
          livenessProbe: probe,
          readinessProbe: { ...probe, failureThreshold: 2, timeoutSeconds: 3 },
          startupProbe: { tcpSocket: { port: 9090 }, failureThreshold: 30, initialDelaySeconds: 0 },
          lifecycle: { preStop: exec },
        }
      : {}),
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp', readOnly: false, subPath: '' },
      { name: 'settings', mountPath: '/etc/sallyport', readOnly: true },
      { name: 'keys', mountPath: '/etc/sallyport/keys', readOnly: true },
      { name: 'projected', mountPath: '/run/sallyport', readOnly: true },
    ],
  };
}

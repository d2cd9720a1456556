/* Gateways that together use every field that becomes part of an object. */
import { selfSigned } from '../rbac-certificate.js';

const PEERS = [{ podLabels: { app: 'db' }, ports: [{ port: 5432 }] }];
const NATS_PEERS = [
  { namespace: 'messaging', podLabels: { app: 'nats' }, ports: [{ port: 4222, protocol: 'TCP' }] },
];

const PAIR = await selfSigned(['*.example.com']);
/** Text before the PEM is nobody's business but that of whoever looks for it. */
const TLS = { 'tls.crt': PAIR['tls.crt'], 'tls.key': `CANARY-key\n${PAIR['tls.key']}` };

/** Secrets that the variants name, as a user would make them; every value that is secret is a canary. */
export const SECRETS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  runtime: { uri: 'postgres://runtime:CANARY-runtime@db/edge' },
  owner: { uri: 'postgres://owner:CANARY-owner@db/edge' },
  'db-ca': { 'ca.crt': 'CANARY-db-ca' },
  'nats-user': { 'user.creds': 'CANARY-nats' },
  'nats-ca': { 'ca.crt': 'CANARY-nats-ca' },
  'own-tls': TLS,
  'ingress-tls': TLS,
  registry: { '.dockerconfigjson': '{"auths":{"r.example":{"auth":"CANARY-registry"}}}' },
};

const STORAGE = {
  type: 'PostgreSQL',
  postgresql: {
    runtimeSecretRef: { name: 'runtime' },
    migrationSecretRef: { name: 'owner' },
    caSecretRef: { name: 'db-ca' },
    peers: PEERS,
  },
};
const BUS = {
  type: 'NATS',
  nats: {
    servers: ['tls://nats.messaging.svc:4222'],
    credentialsSecretRef: { name: 'nats-user' },
    caSecretRef: { name: 'nats-ca' },
    peers: NATS_PEERS,
  },
};

/** Specs by the name of their gateway, without hosts. */
export const VARIANTS: Readonly<Record<string, object>> = {
  embedded: {
    storage: { type: 'Embedded', embedded: { sizeGibibytes: 3, storageClassName: 'fast' } },
    listener: { port: 10_443, bindAddresses: ['10.8.0.1', '2001:db8::1'] },
  },
  replicated: {
    replicas: 3,
    storage: STORAGE,
    bus: BUS,
    exposure: {
      type: 'LoadBalancer',
      annotations: { 'service.example.com/pool': 'public' },
      sourceRanges: ['203.0.113.0/24', '2001:db8::/32'],
      allocateNodePorts: true,
    },
    listener: { tls: { secretRef: { name: 'own-tls' } } },
  },
  scaled: {
    storage: STORAGE,
    bus: BUS,
    autoscaling: { minReplicas: 2, maxReplicas: 5 },
    hardening: {
      appArmor: 'RuntimeDefault',
      userNamespaces: true,
      strictSupplementalGroups: true,
      runtimeClassName: 'gvisor',
    },
    scheduling: {
      nodeSelector: { 'kubernetes.io/arch': 'amd64' },
      tolerations: [
        { key: 'dedicated', operator: 'Equal', value: 'sallyport', effect: 'NoSchedule' },
        { key: 'spot', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 },
      ],
      regions: ['eu-west', 'eu-central'],
      priorityClassName: 'important',
    },
    resources: {
      requests: { cpu: '1500m', memory: '300Mi', ephemeralStorage: '100Mi' },
      limits: { cpu: '2', memory: '2Gi', ephemeralStorage: '1Gi' },
    },
    image: {
      repository: 'r.example/sallyport',
      tag: '1.2.3',
      digest: `sha256:${'a'.repeat(64)}`,
      pullPolicy: 'Always',
      pullSecrets: ['registry'],
    },
  },
  'behind-ingress': {
    ingress: {
      className: 'nginx',
      tlsSecretRef: { name: 'ingress-tls' },
      annotations: { 'nginx.ingress.kubernetes.io/backend-protocol': 'HTTPS' },
    },
    trustedProxies: { cidrs: ['10.0.12.0/24'] },
    hosts: ['talk.example.com', 'talk.example.org'],
    networkPolicy: {
      extraIngress: [{ podLabels: { app: 'probe' }, ports: [{ port: 8443 }] }],
      extraEgress: [
        { cidr: '198.51.100.0/24', ports: [{ port: 6514 }, { port: 514, protocol: 'UDP' }] },
      ],
      monitoringNamespace: 'monitoring',
    },
  },
};

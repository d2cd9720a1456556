import type { TestApiServer } from '../bed/api-server.js';

/** A change that somebody makes, on top of what stands already. */
export interface Operation {
  readonly name: string;
  /** Resources that stand and have converged before. */
  readonly before: readonly Resource[];
  act(server: TestApiServer, namespace: string): Promise<void>;
  /** How much time passes before it happens: a new key waits until its pin is known. */
  readonly laterMs?: number;
}

interface Resource {
  readonly kind: string;
  readonly name: string;
  readonly spec: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

const PLURALS: Readonly<Record<string, string>> = {
  SignalingGateway: 'signalinggateways',
  RelayPool: 'relaypools',
  AccessRole: 'accessroles',
  RetentionPolicy: 'retentionpolicies',
};

const peer = (port: number) => [{ cidr: '10.20.0.0/16', ports: [{ port }] }];
const GATEWAY: Resource = {
  kind: 'SignalingGateway',
  name: 'edge',
  spec: {
    hosts: ['chat.example.com'],
    replicas: 2,
    storage: {
      type: 'PostgreSQL',
      postgresql: { runtimeSecretRef: { name: 'database' }, peers: peer(5432) },
    },
    bus: { type: 'NATS', nats: { servers: ['tls://nats.example.com:4222'], peers: peer(4222) } },
  },
};
const POOL: Resource = {
  kind: 'RelayPool',
  name: 'near',
  spec: { region: 'eu-central', replicas: 2 },
};
const ROLE: Resource = {
  kind: 'AccessRole',
  name: 'user',
  spec: { gateways: { names: ['edge'] }, permissions: [{ resource: 'Chat', verbs: ['Send'] }] },
};
const RETENTION: Resource = {
  kind: 'RetentionPolicy',
  name: 'short',
  spec: { gateways: { names: ['edge'] }, classes: { session: { atMostSeconds: 86_400 } } },
};

const apply =
  (resource: Resource, change: object = {}, annotations: Readonly<Record<string, string>> = {}) =>
  async (server: TestApiServer, namespace: string): Promise<void> => {
    await server.apply({
      apiVersion: 'sallyport.dev/v1alpha1',
      kind: resource.kind,
      metadata: { name: resource.name, namespace, annotations },
      spec: { ...resource.spec, ...change },
    });
  };

const remove =
  ({ kind, name }: Resource) =>
  async (server: TestApiServer, namespace: string): Promise<void> => {
    await server.admin.call(
      'DELETE',
      `/apis/sallyport.dev/v1alpha1/namespaces/${namespace}/${PLURALS[kind]!}/${name}`,
    );
  };

/** Applies every resource that an operation builds on, and the Secret that the gateway names. */
export async function prepare(
  server: TestApiServer,
  namespace: string,
  { before }: Operation,
): Promise<void> {
  await server.createNamespace(namespace);
  await server.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'database', namespace },
    type: 'Opaque',
    data: { uri: Buffer.from('postgres://database.example.com/edge').toString('base64') },
  });
  for (const resource of before) await apply(resource)(server, namespace);
}

const all = [GATEWAY, POOL, ROLE, RETENTION];
/** More than the day for which the next pin of a certificate is published. */
const laterMs = 86_460_000;
const ROTATE = { 'sallyport.dev/rotate': 'now-please' };

/** A create, an edit, a scale, a rotation and a delete of each kind that has them. */
export const OPERATIONS: readonly Operation[] = [
  { name: 'create a SignalingGateway', before: [POOL], act: apply(GATEWAY) },
  {
    name: 'edit a SignalingGateway',
    before: all,
    act: apply(GATEWAY, {
      hosts: ['talk.example.com'],
      allowedOrigins: ['https://app.example.com'],
    }),
  },
  { name: 'scale a SignalingGateway', before: all, act: apply(GATEWAY, { replicas: 3 }) },
  {
    name: 'rotate the keys of a SignalingGateway',
    before: all,
    act: apply(GATEWAY, {}, ROTATE),
    laterMs,
  },
  { name: 'delete a SignalingGateway', before: all, act: remove(GATEWAY) },
  { name: 'create a RelayPool', before: [GATEWAY], act: apply(POOL) },
  { name: 'edit a RelayPool', before: all, act: apply(POOL, { capacity: { maxSessions: 1234 } }) },
  { name: 'scale a RelayPool up', before: all, act: apply(POOL, { replicas: 4 }) },
  { name: 'scale a RelayPool down', before: all, act: apply(POOL, { replicas: 1 }) },
  {
    name: 'rotate the certificate of a RelayPool',
    before: all,
    act: apply(POOL, {}, ROTATE),
    laterMs,
  },
  { name: 'delete a RelayPool', before: all, act: remove(POOL) },
  { name: 'create an AccessRole', before: [GATEWAY], act: apply(ROLE) },
  {
    name: 'edit an AccessRole',
    before: all,
    act: apply(ROLE, { permissions: [{ resource: 'Chat', verbs: ['Send', 'Receive'] }] }),
  },
  { name: 'delete an AccessRole', before: all, act: remove(ROLE) },
  { name: 'create a RetentionPolicy', before: [GATEWAY], act: apply(RETENTION) },
  {
    name: 'edit a RetentionPolicy',
    before: all,
    act: apply(RETENTION, { classes: { session: { atMostSeconds: 3_600 } } }),
  },
  { name: 'delete a RetentionPolicy', before: all, act: remove(RETENTION) },
];

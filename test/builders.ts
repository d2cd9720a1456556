import { createHash } from 'node:crypto';
import type { AccessRole, AccessRoleSpec, AccessRoleStatus } from '../src/kinds/access-role.gen.js';
import type { Metadata } from '../src/kinds/metadata.js';
import type { RelayPool, RelayPoolSpec, RelayPoolStatus } from '../src/kinds/relay-pool.gen.js';
import type {
  RetentionPolicy,
  RetentionPolicySpec,
  RetentionPolicyStatus,
} from '../src/kinds/retention-policy.gen.js';
import type {
  SignalingGateway,
  SignalingGatewaySpec,
  SignalingGatewayStatus,
} from '../src/kinds/signaling-gateway.gen.js';
import { schemaOf, withDefaults } from './defaulting.js';

/** What a user writes: fields with a CRD default may be missing at every depth. */
export type Written<T> = T extends readonly (infer Item)[]
  ? readonly Written<Item>[]
  : T extends object
    ? { readonly [Field in keyof T]?: Written<T[Field]> | undefined }
    : T;

/** What a test wants to be different from the plainest resource of the kind: fields of spec, metadata, status. */
export type Overrides<Spec, Status> = Written<Spec> & {
  readonly metadata?: Partial<Metadata>;
  readonly status?: Partial<Status>;
};

interface Shape {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly spec: object;
}

/** When every built resource was created. */
export const CREATED = '2026-03-01T12:00:00Z';

/** A fingerprint that is valid and nobody's: `sp1` and 32 characters made from `seed`. */
export function aFingerprint(seed = 'alice'): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const bytes = createHash('sha256').update(seed).digest();
  return `sp1${[...bytes].map((byte) => alphabet.charAt(byte % 32)).join('')}`;
}

/**
 * A SignalingGateway as the API server would store it, CRD defaults included: Embedded storage, one host,
 * nothing else chosen. Top-level fields of spec are replaced by the overrides, not merged.
 */
export function aSignalingGateway(
  overrides: Overrides<SignalingGatewaySpec, SignalingGatewayStatus> = {},
): SignalingGateway {
  const spec = { hosts: ['chat.example.com'] };
  return build(
    { ...SHAPE, kind: 'SignalingGateway', name: 'edge', spec },
    overrides,
  ) as SignalingGateway;
}

/**
 * A SignalingGateway that can have several replicas: PostgreSQL and NATS, otherwise as `aSignalingGateway`.
 */
export function aReplicatedGateway(
  overrides: Overrides<SignalingGatewaySpec, SignalingGatewayStatus> = {},
): SignalingGateway {
  const peer = (port: number) => [{ cidr: '10.20.0.0/16', ports: [{ port }] }];
  return aSignalingGateway({
    storage: {
      type: 'PostgreSQL',
      postgresql: { runtimeSecretRef: { name: 'edge-database' }, peers: peer(5432) },
    },
    bus: { type: 'NATS', nats: { servers: ['tls://nats.example.com:4222'], peers: peer(4222) } },
    ...overrides,
  });
}

/** A RelayPool as the API server would store it: region eu-central, nothing else chosen. */
export function aRelayPool(overrides: Overrides<RelayPoolSpec, RelayPoolStatus> = {}): RelayPool {
  const spec = { region: 'eu-central' };
  return build({ ...SHAPE, kind: 'RelayPool', name: 'frankfurt', spec }, overrides) as RelayPool;
}

/** An AccessRole as the API server would store it: chat for nobody yet, on the gateway `edge`. */
export function anAccessRole(
  overrides: Overrides<AccessRoleSpec, AccessRoleStatus> = {},
): AccessRole {
  const spec = {
    gateways: { names: ['edge'] },
    permissions: [{ resource: 'Chat', verbs: ['Send', 'Receive'] }],
  };
  return build({ ...SHAPE, kind: 'AccessRole', name: 'user', spec }, overrides) as AccessRole;
}

/** A RetentionPolicy as the API server would store it: sessions for 30 days, on the gateway `edge`. */
export function aRetentionPolicy(
  overrides: Overrides<RetentionPolicySpec, RetentionPolicyStatus> = {},
): RetentionPolicy {
  const spec = {
    gateways: { names: ['edge'] },
    classes: { session: { atMostSeconds: 2_592_000 } },
  };
  return build(
    { ...SHAPE, kind: 'RetentionPolicy', name: 'default', spec },
    overrides,
  ) as RetentionPolicy;
}

const SHAPE = { apiVersion: 'sallyport.dev/v1alpha1' } as const;

function build(
  { apiVersion, kind, name, spec }: Shape,
  { metadata, status, ...changed }: Overrides<object, object>,
): unknown {
  const namespace = metadata?.namespace ?? 'default';
  const resource = {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      uid: uidOf(`${kind}/${namespace}/${metadata?.name ?? name}`),
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: CREATED,
      ...metadata,
    },
    spec: { ...spec, ...changed },
    status: { ...status },
  };
  return withDefaults(schemaOf(kind), resource);
}

/** A UUID that is the same for the same resource in every run. */
function uidOf(identity: string): string {
  const hex = createHash('sha256').update(identity).digest('hex');
  const at = (from: number, to: number): string => hex.slice(from, to);
  return `${at(0, 8)}-${at(8, 12)}-4${at(13, 16)}-8${at(17, 20)}-${at(20, 32)}`;
}

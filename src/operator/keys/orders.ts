/*
 * What a pure plan asks of the keysmith (key-orders.keysmith.ts), which alone makes and touches key material.
 * Orders hold nothing secret and may be logged.
 */
import type { KubernetesObject, ObjectMeta } from '../../kubernetes/object.js';
import type { CertificateFact, ColumnKeyFact, KeyFact } from './facts.js';

/** Why keys are made or changed: reason of the event, closed list. */
export type KeyReason =
  | 'KeysCreated'
  | 'KeysRotated'
  | 'RotationRequested'
  | 'KeyRevoked'
  | 'KeyMaterialChanged'
  | 'LabelsRestored'
  | 'KeyExpired'
  | 'NextKeyMissing'
  | 'CertificateIssued'
  | 'CertificateRenewed'
  | 'CertificateNamesChanged'
  | 'CertificateIssuerChanged';

/** A new set of signing keys: a Secret is written whole, from these facts and the keys still to be made. */
export interface SigningKeysOrder {
  readonly type: 'SigningKeys';
  readonly reason: KeyReason;
  /** Which label goes into the key ids. */
  readonly purpose: SigningPurpose;
  /** Name, namespace, labels, owner reference of the Secret; annotations are added. */
  readonly metadata: ObjectMeta;
  /** What stays, with the states that it has afterwards. */
  readonly keep: readonly KeyFact[];
  /** Version of the Secret on which this was planned: keys are carried over from that one only. Absent: there is none. */
  readonly basedOn?: string;
  /** Kids whose private half is carried over from the Secret as it stands; empty: no read. */
  readonly carry: readonly string[];
  /** Keys to be made: everything but `kid` and `public`. */
  readonly make: readonly Omit<KeyFact, 'kid' | 'public'>[];
  /** Digests of the wishes that were acted upon, up to this order. */
  readonly rotated?: string;
  readonly revoked?: string;
}

export type SigningPurpose = 'Lease' | 'PolicyBundle';

/** The keys that seal columns of a gateway's database: a Secret with one file, written whole. */
export interface ColumnKeysOrder {
  readonly type: 'ColumnKeys';
  readonly reason: KeyReason;
  readonly metadata: ObjectMeta;
  /** Version of the Secret on which this was planned: keys are carried over from that one only. Absent: there is none. */
  readonly basedOn?: string;
  /** What stays, with the states that it has afterwards. */
  readonly keep: readonly ColumnKeyFact[];
  /** Keys to be made: everything but `id`. */
  readonly make: readonly Omit<ColumnKeyFact, 'id'>[];
  /** `Kept`: the keys of `keep`, each of which must be there. `Found`: whatever keys are there, as retired ones. */
  readonly carry: 'Nothing' | 'Kept' | 'Found';
  /** Digest of the rotate token that was acted upon, up to this order. */
  readonly rotated?: string;
}

/** A certificate authority's Secret, written whole. */
export interface CaOrder {
  readonly type: 'Ca';
  readonly reason: KeyReason;
  readonly metadata: ObjectMeta;
  /** Version of the Secret on which this was planned: keys are carried over from that one only. Absent: there is none. */
  readonly basedOn?: string;
  readonly keep: readonly CertificateFact[];
  /** Key ids whose private half is carried over. */
  readonly carry: readonly string[];
  readonly make: readonly (Pick<CertificateFact, 'notBefore' | 'notAfter' | 'keySince'> & {
    readonly state: 'current' | 'next';
  })[];
}

/** One leaf certificate and its Secret (`tls.crt`: leaf and its CA, `tls.key`, `next.key`). */
export interface LeafOrder {
  readonly type: 'Leaf';
  readonly reason: KeyReason;
  readonly metadata: ObjectMeta;
  /** Version of the Secret on which this was planned: keys are carried over from that one only. Absent: there is none. */
  readonly basedOn?: string;
  readonly request: LeafRequest;
  /** `Keep` renews with the same key, `Next` takes the one that was announced, `New` trusts nothing that stands. */
  readonly key: 'Keep' | 'Next' | 'New';
  readonly keySince: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly rotated?: string;
}

/** What a leaf certificate says. */
export interface LeafRequest {
  /** Whose CA signs: the namespace in the SPIFFE id too. */
  readonly namespace: string;
  /** DNS names, most important first; at least one. `*.` is allowed where the first label is the whole star. */
  readonly dnsNames: readonly string[];
  /** For listeners that are reached by address (standalone). */
  readonly ipAddresses?: readonly string[];
  /** URI SAN (`spiffeId`). */
  readonly uri: string;
  readonly usages: readonly ('serverAuth' | 'clientAuth')[];
}

export type KeyOrder = SigningKeysOrder | ColumnKeysOrder | CaOrder | LeafOrder;

/** One event for all that was made in one pass, or none: a new gateway gets three Secrets and needs one line. */
export function eventsOfOrders(
  orders: readonly KeyOrder[],
): readonly { readonly type: 'Normal'; readonly reason: KeyReason; readonly note: string }[] {
  const [first] = orders;
  if (first === undefined) return [];
  const made = orders.map(({ reason, metadata }) => `Secret ${metadata.name}: ${reason}`);
  return [{ type: 'Normal', reason: first.reason, note: `${made.join('; ')}.` }];
}

/** What planning keys or a certificate comes to. */
export interface KeyPlan<Fact, Order extends KeyOrder = KeyOrder> {
  /** What stands now: what status, ConfigMaps and settings show. Empty until the first order is fulfilled. */
  readonly facts: readonly Fact[];
  /** What to do now; after it is fulfilled, plan again. */
  readonly order?: Order;
  /** When to plan again although nothing happened. */
  readonly nextAt?: Date;
  /** A rotate token stands that was not acted upon yet: its order is here, or `nextAt` says when. */
  readonly rotationPending?: true;
  /** What the user asked for and cannot have, for a condition or event. */
  readonly problem?: KeyProblem;
}

export interface KeyProblem {
  readonly reason: 'UnknownKey' | 'NextKeyUnconfirmed' | 'NextPinTooNew';
  /** At most 256 characters, says what to change. */
  readonly message: string;
}

/** Fulfils orders: the only way from a room to key material. Implemented by key-orders.keysmith.ts. */
export interface Keysmith {
  /**
   * Makes, signs and applies; the cache shows the result when it resolves. `owner` is the resource for which the
   * Secret is (undefined for a namespace's CA).
   */
  fulfil(owner: OrderOwner | undefined, order: KeyOrder): Promise<void>;
}

/** A resource of ours, as `Cluster.apply` takes it. */
export type OrderOwner = KubernetesObject;

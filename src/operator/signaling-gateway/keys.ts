/*
 * Which keys and certificates a gateway needs now. Only public facts are seen here; the keysmith makes the rest.
 */
import type {
  SignalingGateway,
  SignalingGatewayStatusCertificate,
  SignalingGatewayStatusKey,
} from '../../kinds/signaling-gateway.gen.js';
import type { Child } from '../../kubernetes/cluster.js';
import { ANNOTATION_REVOKE, ANNOTATION_ROTATE } from '../../kubernetes/metadata.js';
import type { ObjectRef } from '../../kubernetes/object.js';
import type { GatewayValues } from '../../policy/defaults.js';
import { planColumnKeys } from '../keys/column-keys.js';
import type { CertificateFact, ColumnKeyFact, KeyFact } from '../keys/facts.js';
import { planLeaf, spiffeId } from '../keys/leaf.js';
import { planLeaseKeys } from '../keys/lease-keys.js';
import type { ServedCertificate } from '../keys/named-secrets.js';
import type {
  ColumnKeysOrder,
  KeyOrder,
  KeyPlan,
  KeyProblem,
  LeafOrder,
  LeafRequest,
} from '../keys/orders.js';
import { certificateItem } from '../pods/status-fields.js';
import {
  gatewayChild,
  gatewayNames,
  hasColumnKeys,
  publicTlsSecret,
  tlsSource,
} from './objects.js';
import type { GatewayReason, GatewayVerdict } from './status.js';

export interface GatewayKeysInput {
  readonly gateway: SignalingGateway;
  readonly values: GatewayValues;
  readonly installId: string;
  /** The key Secret of this name, as the cache shows it. */
  readonly secret: (name: string) => Child | undefined;
  /** Secret of the namespace's CA. */
  readonly ca: Child | undefined;
  /** Whether a pod is ready. */
  readonly isRunning: boolean;
  readonly now: Date;
}

/** Facts that stand, and what to make before the objects that need them are applied. */
export interface GatewayKeys {
  readonly orders: readonly KeyOrder[];
  readonly leaseKeys: readonly KeyFact[];
  readonly internalLeaf: readonly CertificateFact[];
  /** Empty when another source issues the public certificate. */
  readonly publicLeaf: readonly CertificateFact[];
  /** What a user asked for with an annotation and cannot have. */
  readonly problem?: KeyProblem;
  /** A rotate token stands that not every key has answered. */
  readonly rotationPending: boolean;
  /** When the next rotation or renewal is due. */
  readonly nextAt?: Date;
}

/** What the keys and certificates of a gateway need now. */
export function gatewayKeys(input: GatewayKeysInput): GatewayKeys {
  const { gateway, values, secret, now } = input;
  const names = gatewayNames(gateway);
  const lease = planLeaseKeys({
    secret: secret(names.leaseKeys),
    metadata: gatewayChild(gateway, names.leaseKeys),
    schedule: values.keyRotation,
    wishes: wishesOf(gateway),
    now,
  });
  const internal = leaf(input, names.internalTls, internalRequest(input));
  const shown =
    tlsSource(gateway).type === 'Internal'
      ? leaf(input, names.publicTls, publicRequest(input))
      : undefined;
  const column = hasColumnKeys(gateway) ? columnKeys(input) : undefined;
  const others = [shown, column].filter((plan) => plan !== undefined);
  const plans: readonly KeyPlan<unknown>[] = [lease, internal, ...others];
  const problem = plans.find((plan) => plan.problem !== undefined)?.problem;
  const nextAt = earliest(plans.flatMap((plan) => plan.nextAt ?? []));
  return {
    orders: plans.flatMap((plan): readonly KeyOrder[] => (plan.order ? [plan.order] : [])),
    leaseKeys: lease.facts,
    internalLeaf: internal.facts,
    publicLeaf: shown?.facts ?? [],
    rotationPending: plans.some((plan) => plan.rotationPending === true),
    ...(problem === undefined ? {} : { problem }),
    ...(nextAt === undefined ? {} : { nextAt }),
  };
}

/** `status.lastRotation`: the token that the annotation holds, once the keys say that it was acted upon. */
export function lastRotation(
  gateway: SignalingGateway,
  { orders, rotationPending }: GatewayKeys,
  now: Date,
): { readonly token: string; readonly at: string } | undefined {
  const token = gateway.metadata.annotations?.[ANNOTATION_ROTATE];
  const known = gateway.status?.lastRotation;
  if (token === undefined || orders.length > 0 || rotationPending) return known;
  const shown = token.slice(0, MAX_TOKEN_CHARS);
  return known?.token === shown
    ? known
    : { token: shown, at: now.toISOString().replace(/\.\d+Z$/, 'Z') };
}

/** The longest token that status repeats (CRD). */
const MAX_TOKEN_CHARS = 63;

function wishesOf({ metadata: { annotations } }: SignalingGateway) {
  return { rotate: annotations?.[ANNOTATION_ROTATE], revoke: annotations?.[ANNOTATION_REVOKE] };
}

function columnKeys({
  gateway,
  values,
  secret,
  isRunning,
  now,
}: GatewayKeysInput): KeyPlan<ColumnKeyFact, ColumnKeysOrder> {
  const { columnKeys: name } = gatewayNames(gateway);
  return planColumnKeys({
    secret: secret(name),
    metadata: gatewayChild(gateway, name),
    everySeconds: values.keyRotation.everySeconds,
    isRunning,
    rotate: wishesOf(gateway).rotate,
    now,
  });
}

function leaf(
  { gateway, secret, ca, now }: GatewayKeysInput,
  name: string,
  request: LeafRequest,
): KeyPlan<CertificateFact, LeafOrder> {
  return planLeaf({
    secret: secret(name),
    ca,
    metadata: gatewayChild(gateway, name),
    request,
    rotate: gateway.metadata.annotations?.[ANNOTATION_ROTATE],
    now,
  });
}

/** Relays dial the Service by name; the gateway dials nobody with it today, the audit log later. */
function internalRequest(input: GatewayKeysInput): LeafRequest {
  const { namespace, name } = identityOf(input);
  const host = `${name}-gateway-internal.${namespace}`;
  return {
    namespace,
    dnsNames: [`${host}.svc`, `${host}.svc.cluster.local`, host],
    uri: uriOf(input),
    usages: ['serverAuth', 'clientAuth'],
  };
}

function publicRequest(input: GatewayKeysInput): LeafRequest {
  const { namespace } = identityOf(input);
  const dnsNames = [...input.gateway.spec.hosts];
  return { namespace, dnsNames, uri: uriOf(input), usages: ['serverAuth'] };
}

function identityOf({ gateway: { metadata } }: GatewayKeysInput) {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

function uriOf(input: GatewayKeysInput): string {
  const { namespace, name } = identityOf(input);
  return spiffeId(input.installId, namespace, input.gateway.kind, name);
}

function earliest(times: readonly Date[]): Date | undefined {
  return [...times].sort((a, b) => a.getTime() - b.getTime())[0];
}

/** Facts of all certificates that belong to a gateway. */
export interface GatewayCertificates {
  readonly authority: readonly CertificateFact[];
  readonly internal: readonly CertificateFact[];
  /** From the internal CA, when it issues the public one. */
  readonly publicLeaf: readonly CertificateFact[];
  /** As it stands in a Secret of the user or of cert-manager. */
  readonly served?: ServedCertificate;
}

/** `status.certificates`: dates and pins, never material. */
export function certificateStatus(
  gateway: SignalingGateway,
  { authority, internal, publicLeaf, served }: GatewayCertificates,
  caSecret: string,
): readonly SignalingGatewayStatusCertificate[] {
  const names = gatewayNames(gateway);
  const shown = served && [
    {
      purpose: 'Public' as const,
      secretName: publicTlsSecret(gateway),
      serial: served.serial,
      notBefore: served.notBefore,
      notAfter: served.notAfter,
      pins: [served.pin],
    },
  ];
  return [
    ...(shown ?? publicLeaf.map(certificateItem('Public', names.publicTls))),
    ...internal.map(certificateItem('Internal', names.internalTls)),
    ...authority
      .filter(({ state }) => state !== 'retired')
      .map(certificateItem('Authority', caSecret)),
  ];
}

/** `CertificateReady`: whether clients can trust what they are shown. */
export function certificateVerdict(
  gateway: SignalingGateway,
  { publicLeaf, served }: GatewayCertificates,
  now: Date,
): GatewayVerdict {
  const secret = publicTlsSecret(gateway);
  const verdict = (status: 'True' | 'False', reason: GatewayReason, message: string) =>
    ({ type: 'CertificateReady', status, reason, message }) as const;
  const leaf = served ?? publicLeaf[0];
  if (leaf === undefined) {
    const message = `Secret ${secret} has no certificate yet.`;
    return verdict('False', 'WaitingForCertificate', message);
  }
  if (Date.parse(leaf.notAfter) <= now.getTime()) {
    const message = `The certificate in Secret ${secret} ended at ${leaf.notAfter}: put a valid one there.`;
    return verdict('False', 'CertificateExpired', message);
  }
  const uncovered = served && gateway.spec.hosts.find((host) => !covers(served.dnsNames, host));
  if (uncovered !== undefined) {
    const message = `The certificate in Secret ${secret} does not name ${uncovered}: renew it with every host, or remove the host.`;
    return verdict('False', 'CertificateNamesMissing', message);
  }
  return verdict('True', 'CertificateValid', `Valid until ${leaf.notAfter}.`);
}

/** A wildcard stands for exactly one label (RFC 6125, section 6.4.3). */
function covers(names: readonly string[], host: string): boolean {
  const parent = host.slice(host.indexOf('.') + 1);
  return names.includes(host) || (host.includes('.') && names.includes(`*.${parent}`));
}

/** `status.keys`: ids and dates. Revoked keys are gone for everybody but the relays. */
export function keyStatus(facts: readonly KeyFact[]): readonly SignalingGatewayStatusKey[] {
  const states = { current: 'Current', next: 'Next', retired: 'Retired' } as const;
  return facts.flatMap(({ kid, state, notBefore, notAfter, publishedAt }) =>
    state === 'revoked' ? [] : [{ kid, state: states[state], notBefore, notAfter, publishedAt }],
  );
}

/** Secrets that are made by order and the ConfigMap of another room: children that no plan lists. */
export function keptRefs(gateway: SignalingGateway): readonly ObjectRef[] {
  const {
    leaseKeys,
    columnKeys: sealing,
    internalTls,
    publicTls,
    policyBundle,
  } = gatewayNames(gateway);
  const namespace = gateway.metadata.namespace ?? '';
  const of = (kind: string) => (name: string) => ({ apiVersion: 'v1', kind, namespace, name });
  const issued = publicTlsSecret(gateway) === publicTls ? [publicTls] : [];
  const sealed = hasColumnKeys(gateway) ? [sealing] : [];
  const secrets = [leaseKeys, internalTls, ...issued, ...sealed];
  return [...secrets.map(of('Secret')), of('ConfigMap')(policyBundle)];
}

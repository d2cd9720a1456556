/*
 * What the CRD's schema and CEL rules also refuse, checked again: an older CRD, standalone mode or a hand-made
 * cache may let it through, and some of these texts end up in objects where they would mean more than a value.
 * Secrets that the user names are judged by the names of their keys; their values never come here.
 */
import type { SignalingGateway, SignalingGatewaySpec } from '../../kinds/signaling-gateway.gen.js';
import type { StalledReason } from '../../kubernetes/conditions.js';
import { isCidr } from '../pods/cidr.js';
import { imageProblem } from '../pods/image.js';
import type { ProgramImage } from '../pods/image.js';
import { resourcesProblem } from '../pods/resources.js';
import { hasControlCharacter } from '../pods/texts.js';
import { FILES } from './configuration.js';
import { gatewayNames, tlsSource } from './objects.js';

/** What stops a gateway, with what to change. */
export interface Problem {
  readonly reason: StalledReason;
  readonly message: string;
}

/** A Secret that the user names, with the keys that it must have. */
export interface SecretNeed {
  readonly name: string;
  readonly keys: readonly string[];
  /** Path below spec, for messages. */
  readonly field: string;
}

/** What is known of a named Secret: never a value. */
export interface SecretFacts {
  readonly keys: readonly string[];
  /** Made by this operator: keys of other programs are not for users to name. */
  readonly managed: boolean;
  readonly certificate?: ServedCertificate;
}

/** The leaf of a certificate Secret; everyone who connects sees it. */
export interface ServedCertificate {
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly pin: string;
  readonly dnsNames: readonly string[];
}

/** What was read of each named Secret; `Missing` when there is none of that name. */
export type ObservedSecrets = Readonly<Record<string, SecretFacts | 'Missing'>>;

const NAME = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;
const DNS_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;
/** Names that the cluster's DNS gives to Services: a leaf for one would stand for another program. */
const SERVICE_NAME = /\.(svc|cluster\.local)$/;
const IPV4 = /^[0-9]+(\.[0-9]+){3}$/;
const ORIGIN = /^https:\/\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[1-9][0-9]{0,4})?$/;
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
/** Annotations that write an ingress controller's configuration, or have it use Secrets and issuers of others. */
const CONTROLLER_KEY = /snippet|config-|secret|auth-|lua|cert-manager\.io\/|sallyport\.dev\//i;
const NATS_SERVER = /^tls:\/\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?:[1-9][0-9]{0,4}$/;

/** The first thing that is wrong with the spec itself, or undefined. */
export function specProblem(gateway: SignalingGateway, image: ProgramImage): Problem | undefined {
  for (const rule of RULES) {
    const message = rule(gateway, image);
    if (message !== undefined) return { reason: 'InvalidSpec', message };
  }
  return undefined;
}

type Rule = (gateway: SignalingGateway, image: ProgramImage) => string | undefined;

const RULES: readonly Rule[] = [
  ({ metadata: { name } }) =>
    NAME.test(name)
      ? undefined
      : 'metadata.name begins the names of everything made for it: write at most 40 lower-case letters, digits and dashes.',
  ({ spec }) =>
    hasControlCharacter(spec)
      ? 'spec holds a line break or another control character: write every value on one line.'
      : undefined,
  ({ spec }) =>
    spec.hosts.length > 0 && spec.hosts.every((host) => DNS_NAME.test(host) && !IPV4.test(host))
      ? undefined
      : 'hosts are DNS names in lower case without scheme, port or wildcard: write them like chat.example.com.',
  ({ spec }) =>
    spec.hosts.every((host) => !SERVICE_NAME.test(host))
      ? undefined
      : "a host under .svc or .cluster.local is a Service's name: write the public DNS name that clients dial, like chat.example.com.",
  ({ spec }) =>
    (spec.allowedOrigins ?? []).every((origin) => ORIGIN.test(origin))
      ? undefined
      : 'allowedOrigins are written in full and without wildcard, like https://app.example.com.',
  ({ spec }) =>
    namedCidrs(spec).every((cidr) => isCidr(cidr))
      ? undefined
      : 'a network is not in CIDR notation: write it like 203.0.113.0/24.',
  ({ spec }) =>
    (spec.networkPolicy?.extraEgress ?? []).every(({ cidr }) => cidr?.endsWith('/0') !== true)
      ? undefined
      : 'networkPolicy.extraEgress to everywhere would undo the default deny: name the networks that are needed.',
  ({ spec }) =>
    (spec.trustedProxies?.cidrs ?? []).every((cidr) => !cidr.endsWith('/0'))
      ? undefined
      : 'trustedProxies.cidrs trusts every address: write the networks of your proxies.',
  replicasRule,
  storageRule,
  ingressRule,
  ({ spec }) =>
    Object.keys(spec.ingress?.annotations ?? {}).every((key) => !CONTROLLER_KEY.test(key))
      ? undefined
      : 'ingress.annotations configures the controller itself, or borrows a Secret or an issuer: write annotations that set a single value, and the certificate in ingress.tlsSecretRef.',
  ({ spec }, image) => imageProblem(image, spec.image),
  ({ spec }) => resourcesProblem(spec.resources),
  (gateway) => {
    const stray = secretNeeds(gateway).find(({ name }) => !OBJECT_NAME.test(name));
    return stray && `${stray.field} is not the name of a Secret of this namespace.`;
  },
];

function replicasRule({ spec }: SignalingGateway): string | undefined {
  const several = (spec.replicas ?? 1) > 1 || spec.autoscaling !== undefined;
  if (spec.replicas !== undefined && spec.autoscaling !== undefined) {
    return 'replicas and autoscaling exclude each other: remove one of them.';
  }
  if (several && (spec.storage.type === 'Embedded' || spec.bus.type !== 'NATS')) {
    return 'more than one replica needs storage.type PostgreSQL and bus.type NATS: write both, or replicas 1.';
  }
  return undefined;
}

function storageRule({ spec: { storage, bus } }: SignalingGateway): string | undefined {
  if ((storage.type === 'PostgreSQL') !== (storage.postgresql !== undefined)) {
    return 'storage.type PostgreSQL and storage.postgresql belong together: write both or neither.';
  }
  if ((bus.type === 'NATS') !== (bus.nats !== undefined)) {
    return 'bus.type NATS and bus.nats belong together: write both or neither.';
  }
  return (bus.nats?.servers ?? []).every((server) => NATS_SERVER.test(server))
    ? undefined
    : 'bus.nats.servers are written like tls://nats.messaging.svc:4222, without user or password.';
}

function ingressRule({ spec }: SignalingGateway): string | undefined {
  if (spec.ingress === undefined) return undefined;
  if (spec.trustedProxies === undefined) {
    return 'behind an ingress only its proxies may connect: write their networks into trustedProxies.cidrs.';
  }
  return spec.exposure.type === 'ClusterIP'
    ? undefined
    : 'with an ingress a LoadBalancer would be a way around it: write exposure.type ClusterIP.';
}

/** Secrets that the user names, in one order. */
export function secretNeeds(gateway: SignalingGateway): readonly SecretNeed[] {
  const { spec } = gateway;
  const { postgresql } = spec.storage;
  const { nats } = spec.bus;
  const pair = [FILES.certificate, FILES.key];
  return [
    ...need('listener.tls.secretRef', spec.listener.tls?.secretRef, pair),
    ...need('ingress.tlsSecretRef', spec.ingress?.tlsSecretRef, pair),
    ...need('storage.postgresql.runtimeSecretRef', postgresql?.runtimeSecretRef, [FILES.uri]),
    ...need('storage.postgresql.migrationSecretRef', postgresql?.migrationSecretRef, [FILES.uri]),
    ...need('storage.postgresql.caSecretRef', postgresql?.caSecretRef, [FILES.ca]),
    ...need('bus.nats.credentialsSecretRef', nats?.credentialsSecretRef, [FILES.credentials]),
    ...need('bus.nats.caSecretRef', nats?.caSecretRef, [FILES.ca]),
    ...(spec.image?.pullSecrets ?? []).flatMap((name) =>
      need('image.pullSecrets', { name }, ['.dockerconfigjson']),
    ),
  ];
}

/** Names of the Secrets to read: those that the user names, and the one that cert-manager writes. */
export function secretsToRead(gateway: SignalingGateway): readonly string[] {
  const issued = tlsSource(gateway).type === 'CertManager' ? [gatewayNames(gateway).publicTls] : [];
  return [...new Set([...secretNeeds(gateway).map(({ name }) => name), ...issued])].sort();
}

/** The first named Secret that is missing or lacks a key, or undefined. */
export function secretProblem(
  gateway: SignalingGateway,
  secrets: ObservedSecrets,
): Problem | undefined {
  for (const need of secretNeeds(gateway)) {
    const problem = judged(need, secrets[need.name]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function judged(
  { name, keys, field }: SecretNeed,
  secret: SecretFacts | 'Missing' | undefined,
): Problem | undefined {
  if (secret === undefined || secret === 'Missing') {
    const message = `${field}: there is no Secret ${name} in this namespace. Create it with the key ${keys.join(' and ')}, or name another.`;
    return { reason: 'SecretMissing', message };
  }
  if (secret.managed) {
    const message = `${field}: Secret ${name} holds keys of a program of this installation. Name a Secret of your own.`;
    return { reason: 'SecretInvalid', message };
  }
  const missing = keys.filter((key) => !secret.keys.includes(key));
  if (missing.length === 0) return undefined;
  const message = `${field}: Secret ${name} has no key ${missing.join(' and ')}. Add it, or name another Secret.`;
  return { reason: 'SecretInvalid', message };
}

function need(
  field: string,
  secret: { readonly name: string } | undefined,
  keys: readonly string[],
): readonly SecretNeed[] {
  return secret === undefined ? [] : [{ name: secret.name, keys, field }];
}

function namedCidrs({
  exposure,
  trustedProxies,
  networkPolicy,
  storage,
  bus,
}: SignalingGatewaySpec) {
  const peers = [
    networkPolicy?.extraIngress,
    networkPolicy?.extraEgress,
    storage.postgresql?.peers,
    bus.nats?.peers,
  ].flatMap((list) => list ?? []);
  const ranges = [exposure.sourceRanges, trustedProxies?.cidrs].flatMap((list) => list ?? []);
  return [...ranges, ...peers.flatMap(({ cidr }) => cidr ?? [])];
}

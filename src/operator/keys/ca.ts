/*
 * The certificate authority of a namespace: it signs the leaves of our own programs and nothing else. Current
 * signs, next is trusted already, retired is trusted until the last leaf that it signed has ended. It belongs to no
 * resource: it lives while any resource of ours is in the namespace.
 */
import type { Child } from '../../kubernetes/cluster.js';
import { namespaceMetadata } from '../../kubernetes/metadata.js';
import type { KubernetesObject, ObjectMeta, ObjectRef } from '../../kubernetes/object.js';
import type { CertificateFact, ObservedKeys } from './facts.js';
import { instant, observedCertificates } from './facts.js';
import type { CaOrder, KeyPlan } from './orders.js';
import { BACKDATE_SECONDS, FUTURE_MS, LEAF_SECONDS } from './leaf.js';

/** Name of the CA's Secret (keys) and of the ConfigMap (public certificates) in each namespace. */
export const CA_NAME = 'sallyport-ca';
/** Key of the ConfigMap: PEM certificates that leaves of this namespace chain to, current first. */
export const CA_BUNDLE_KEY = 'ca.crt';

const DAY = 86_400;
/** How long a CA key signs before the next one takes over. */
export const CA_ROTATION_SECONDS = 180 * DAY;
/** It waits one rotation, signs for one, and is trusted for one more at most. */
const CA_LIFETIME_SECONDS = 3 * CA_ROTATION_SECONDS;
export interface CaInput {
  readonly namespace: string;
  /** Secret `sallyport-ca` as the cache shows it. */
  readonly secret: Child | undefined;
  readonly now: Date;
}

/** What the CA of a namespace needs now. */
export function planCa(input: CaInput): KeyPlan<CertificateFact, CaOrder> {
  const observed = observedCertificates(input.secret, caMetadata(input.namespace));
  const facts = trustedCas(observed.facts, input.now);
  const step = STEPS.map((decide) => decide(observed, facts, input.now)).find(
    (decided) => decided !== undefined,
  );
  const nextAt = nextDecision(facts);
  return {
    facts,
    ...(step === undefined ? {} : { order: order(input.namespace, observed.basedOn, step) }),
    ...(nextAt === undefined ? {} : { nextAt }),
  };
}

/** The CA certificates that a leaf may chain to: all but retired ones whose last leaf has ended. */
export function trustedCas(
  facts: readonly CertificateFact[],
  now: Date,
): readonly CertificateFact[] {
  const current = facts.find(({ state }) => state === 'current');
  const retiredUntil = current === undefined ? Infinity : leavesEnd(current);
  return facts.filter(
    ({ state, notAfter }) =>
      Date.parse(notAfter) > now.getTime() && (state !== 'retired' || retiredUntil > now.getTime()),
  );
}

/** ConfigMap `sallyport-ca`: the public certificates, for everyone who verifies leaves of this namespace. */
export function caConfigMap(
  namespace: string,
  facts: readonly CertificateFact[],
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: caMetadata(namespace),
    data: { [CA_BUNDLE_KEY]: facts.map(caPem).join('') },
  };
}

/** A CA certificate as PEM text. */
export function caPem({ certificate = '' }: CertificateFact): string {
  const lines = certificate.match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** Where the CA's Secret lives. */
export function caSecretRef(namespace: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name: CA_NAME };
}

/** Where its public certificates live. */
export function caConfigMapRef(namespace: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: CA_NAME };
}

/** Metadata of the CA's Secret and ConfigMap. */
export function caMetadata(namespace: string): ObjectMeta {
  return namespaceMetadata({ name: CA_NAME, namespace, component: 'ca' });
}

type Step = Pick<CaOrder, 'reason' | 'keep' | 'carry' | 'make'>;

/** The first that speaks wins. */
const STEPS: readonly ((
  observed: ObservedKeys<CertificateFact>,
  facts: readonly CertificateFact[],
  now: Date,
) => Step | undefined)[] = [
  ({ exists }, _, now) => (exists ? undefined : { reason: 'KeysCreated', ...fresh(now) }),
  // Whoever wrote into the Secret may hold the keys: what they signed is trusted no longer.
  ({ tampered }, _, now) =>
    tampered ? { reason: 'KeyMaterialChanged', ...fresh(now) } : undefined,
  (_, facts, now) =>
    isUsable(inState(facts, 'current'), now) ? undefined : whenUnusable(facts, now),
  (_, facts, now) =>
    isDue(facts, now) ? { reason: 'KeysRotated', ...promoted(facts, now) } : undefined,
  (_, facts, now) =>
    inState(facts, 'next') ? undefined : { reason: 'NextKeyMissing', ...withNext(facts, now) },
  ({ astray }, facts) => (astray ? { reason: 'LabelsRestored', ...rewritten(facts) } : undefined),
];

function whenUnusable(facts: readonly CertificateFact[], now: Date): Step {
  const change = isUsable(inState(facts, 'next'), now) ? promoted(facts, now) : fresh(now);
  return { reason: 'KeyExpired', ...change };
}

function isDue(facts: readonly CertificateFact[], now: Date): boolean {
  const current = inState(facts, 'current');
  return (
    current !== undefined &&
    inState(facts, 'next') !== undefined &&
    rotationAt(current) <= now.getTime()
  );
}

/** Enough of its life must be left for a whole leaf. */
function isUsable(fact: CertificateFact | undefined, now: Date): boolean {
  if (fact === undefined) return false;
  const begun = Date.parse(fact.notBefore) <= now.getTime() + FUTURE_MS;
  return begun && Date.parse(fact.notAfter) > now.getTime() + LEAF_SECONDS * 1000;
}

function rotationAt({ keySince }: CertificateFact): number {
  return Date.parse(keySince) + CA_ROTATION_SECONDS * 1000;
}

/** When the last leaf ends that was signed before this key took over; a day more for slow operators. */
function leavesEnd({ keySince }: CertificateFact): number {
  return Date.parse(keySince) + (LEAF_SECONDS + DAY) * 1000;
}

function nextDecision(facts: readonly CertificateFact[]): Date | undefined {
  const current = inState(facts, 'current');
  if (current === undefined) return undefined;
  const ends = inState(facts, 'retired') === undefined ? [] : [leavesEnd(current)];
  return new Date(Math.min(rotationAt(current), ...ends));
}

function inState(facts: readonly CertificateFact[], state: CertificateFact['state']) {
  return facts.find((fact) => fact.state === state);
}

type Change = Omit<Step, 'reason'>;

function fresh(now: Date): Change {
  return { keep: [], carry: [], make: [made('current', now), made('next', now)] };
}

function promoted(facts: readonly CertificateFact[], now: Date): Change {
  const next = inState(facts, 'next');
  if (next === undefined) throw new TypeError('There is no next CA to promote.');
  const current = inState(facts, 'current');
  const keep: CertificateFact[] = [{ ...next, state: 'current', keySince: instant(now) }];
  if (current) keep.push({ ...current, state: 'retired' });
  return { keep, carry: [next.issuer], make: [made('next', now)] };
}

function withNext(facts: readonly CertificateFact[], now: Date): Change {
  const current = inState(facts, 'current');
  return {
    keep: facts,
    carry: current === undefined ? [] : [current.issuer],
    make: [made('next', now)],
  };
}

/** The same certificates and keys once more. */
function rewritten(facts: readonly CertificateFact[]): Change {
  const held = facts.filter(({ state }) => state === 'current' || state === 'next');
  return { keep: facts, carry: held.map(({ issuer }) => issuer), make: [] };
}

function made(state: 'current' | 'next', now: Date): CaOrder['make'][number] {
  const ms = now.getTime();
  return {
    state,
    keySince: instant(now),
    notBefore: instant(ms - BACKDATE_SECONDS * 1000),
    notAfter: instant(ms + CA_LIFETIME_SECONDS * 1000),
  };
}

function order(namespace: string, basedOn: string | undefined, step: Step): CaOrder {
  return {
    type: 'Ca',
    metadata: caMetadata(namespace),
    ...(basedOn === undefined ? {} : { basedOn }),
    ...step,
  };
}

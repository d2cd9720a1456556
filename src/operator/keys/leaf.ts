/*
 * A leaf certificate from the CA of a namespace. It is renewed at two thirds of its life and keeps its key, so that
 * pins hold; the key that comes after is made one rotation ahead and its pin is published beside the present one.
 */
import { canonicalHash } from '../../kubernetes/canonical.js';
import type { Child } from '../../kubernetes/cluster.js';
import type { ObjectMeta } from '../../kubernetes/object.js';
import type { CertificateFact, ObservedKeys } from './facts.js';
import { instant, observedCertificates, ownSecret } from './facts.js';
import type { KeyPlan, KeyProblem, LeafOrder, LeafRequest } from './orders.js';
import { tokenDigest } from './token.js';

const DAY = 86_400;
/** Life of a leaf. */
export const LEAF_SECONDS = 30 * DAY;
/** How long a leaf keeps its key; then the announced next key takes over at a renewal. */
export const LEAF_KEY_SECONDS = 90 * DAY;
/**
 * How long the next key's pin is published before a wish may take it. Whoever pinned a leaf holds its two pins; two
 * rotations within one reconnection would drop both. A client that is not gone for a day sees each pair.
 */
export const PIN_PUBLISH_SECONDS = DAY;
/** Clocks may differ by 30 s; a certificate that begins a minute ago is valid everywhere. */
export const BACKDATE_SECONDS = 60;
/** A certificate from further in the future than this comes from a clock that ran ahead. */
export const FUTURE_MS = 300_000;

export interface LeafInput {
  /** The leaf's Secret as the cache shows it. */
  readonly secret: Child | undefined;
  /** Secret `sallyport-ca` of the same namespace; absent: the first leaf makes it. */
  readonly ca: Child | undefined;
  /** Metadata with which the leaf's Secret is written (`childMetadata`). */
  readonly metadata: ObjectMeta;
  readonly request: LeafRequest;
  /** Annotation `sallyport.dev/rotate` of the resource. */
  readonly rotate?: string | undefined;
  /** Life of the certificate; `LEAF_SECONDS` unless a test wants it short. */
  readonly lifetimeSeconds?: number;
  readonly now: Date;
}

/** What one leaf certificate from the namespace's CA needs now. Same input, same plan. */
export function planLeaf(input: LeafInput): KeyPlan<CertificateFact, LeafOrder> {
  const observed = observedCertificates(ownSecret(input.secret, input.metadata), input.metadata);
  const at: Situation = { observed, input, leaf: observed.facts[0] };
  const step = STEPS.map((decide) => decide(at)).find((decided) => decided !== undefined);
  const takableAt = isAsked(at) ? nextKeyTakableAt(at) : undefined;
  const waits = step === undefined && takableAt !== undefined;
  return {
    facts: observed.facts,
    ...(step === undefined ? {} : { order: order(at, step) }),
    ...(isAsked(at) ? { rotationPending: true } : {}),
    ...(at.leaf === undefined ? {} : { nextAt: nextDecision(at.leaf, takableAt) }),
    ...(waits ? { problem: tooNew(input.metadata.name, takableAt) } : {}),
  };
}

function nextDecision(leaf: CertificateFact, takableAt = Infinity): Date {
  return new Date(Math.min(renewalAt(leaf), takableAt));
}

function tooNew(secret: string, takableAt: number): KeyProblem {
  const message = `The rotation that the annotation asks for waits until ${instant(takableAt)}: the next key of Secret ${secret} is published for a day first, so that clients have its pin.`;
  return { reason: 'NextPinTooNew', message };
}

/** Who a program is to its peers: `spiffe://INSTALL.sallyport/ns/NAMESPACE/KIND/NAME` (architecture.md 9). */
export function spiffeId(installId: string, namespace: string, kind: string, name: string): string {
  return `spiffe://${installId}.sallyport/ns/${namespace}/${kind}/${name}`;
}

interface Situation {
  readonly observed: ObservedKeys<CertificateFact>;
  readonly input: LeafInput;
  readonly leaf: CertificateFact | undefined;
}

type Step = Pick<LeafOrder, 'reason' | 'key'>;

/** The first that speaks wins: what cannot be trusted before what is merely old. */
const STEPS: readonly ((at: Situation) => Step | undefined)[] = [
  ({ observed }) => (observed.exists ? undefined : { reason: 'CertificateIssued', key: 'New' }),
  ({ observed, leaf }) =>
    observed.tampered || leaf === undefined
      ? { reason: 'KeyMaterialChanged', key: 'New' }
      : undefined,
  whenAsked,
  ({ leaf, input }) =>
    leaf?.request === requestDigest(input.request)
      ? undefined
      : { reason: 'CertificateNamesChanged', key: 'Keep' },
  (at) => (isIssuerGone(at) ? { reason: 'CertificateIssuerChanged', key: 'Keep' } : undefined),
  whenOld,
  ({ observed }) => (observed.astray ? { reason: 'LabelsRestored', key: 'Keep' } : undefined),
];

function whenAsked(at: Situation): Step | undefined {
  const takable = (nextKeyTakableAt(at) ?? Infinity) <= at.input.now.getTime();
  return isAsked(at) && takable ? { reason: 'RotationRequested', key: 'Next' } : undefined;
}

/** A next key is made, and its pin published, with the key before it: when that came into use. */
function nextKeyTakableAt({ leaf, input }: Situation): number | undefined {
  if (leaf === undefined) return undefined;
  const since = Date.parse(leaf.keySince);
  // A time ahead of ours comes from a clock that ran ahead, and would keep a rotation away for as long.
  const isAhead = since > input.now.getTime() + FUTURE_MS;
  return isAhead ? input.now.getTime() : since + PIN_PUBLISH_SECONDS * 1000;
}

function whenOld({ leaf, input }: Situation): Step | undefined {
  if (leaf === undefined) return undefined;
  const now = input.now.getTime();
  const early = Date.parse(leaf.notBefore) > now + FUTURE_MS;
  if (!early && renewalAt(leaf) > now) return undefined;
  const keyIsOld = Date.parse(leaf.keySince) + LEAF_KEY_SECONDS * 1000 <= now;
  return { reason: 'CertificateRenewed', key: keyIsOld ? 'Next' : 'Keep' };
}

/** Two thirds of its life: a third is left for whatever keeps a renewal from happening. */
function renewalAt({ notBefore, notAfter }: CertificateFact): number {
  const begin = Date.parse(notBefore);
  return begin + Math.floor(((Date.parse(notAfter) - begin) * 2) / 3 / 1000) * 1000;
}

/** The CA that signed it is not trusted any more: it was replaced, or its Secret was changed. */
function isIssuerGone({ leaf, input }: Situation): boolean {
  const ca = observedCertificates(input.ca);
  // While the CA itself waits for repair, its facts prove nothing.
  if (!ca.exists || ca.tampered || leaf === undefined) return false;
  return !ca.facts.some(({ issuer }) => issuer === leaf.issuer);
}

function isAsked({ observed, input }: Situation): boolean {
  const { rotate } = input;
  return rotate !== undefined && rotate !== '' && tokenDigest(rotate) !== observed.rotated;
}

/** The same names and usages in the same order give the same digest. */
export function requestDigest(request: LeafRequest): string {
  return canonicalHash(request).slice(0, 22);
}

function order({ observed, input, leaf }: Situation, step: Step): LeafOrder {
  const { metadata, request, now, rotate, lifetimeSeconds = LEAF_SECONDS } = input;
  // A new key answers a token, whatever it was made for; the same key again does not.
  const answered = step.key !== 'Keep' && rotate !== undefined && rotate !== '';
  const rotated = answered ? tokenDigest(rotate) : observed.rotated;
  const backdate = Math.min(BACKDATE_SECONDS, Math.floor(lifetimeSeconds / 10));
  return {
    type: 'Leaf',
    metadata,
    ...(observed.basedOn === undefined ? {} : { basedOn: observed.basedOn }),
    request,
    ...step,
    keySince: step.key === 'Keep' && leaf !== undefined ? leaf.keySince : instant(now),
    notBefore: instant(now.getTime() - backdate * 1000),
    notAfter: instant(now.getTime() + lifetimeSeconds * 1000),
    ...(rotated === undefined ? {} : { rotated }),
  };
}

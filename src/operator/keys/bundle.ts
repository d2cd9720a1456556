/*
 * Policy bundle (wire-formats.md B): RFC 8785 JSON of `{v, gateway UID, serial, issuedAt, roles[]}`, signed with the
 * install's Ed25519 key over
 *   "sallyport policy bundle v1"   ASCII
 *   00                             1 byte
 *   length                         u16, big-endian
 *   canonical JSON                 length bytes
 */
import { verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import canonicalize from 'canonicalize';

import type { Child } from '../../kubernetes/cluster.js';
import { namespaceMetadata } from '../../kubernetes/metadata.js';
import type { ObjectMeta, ObjectRef } from '../../kubernetes/object.js';
import type { KeyFact } from './facts.js';
import { observedKeys } from './facts.js';
import { labelled, sized } from './label.js';
import type { KeyPlan, SigningKeysOrder } from './orders.js';
import { planSigningKeys } from './signing-keys.js';

/** Name of the Secret in the operator's namespace. */
export const BUNDLE_KEY_NAME = 'sallyport-policy-signing-key';

const DAY = 86_400;
/** A year of one key; gateways learn the next one with their settings, so a day of overlap is plenty. */
const SCHEDULE = { everySeconds: 365 * DAY, overlapSeconds: DAY };
/** Settings reach a gateway through its ConfigMap within minutes. */
const PUBLISH_SECONDS = 3600;

/** The content that is signed. */
export interface PolicyBundle {
  readonly v: 1;
  /** UID of the SignalingGateway for which it is. */
  readonly gateway: string;
  /** Grows with every bundle of one gateway; a gateway refuses a lower one. */
  readonly serial: number;
  /** RFC 3339, UTC, whole seconds. */
  readonly issuedAt: string;
  readonly roles: readonly unknown[];
}

/** What goes into the ConfigMap, as JSON. */
export interface SignedBundle {
  /** RFC 8785 JSON of the bundle: the signed bytes themselves. */
  readonly bundle: string;
  readonly kid: string;
  /** Ed25519, base64url without padding. */
  readonly signature: string;
}

/** Signs bundles; the private key never leaves the implementation (bundle-key.keysmith.ts). */
export interface BundleSigner {
  /** @throws RangeError for a bundle of more than 65,535 canonical bytes (the u16 of the signed form). */
  sign(bundle: PolicyBundle): Promise<SignedBundle>;
  /** Public halves (current, next), for each gateway's settings; empty until the key exists. */
  publicKeys(): readonly KeyFact[];
  /** Public halves whose signatures still count: those, and retired ones within their overlap. Never a revoked one. */
  verifyingKeys(): readonly KeyFact[];
}

/** Where the signing key lives. */
export function bundleKeyRef(namespace: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name: BUNDLE_KEY_NAME };
}

/** What the install's signing key needs now. */
export function planBundleKey(input: {
  /** Namespace of the operator. */
  readonly namespace: string;
  readonly secret: Child | undefined;
  readonly now: Date;
}): KeyPlan<KeyFact, SigningKeysOrder> {
  return planSigningKeys(observedKeys(input.secret, bundleKeyMetadata(input.namespace)), {
    purpose: 'PolicyBundle',
    metadata: bundleKeyMetadata(input.namespace),
    schedule: SCHEDULE,
    publishSeconds: PUBLISH_SECONDS,
    wishes: {},
    now: input.now,
  });
}

/** RFC 8785 JSON of a bundle. @throws TypeError for what JSON cannot hold. */
export function canonicalBundle(bundle: PolicyBundle): string {
  const text = canonicalize(bundle);
  if (text === undefined) throw new TypeError('A policy bundle is a JSON object.');
  return text;
}

/** The bytes under the signature. @throws RangeError above 65,535 bytes of JSON. */
export function bundleMessage(canonicalJson: string): Buffer {
  return labelled('sallyport policy bundle v1', sized(Buffer.from(canonicalJson)));
}

/** Whether `signed` is what `publicKey` signed. What a gateway does before it reads a role. */
export function isSignedBy({ bundle, signature }: SignedBundle, publicKey: KeyObject): boolean {
  return verify(null, bundleMessage(bundle), publicKey, Buffer.from(signature, 'base64url'));
}

function bundleKeyMetadata(namespace: string): ObjectMeta {
  return namespaceMetadata({ name: BUNDLE_KEY_NAME, namespace, component: 'policy-signing-key' });
}

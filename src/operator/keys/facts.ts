/*
 * What everyone may know about keys and certificates. It stands in annotations of the Secrets, so that planning
 * a rotation needs no read of a Secret: the cache keeps annotations and drops data.
 */
import type { Child } from '../../kubernetes/cluster.js';
import type { ObjectMeta } from '../../kubernetes/object.js';
import { identityHash } from '../../kubernetes/projection.js';
import {
  ANNOTATION_CERTIFICATES,
  ANNOTATION_KEYS,
  ANNOTATION_MATERIAL,
  LABEL_OWNER_UID,
} from '../../kubernetes/metadata.js';

/** Digest of the last `sallyport.dev/rotate` token that was acted upon; the token itself is not repeated. */
export const ANNOTATION_ROTATED = 'sallyport.dev/rotated';
/** Digest of the last `sallyport.dev/revoke` that was acted upon: the key itself is forgotten in time. */
export const ANNOTATION_REVOKED = 'sallyport.dev/revoked';

/** `revoked` keys stay listed until their leases would have ended, so that programs can say so to each other. */
export type KeyState = 'current' | 'next' | 'retired' | 'revoked';

/** A signing key by its public half. Times are RFC 3339 in UTC, whole seconds. */
export interface KeyFact {
  readonly kid: string;
  /** Ed25519 public key, base64url without padding. */
  readonly public: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly publishedAt: string;
  readonly state: KeyState;
}

/** A key that seals columns of a database, by its id: there is nothing else about it that may be known. */
export interface ColumnKeyFact {
  /** 8 random bytes as hex. */
  readonly id: string;
  readonly state: 'current' | 'next' | 'retired';
  /** Since when it is in that state. */
  readonly since: string;
}

/** A certificate by what it shows anyway. */
export interface CertificateFact {
  /** Hexadecimal, lower case. */
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Pin of the key in use, then of the next one. */
  readonly pins: readonly string[];
  /** Key id of the CA key that signed it; its own for a CA. */
  readonly issuer: string;
  /** Since when this key is in use: keys outlive certificates. */
  readonly keySince: string;
  /** Digest of names and usages: another one means a new certificate. Absent for a CA. */
  readonly request?: string;
  /** For a CA: which of its certificates. */
  readonly state?: 'current' | 'next' | 'retired';
  /** For a CA: the certificate itself, DER in base64, so that nobody who verifies has to read the Secret. */
  readonly certificate?: string;
}

/** A key Secret as the cache shows it. */
export interface ObservedKeys<Fact> {
  /** False when there is no such Secret. */
  readonly exists: boolean;
  /** Data or annotations were changed by someone else, or are not what we write. */
  readonly tampered: boolean;
  /** Its labels or its owner are not those that it is written with; the keys in it are what they were. */
  readonly astray: boolean;
  readonly facts: readonly Fact[];
  /** `ANNOTATION_ROTATED` as it stands. */
  readonly rotated?: string;
  /** `ANNOTATION_REVOKED` as it stands. */
  readonly revoked?: string;
  /** Version of the Secret. */
  readonly basedOn?: string;
}

/** The signing keys in `secret` (undefined: no such Secret), which is written with `metadata`. */
export function observedKeys(
  secret: Child | undefined,
  metadata?: ObjectMeta,
): ObservedKeys<KeyFact> {
  return { ...observed(secret, ANNOTATION_KEYS, isKeyFact), astray: isAstray(secret, metadata) };
}

/** The column keys in `secret`, which is written with `metadata`; the first is the one that seals. */
export function observedColumnKeys(
  secret: Child | undefined,
  metadata: ObjectMeta,
): ObservedKeys<ColumnKeyFact> {
  const found = observed(secret, ANNOTATION_KEYS, isColumnKeyFact);
  return { ...found, astray: isAstray(secret, metadata) };
}

/** The certificates in `secret`, which is written with `metadata`. */
export function observedCertificates(
  secret: Child | undefined,
  metadata?: ObjectMeta,
): ObservedKeys<CertificateFact> {
  const found = observed(secret, ANNOTATION_CERTIFICATES, isCertificateFact);
  return { ...found, astray: isAstray(secret, metadata) };
}

/**
 * `secret` if it was made for the resource that `metadata` names as its owner: after a delete and recreate under the
 * same name the old Secret may still be there, and its keys are not the new resource's.
 */
export function ownSecret(secret: Child | undefined, metadata: ObjectMeta): Child | undefined {
  const owner = metadata.labels?.[LABEL_OWNER_UID];
  return secret?.ownerUid === owner ? secret : undefined;
}

/** Seconds are all the precision that certificates and leases have. */
export function instant(time: Date | number): string {
  const ms = typeof time === 'number' ? time : time.getTime();
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

function observed<Fact>(
  secret: Child | undefined,
  annotation: string,
  isFact: (value: unknown) => value is Fact,
): Omit<ObservedKeys<Fact>, 'astray'> {
  if (secret === undefined) return { exists: false, tampered: false, facts: [] };
  const facts = parsed(secret.annotations[annotation], isFact);
  const material = secret.annotations[ANNOTATION_MATERIAL];
  const intact =
    facts !== undefined && material !== undefined && material === secret.view['dataHash'];
  const rotated = secret.annotations[ANNOTATION_ROTATED];
  const revoked = secret.annotations[ANNOTATION_REVOKED];
  return {
    exists: true,
    tampered: !intact,
    facts: facts ?? [],
    basedOn: secret.resourceVersion,
    ...(rotated === undefined ? {} : { rotated }),
    ...(revoked === undefined ? {} : { revoked }),
  };
}

/** A hash is there only where managedFields say what is ours. */
function isAstray(secret: Child | undefined, metadata: ObjectMeta | undefined): boolean {
  const standing = secret?.view['ownedIdentityHash'];
  return standing !== undefined && metadata !== undefined && standing !== identityHash(metadata);
}

function parsed<Fact>(
  text: string | undefined,
  isFact: (value: unknown) => value is Fact,
): readonly Fact[] | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every(isFact) ? value : undefined;
  } catch {
    return undefined;
  }
}

const KID = /^[A-Za-z0-9_-]{22}$/;
const COLUMN_KEY_ID = /^[0-9a-f]{16}$/;
const PUBLIC = /^[A-Za-z0-9_-]{43}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const PIN = /^sha256\/[A-Za-z0-9+/]{43}=$/;
const STATES: readonly unknown[] = ['current', 'next', 'retired', 'revoked'];

function isKeyFact(value: unknown): value is KeyFact {
  const fact = record(value);
  return (
    matches(fact['kid'], KID) &&
    matches(fact['public'], PUBLIC) &&
    isInstant(fact['notBefore']) &&
    isInstant(fact['notAfter']) &&
    isInstant(fact['publishedAt']) &&
    STATES.includes(fact['state'])
  );
}

function isColumnKeyFact(value: unknown): value is ColumnKeyFact {
  const { id, state, since } = record(value);
  return (
    matches(id, COLUMN_KEY_ID) &&
    isInstant(since) &&
    (state === 'current' || state === 'next' || state === 'retired')
  );
}

function isCertificateFact(value: unknown): value is CertificateFact {
  const fact = record(value);
  const { pins, state } = fact;
  return (
    matches(fact['serial'], /^[0-9a-f]{1,40}$/) &&
    isInstant(fact['notBefore']) &&
    isInstant(fact['notAfter']) &&
    isInstant(fact['keySince']) &&
    matches(fact['issuer'], KID) &&
    Array.isArray(pins) &&
    pins.every((pin) => matches(pin, PIN)) &&
    (state === undefined || STATES.includes(state))
  );
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function isInstant(value: unknown): boolean {
  return matches(value, INSTANT) && !Number.isNaN(Date.parse(value as string));
}

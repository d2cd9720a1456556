/*
 * Secrets that a resource names, judged by the names of their keys and by whose they are; their values never come here.
 */
import type { StalledReason } from '../../kubernetes/conditions.js';

/** Why a named Secret cannot be used, with what to change. */
export interface SecretProblem {
  readonly reason: Extract<StalledReason, `Secret${string}`>;
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
  /** Whether `tls.key` is the private key of that certificate. */
  readonly keyFits: boolean;
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

/** What a read came to: `Missing` when there is none of that name, `Unreadable` when no answer could be had. */
export type ObservedSecret = SecretFacts | 'Missing' | 'Unreadable';

/** What was read of each named Secret. */
export type ObservedSecrets = Readonly<Record<string, ObservedSecret>>;

/** Who needs this file serves with it, and needs the key that belongs to it. */
const CERTIFICATE = 'tls.crt';

/** The first named Secret that cannot be used, or undefined. `taken` are names that are not for this resource to name. */
export function namedSecretProblem(
  needs: readonly SecretNeed[],
  secrets: ObservedSecrets,
  taken: ReadonlySet<string>,
): SecretProblem | undefined {
  for (const need of needs) {
    const problem = taken.has(need.name)
      ? notYours(need)
      : (unreadable(need, secrets) ?? judged(need, secrets[need.name]));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Whether what was read of `name` says all that a plan asks: else the next pass reads again. */
export function isSettled(
  needs: readonly SecretNeed[],
  name: string,
  found: ObservedSecret,
): boolean {
  if (typeof found === 'string') return false;
  return needs.every((need) => need.name !== name || judged(need, found) === undefined);
}

/** That a Secret could not be read, or undefined: it may be missing, and still be to come. */
export function unreadable(
  { name, field }: Pick<SecretNeed, 'name' | 'field'>,
  secrets: ObservedSecrets,
): SecretProblem | undefined {
  if (secrets[name] !== 'Unreadable') return undefined;
  const message = `${field}: Secret ${name} could not be read; what runs stays, and it is tried again. Let the operator get Secrets in this namespace if this lasts.`;
  return { reason: 'SecretUnreadable', message };
}

function notYours({ name, field }: SecretNeed): SecretProblem {
  const message = `${field}: Secret ${name} holds keys of a program of this installation. Name a Secret of your own.`;
  return { reason: 'SecretInvalid', message };
}

function judged(need: SecretNeed, secret: ObservedSecret | undefined): SecretProblem | undefined {
  const { name, keys, field } = need;
  if (secret === undefined || typeof secret === 'string') {
    const message = `${field}: there is no Secret ${name} in this namespace. Create it with the key ${keys.join(' and ')}, or name another.`;
    return { reason: 'SecretMissing', message };
  }
  if (secret.managed) return notYours(need);
  const missing = keys.filter((key) => !secret.keys.includes(key));
  if (missing.length === 0)
    return keys.includes(CERTIFICATE) ? pairProblem(need, secret) : undefined;
  const message = `${field}: Secret ${name} has no key ${missing.join(' and ')}. Add it, or name another Secret.`;
  return { reason: 'SecretInvalid', message };
}

/** A program that cannot serve with what it mounts does not start: pods that run must not be replaced by such ones. */
function pairProblem(
  { name, field }: SecretNeed,
  { certificate, keyFits }: SecretFacts,
): SecretProblem | undefined {
  if (certificate !== undefined && keyFits) return undefined;
  const message =
    certificate === undefined
      ? `${field}: ${CERTIFICATE} of Secret ${name} holds no certificate. Put the PEM chain there, that of the listener first.`
      : `${field}: tls.key of Secret ${name} is not the key of its certificate. Put the PEM private key of that certificate there, without a passphrase.`;
  return { reason: 'SecretInvalid', message };
}

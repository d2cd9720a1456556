import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import type { Cluster } from '../../kubernetes/cluster.js';
import { LABEL_MANAGED_BY } from '../../kubernetes/metadata.js';
import { refId } from '../../kubernetes/object.js';
import type { KubernetesObject, ObjectRef } from '../../kubernetes/object.js';
import type { Clock } from '../../runtime/clock.js';
import { isSettled } from './named-secrets.js';
import type {
  ObservedSecret,
  ObservedSecrets,
  SecretNeed,
  SecretFacts,
  ServedCertificate,
} from './named-secrets.js';

export interface NamedSecretsParts {
  readonly cluster: Pick<Cluster, 'read'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** How long what was read counts, in seconds. */
  readonly checkEverySeconds: number;
}

/** More Secrets than this are not remembered at a time: the oldest go first. */
const MAX_REMEMBERED = 20_000;
/** Timers may be early: what has this share of its time behind it is read again. */
const EARLY = 0.95;

interface Remembered {
  readonly facts: SecretFacts;
  readonly readAtMs: number;
}

/**
 * Reads by name the Secrets that users name, since the cache holds none of them. Names of keys and the served
 * certificate are all that is kept, for `checkEverySeconds`; what is wrong is not kept, so that putting it right shows
 * in the next pass.
 */
export class NamedSecrets {
  readonly #parts: NamedSecretsParts;
  readonly #remembered = new Map<string, Remembered>();

  constructor(parts: NamedSecretsParts) {
    this.#parts = parts;
  }

  /**
   * What is known of the Secrets called `names` in `namespace`, of which some must be as `needs` say. Never throws: a
   * read that fails is `Unreadable`.
   */
  async of(
    namespace: string,
    names: readonly string[],
    needs: readonly SecretNeed[],
  ): Promise<ObservedSecrets> {
    const found = await Promise.all(
      names.map(async (name) => {
        const ref = { apiVersion: 'v1', kind: 'Secret', namespace, name };
        return [name, this.#fresh(ref) ?? (await this.#read(ref, needs))] as const;
      }),
    );
    return Object.fromEntries(found);
  }

  #fresh(ref: ObjectRef): SecretFacts | undefined {
    const { clock, checkEverySeconds } = this.#parts;
    const known = this.#remembered.get(refId(ref));
    const oldestMs = clock.monotonicMs() - checkEverySeconds * 1000 * EARLY;
    return known !== undefined && known.readAtMs > oldestMs ? known.facts : undefined;
  }

  async #read(ref: ObjectRef, needs: readonly SecretNeed[]): Promise<ObservedSecret> {
    const { cluster, clock } = this.#parts;
    const found = await cluster.read(ref).then(secretFacts, () => 'Unreadable' as const);
    this.#remembered.delete(refId(ref));
    if (typeof found !== 'string' && isSettled(needs, ref.name, found)) {
      this.#remembered.set(refId(ref), { facts: found, readAtMs: clock.monotonicMs() });
      const [oldest] = this.#remembered.keys();
      if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) {
        this.#remembered.delete(oldest);
      }
    }
    return found;
  }
}

/** What may be known of a Secret that a user names. Its values end here. */
export function secretFacts(secret: KubernetesObject | undefined): SecretFacts | 'Missing' {
  if (secret === undefined) return 'Missing';
  const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>;
  const leaf = firstCertificate(data['tls.crt']);
  return {
    keys: Object.keys(data).sort(),
    managed: secret.metadata.labels?.[LABEL_MANAGED_BY] === 'sallyport',
    ...(leaf === undefined ? {} : { certificate: shownBy(leaf) }),
    keyFits: leaf !== undefined && fits(data['tls.key'], leaf),
  };
}

/** The first certificate of a PEM chain, which everyone who connects is shown; undefined for anything else. */
function firstCertificate(base64 = ''): X509Certificate | undefined {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'));
  } catch {
    return undefined;
  }
}

function shownBy(leaf: X509Certificate): ServedCertificate {
  const spki = leaf.publicKey.export({ type: 'spki', format: 'der' });
  return {
    serial: leaf.serialNumber.toLowerCase(),
    notBefore: utc(leaf.validFromDate),
    notAfter: utc(leaf.validToDate),
    pin: `sha256/${createHash('sha256').update(spki).digest('base64')}`,
    dnsNames: (leaf.subjectAltName ?? '')
      .split(', ')
      .flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4).toLowerCase()] : [])),
  };
}

function fits(base64: string | undefined, leaf: X509Certificate): boolean {
  const pem = Buffer.from(base64 ?? '', 'base64');
  try {
    return leaf.checkPrivateKey(createPrivateKey(pem));
  } catch {
    return false; // No key, or one with a passphrase, which no program of ours asks for.
  } finally {
    pem.fill(0);
  }
}

function utc(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

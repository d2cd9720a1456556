import type { Clock } from '../../runtime/clock.js';
import type { Issuer } from './certificates.x509.js';

/** A CA that can sign: its key and its certificate as PEM. */
export interface CaSigner extends Issuer {
  readonly pem: string;
}

/** A key that is not used for this long is read again: memory dumps should find few. */
const MAX_AGE_MS = 300_000;
/** Namespaces that are worked on at one time; the least recently used goes first. */
const MAX_ENTRIES = 256;

interface Entry {
  readonly resourceVersion: string;
  readonly readAtMs: number;
  readonly signer: CaSigner;
}

/**
 * CA keys in memory, by namespace and version of the Secret, so that a thousand leaves do not cost a thousand
 * reads. Bounded in number and age.
 */
export class CaKeys {
  readonly #clock: Clock;
  /** In order of use: a Map keeps the order of insertion. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The key of `namespace` if it was read from this version of its Secret, not too long ago. */
  get(namespace: string, resourceVersion: string | undefined): CaSigner | undefined {
    const entry = this.#entries.get(namespace);
    if (entry === undefined) return undefined;
    this.#entries.delete(namespace);
    const age = this.#clock.monotonicMs() - entry.readAtMs;
    if (entry.resourceVersion !== resourceVersion || age > MAX_AGE_MS) return undefined;
    this.#entries.set(namespace, entry);
    return entry.signer;
  }

  put(namespace: string, resourceVersion: string, signer: CaSigner): void {
    this.#entries.delete(namespace);
    this.#entries.set(namespace, { resourceVersion, signer, readAtMs: this.#clock.monotonicMs() });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
  }

  forget(namespace: string): void {
    this.#entries.delete(namespace);
  }

  /** How many keys are held. */
  get size(): number {
    return this.#entries.size;
  }
}

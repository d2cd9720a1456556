import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type { Clock } from '../../runtime/clock.js';
import type { Cluster } from '../../kubernetes/cluster.js';
import type { BundleSigner, PolicyBundle, SignedBundle } from './bundle.js';
import { bundleKeyRef, bundleMessage, canonicalBundle, planBundleKey } from './bundle.js';
import { KeysChanged, readSecretFiles } from './carried-keys.reader.js';
import type { KeyFact } from './facts.js';
import { observedKeys } from './facts.js';
import { signingKeyId } from './label.js';
import type { Keysmith } from './orders.js';
import { privateKeyFile } from './secret-files.js';
import { readSigningKey } from './signing-key.crypto.js';

export interface BundleKeyParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly keysmith: Keysmith;
  /** Namespace of the operator. */
  readonly namespace: string;
}

/** A key that is not used for this long is read again: memory dumps should find few. */
const MAX_AGE_MS = 300_000;

interface Held {
  readonly kid: string;
  readonly resourceVersion: string;
  readonly readAtMs: number;
  readonly key: KeyObject;
}

/** The install's key that signs policy bundles: made once, rotated yearly, read when it is needed. */
export class BundleKey implements BundleSigner {
  readonly #parts: BundleKeyParts;
  #held: Held | undefined;
  #underWay: Promise<Date | undefined> | undefined;

  constructor(parts: BundleKeyParts) {
    this.#parts = parts;
  }

  /** Where the key lives: the operator's namespace. */
  get namespace(): string {
    return this.#parts.namespace;
  }

  publicKeys(): readonly KeyFact[] {
    return this.#plan().facts.filter(({ state }) => state === 'current' || state === 'next');
  }

  /**
   * Makes or rotates the key if its plan says so; gives the time of the next decision. Safe to call from several keys
   * at a time.
   */
  ensure(): Promise<Date | undefined> {
    this.#underWay ??= this.#ensure().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async sign(bundle: PolicyBundle): Promise<SignedBundle> {
    const text = canonicalBundle(bundle);
    const message = bundleMessage(text);
    await this.ensure();
    const { kid, key } = await this.#current();
    return { bundle: text, kid, signature: sign(null, message, key).toString('base64url') };
  }

  async #ensure(): Promise<Date | undefined> {
    const { order } = this.#plan();
    if (order) await this.#parts.keysmith.fulfil(undefined, order);
    return this.#plan().nextAt;
  }

  #plan() {
    const { cluster, clock, namespace } = this.#parts;
    const secret = cluster.child(bundleKeyRef(namespace));
    return planBundleKey({ namespace, secret, now: clock.now() });
  }

  async #current(): Promise<Held> {
    const { cluster, clock, namespace } = this.#parts;
    const ref = bundleKeyRef(namespace);
    const secret = cluster.child(ref);
    const kid = observedKeys(secret).facts.find(({ state }) => state === 'current')?.kid;
    if (secret === undefined || kid === undefined) throw new KeysChanged(ref);
    const { resourceVersion } = secret;
    const readAtMs = clock.monotonicMs();
    const held = this.#held;
    const fresh = held !== undefined && readAtMs - held.readAtMs <= MAX_AGE_MS;
    if (fresh && held.kid === kid && held.resourceVersion === resourceVersion) return held;
    const files = await readSecretFiles(cluster, ref);
    const { privateKey: key, publicKey } = readSigningKey(files[privateKeyFile(kid)] ?? '');
    if (signingKeyId('PolicyBundle', publicKey) !== kid) throw new KeysChanged(ref);
    this.#held = { kid, resourceVersion, readAtMs, key };
    return this.#held;
  }
}

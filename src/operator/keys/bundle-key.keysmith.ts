import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type { Clock } from '../../runtime/clock.js';
import type { Cluster } from '../../kubernetes/cluster.js';
import { GROUP, LABEL_MANAGED_BY } from '../../kubernetes/metadata.js';
import type { BundleSigner, PolicyBundle, SignedBundle } from './bundle.js';
import { bundleKeyRef, bundleMessage, canonicalBundle, planBundleKey } from './bundle.js';
import { KeysChanged, readSecretFiles } from './carried-keys.reader.js';
import type { KeyFact } from './facts.js';
import { observedKeys } from './facts.js';
import { signingKeyId } from './label.js';
import type { Keysmith, SigningKeysOrder } from './orders.js';
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
  #reading: Promise<Held> | undefined;

  constructor(parts: BundleKeyParts) {
    this.#parts = parts;
  }

  /** Where the key lives: the operator's namespace. */
  get namespace(): string {
    return this.#parts.namespace;
  }

  publicKeys(): readonly KeyFact[] {
    return this.verifyingKeys().filter(({ state }) => state !== 'retired');
  }

  verifyingKeys(): readonly KeyFact[] {
    return this.#plan().facts.filter(({ state }) => state !== 'revoked');
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
    const restored = order?.reason === 'KeysCreated' && (await this.#restore(order));
    if (order && !restored) await this.#parts.keysmith.fulfil(undefined, order);
    return this.#plan().nextAt;
  }

  /**
   * A key that is not in the cache may still exist, and a new one in its place would make every bundle of the install
   * invalid at once. Gives whether the Secret was there without our labels and has them again.
   * @throws KeysChanged while the cache has not seen it yet
   */
  async #restore({ metadata }: SigningKeysOrder): Promise<boolean> {
    const { cluster, namespace } = this.#parts;
    const live = await cluster.read(bundleKeyRef(namespace));
    if (live === undefined) return false;
    const { labels, annotations = {} } = live.metadata;
    if (labels?.[LABEL_MANAGED_BY] === 'sallyport') throw new KeysChanged(bundleKeyRef(namespace));
    const { apiVersion, kind, type, data } = live;
    const ours = Object.entries(annotations).filter(([name]) => name.startsWith(`${GROUP}/`));
    const withLabels = { ...metadata, annotations: Object.fromEntries(ours) };
    await this.#parts.cluster.apply(undefined, {
      apiVersion,
      kind,
      metadata: withLabels,
      type,
      data,
    });
    return true;
  }

  #plan() {
    const { cluster, clock, namespace } = this.#parts;
    const secret = cluster.child(bundleKeyRef(namespace));
    return planBundleKey({ namespace, secret, now: clock.now() });
  }

  /** The key that signs now. */
  async #current(): Promise<Held> {
    const { cluster, clock, namespace } = this.#parts;
    const secret = cluster.child(bundleKeyRef(namespace));
    const kid = observedKeys(secret).facts.find(({ state }) => state === 'current')?.kid;
    if (secret === undefined || kid === undefined) throw new KeysChanged(bundleKeyRef(namespace));
    const held = this.#held;
    const isFresh = held !== undefined && clock.monotonicMs() - held.readAtMs <= MAX_AGE_MS;
    if (isFresh && held.kid === kid && held.resourceVersion === secret.resourceVersion) return held;
    // One reading serves all that wait for it.
    this.#reading ??= this.#read(kid, secret.resourceVersion).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(kid: string, resourceVersion: string): Promise<Held> {
    const { cluster, clock, namespace } = this.#parts;
    const ref = bundleKeyRef(namespace);
    const files = await readSecretFiles(cluster, ref, resourceVersion);
    const { privateKey: key, publicKey } = readSigningKey(files[privateKeyFile(kid)] ?? '');
    if (signingKeyId('PolicyBundle', publicKey) !== kid) throw new KeysChanged(ref);
    this.#held = { kid, resourceVersion, readAtMs: clock.monotonicMs(), key };
    return this.#held;
  }
}

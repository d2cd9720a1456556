import type { Clock } from '../../runtime/clock.js';
import type { Cluster } from '../../kubernetes/cluster.js';
import type { KubernetesObject, ObjectMeta } from '../../kubernetes/object.js';
import { caPem, caSecretRef, planCa } from './ca.js';
import { CaKeys } from './ca-keys.cache.js';
import type { CaSigner } from './ca-keys.cache.js';
import type { SecretFiles } from './carried-keys.reader.js';
import { KeysChanged, readSecretFiles, secretRef } from './carried-keys.reader.js';
import { caName, generateCertificateKey, issueCa } from './certificates.x509.js';
import type { CertificateKey } from './certificates.x509.js';
import type { CertificateFact } from './facts.js';
import { observedCertificates } from './facts.js';
import { certificateKeyId, pinOf } from './label.js';
import type { CaOrder } from './orders.js';
import {
  CERTIFICATE_FILE,
  keySecret,
  NEXT_CERTIFICATE_FILE,
  NEXT_KEY_FILE,
  PRIVATE_KEY_FILE,
} from './secret-files.js';
import { privateKeyData, readCertificateKey } from './signing-key.crypto.js';

/** By key id. */
type Keys = Map<string, CertificateKey>;

/** Makes, rotates and lends the CAs of namespaces. Keeps the keys that it has read for a few minutes. */
export class CaKeysmith {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #known: CaKeys;
  /** By namespace: the one making or reading that is under way. Two leaves at once must not make two CAs. */
  readonly #underWay = new Map<string, Promise<CaSigner>>();

  constructor({ cluster, clock }: { readonly cluster: Cluster; readonly clock: Clock }) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#known = new CaKeys(clock);
  }

  /**
   * The CA of a namespace, made, rotated or repaired first if its plan says so.
   * @throws KeysChanged, and what the cluster throws
   */
  signer(namespace: string): Promise<CaSigner> {
    const started = this.#underWay.get(namespace);
    if (started) return started;
    const signer = this.#makeOrRead(namespace).finally(() => {
      this.#underWay.delete(namespace);
    });
    this.#underWay.set(namespace, signer);
    return signer;
  }

  /** Forgets the key of a namespace that is left. */
  forget(namespace: string): void {
    this.#known.forget(namespace);
  }

  async #makeOrRead(namespace: string): Promise<CaSigner> {
    const ref = caSecretRef(namespace);
    const secret = this.#cluster.child(ref);
    const { order } = planCa({ namespace, secret, now: this.#clock.now() });
    if (order) return this.#make(order, namespace);
    const known = this.#known.get(namespace, secret?.resourceVersion);
    if (known) return known;
    const { facts } = observedCertificates(secret);
    const signer = signerOf(
      facts,
      keysOf(await readSecretFiles(this.#cluster, ref, secret?.resourceVersion)),
    );
    if (signer === undefined) throw new KeysChanged(ref);
    this.#known.put(namespace, secret?.resourceVersion ?? '', signer);
    return signer;
  }

  async #make(order: CaOrder, namespace: string): Promise<CaSigner> {
    const { metadata, keep, carry, make, basedOn } = order;
    const ref = secretRef(metadata);
    const keys: Keys =
      carry.length === 0
        ? new Map<string, CertificateKey>()
        : keysOf(await readSecretFiles(this.#cluster, ref, basedOn));
    if (!carry.every((id) => keys.has(id))) throw new KeysChanged(ref);
    const certificates = [...keep];
    for (const wanted of make) certificates.push(certified(wanted, keys));
    const applied = await this.#cluster.apply(undefined, caSecret(metadata, certificates, keys));
    const signer = signerOf(certificates, keys);
    if (signer === undefined) throw new KeysChanged(ref);
    this.#known.put(namespace, applied.metadata.resourceVersion ?? '', signer);
    return signer;
  }
}

/** A new CA certificate; its key joins `keys`. */
function certified({ state, ...times }: CaOrder['make'][number], keys: Keys): CertificateFact {
  const key = generateCertificateKey();
  const id = certificateKeyId(key.spki);
  keys.set(id, key);
  const { der, serial } = issueCa({ key, commonName: caName(id) }, times);
  const certificate = der.toString('base64');
  return { serial, ...times, pins: [pinOf(key.spki)], issuer: id, state, certificate };
}

function caSecret(
  metadata: ObjectMeta,
  certificates: readonly CertificateFact[],
  keys: Keys,
): KubernetesObject {
  const files = (state: CertificateFact['state'], crt: string, file: string): SecretFiles => {
    const fact = certificates.find((one) => one.state === state);
    const key = fact && keys.get(fact.issuer);
    if (!fact || !key) return {};
    const pem = Buffer.from(caPem(fact)).toString('base64');
    return { [crt]: pem, [file]: privateKeyData(key.privateKey) };
  };
  const data = {
    ...files('current', CERTIFICATE_FILE, PRIVATE_KEY_FILE),
    ...files('next', NEXT_CERTIFICATE_FILE, NEXT_KEY_FILE),
  };
  return keySecret({ metadata, type: 'kubernetes.io/tls', data, certificates });
}

function signerOf(facts: readonly CertificateFact[], keys: Keys): CaSigner | undefined {
  const current = facts.find(({ state }) => state === 'current');
  const key = current && keys.get(current.issuer);
  if (!current || !key) return undefined;
  return { key, commonName: caName(current.issuer), pem: caPem(current) };
}

function keysOf(files: SecretFiles): Keys {
  const keys = [files[PRIVATE_KEY_FILE], files[NEXT_KEY_FILE]]
    .filter((text) => text !== undefined)
    .map(readCertificateKey);
  return new Map(keys.map((key) => [certificateKeyId(key.spki), key]));
}

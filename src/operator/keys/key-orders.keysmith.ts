/*
 * Fulfils key orders: what to make, keep and carry over stands in the order, nothing is decided here. Keys are
 * KeyObjects; as text they exist only inside the request that stores them, and never in a log, an error or an event.
 */
import type { Cluster } from '../../kubernetes/cluster.js';
import type { CaKeysmith } from './ca.keysmith.js';
import { columnKeysSecret } from './column-keys.keysmith.js';
import type { SecretFiles } from './carried-keys.reader.js';
import { KeysChanged, readSecretFiles, secretRef } from './carried-keys.reader.js';
import { generateCertificateKey, issueLeaf } from './certificates.x509.js';
import type { CertificateKey } from './certificates.x509.js';
import type { CertificateFact, KeyFact } from './facts.js';
import { certificateKeyId, pinOf, signingKeyId } from './label.js';
import { requestDigest } from './leaf.js';
import type { KeyOrder, Keysmith, LeafOrder, OrderOwner, SigningKeysOrder } from './orders.js';
import {
  CERTIFICATE_FILE,
  KEY_INDEX_FILE,
  keySecret,
  NEXT_KEY_FILE,
  NEXT_PIN_FILE,
  PRIVATE_KEY_FILE,
  privateKeyFile,
} from './secret-files.js';
import {
  generateSigningKey,
  pemBytes,
  privateKeyData,
  readCertificateKey,
  readSigningKey,
} from './signing-key.crypto.js';

/** The keysmith of the operator: one per process. */
export class KeyOrdersKeysmith implements Keysmith {
  readonly #cluster: Cluster;
  readonly #authorities: CaKeysmith;

  constructor(parts: { readonly cluster: Cluster; readonly authorities: CaKeysmith }) {
    this.#cluster = parts.cluster;
    this.#authorities = parts.authorities;
  }

  /** @throws KeysChanged, and what the cluster throws; never anything that quotes a key */
  async fulfil(owner: OrderOwner | undefined, order: KeyOrder): Promise<void> {
    switch (order.type) {
      case 'SigningKeys':
        return this.#signingKeys(owner, order);
      case 'ColumnKeys':
        await this.#cluster.apply(owner, await columnKeysSecret(this.#cluster, order));
        return;
      case 'Leaf':
        return this.#leaf(owner, order);
      case 'Ca':
        await this.#authorities.signer(order.metadata.namespace ?? '');
        return;
    }
  }

  async #signingKeys(owner: OrderOwner | undefined, order: SigningKeysOrder): Promise<void> {
    const { metadata, purpose, keep, make, rotated, revoked } = order;
    const data: Record<string, string> = await this.#carriedSigningKeys(order);
    const made = make.map((fact): KeyFact => {
      const { privateKey, publicKey } = generateSigningKey();
      const kid = signingKeyId(purpose, publicKey);
      data[privateKeyFile(kid)] = privateKeyData(privateKey);
      return { kid, public: publicKey.toString('base64url'), ...fact };
    });
    const keys = [...made, ...keep];
    data[KEY_INDEX_FILE] = base64(`${JSON.stringify(keys)}\n`);
    await this.#cluster.apply(
      owner,
      keySecret({ metadata, type: 'Opaque', data, keys, rotated, revoked }),
    );
  }

  /** What is carried over is what was published under that id, or nothing is. */
  async #carriedSigningKeys(order: SigningKeysOrder): Promise<Record<string, string>> {
    const { metadata, purpose, carry, basedOn } = order;
    if (carry.length === 0) return {};
    const ref = secretRef(metadata);
    const files = await readSecretFiles(this.#cluster, ref, basedOn);
    const carried = carry.map((kid) => {
      const text = files[privateKeyFile(kid)];
      if (text === undefined) throw new KeysChanged(ref);
      if (signingKeyId(purpose, readSigningKey(text).publicKey) !== kid) throw new KeysChanged(ref);
      return [privateKeyFile(kid), text] as const;
    });
    return Object.fromEntries(carried);
  }

  async #leaf(owner: OrderOwner | undefined, order: LeafOrder): Promise<void> {
    const { metadata, request, notBefore, notAfter, keySince, rotated } = order;
    const ca = await this.#authorities.signer(request.namespace);
    const { key, next } = await this.#leafKeys(order);
    const { der, serial } = issueLeaf(ca, order, request, key);
    const fact: CertificateFact = {
      serial,
      notBefore,
      notAfter,
      pins: [pinOf(key.spki), pinOf(next.spki)],
      issuer: certificateKeyId(ca.key.spki),
      keySince,
      request: requestDigest(request),
    };
    const data = {
      [CERTIFICATE_FILE]: base64(`${pemBytes('CERTIFICATE', der).toString('ascii')}${ca.pem}`),
      [PRIVATE_KEY_FILE]: privateKeyData(key.privateKey),
      [NEXT_KEY_FILE]: privateKeyData(next.privateKey),
      [NEXT_PIN_FILE]: base64(`${pinOf(next.spki)}\n`),
    };
    const certificates = [fact];
    await this.#cluster.apply(
      owner,
      keySecret({ metadata, type: 'kubernetes.io/tls', data, certificates, rotated }),
    );
  }

  async #leafKeys({ key, metadata, basedOn }: LeafOrder): Promise<LeafKeys> {
    if (key === 'New') return { key: generateCertificateKey(), next: generateCertificateKey() };
    const files = await readSecretFiles(this.#cluster, secretRef(metadata), basedOn);
    const next = fileKey(files, NEXT_KEY_FILE);
    return key === 'Next'
      ? { key: next, next: generateCertificateKey() }
      : { key: fileKey(files, PRIVATE_KEY_FILE), next };
  }
}

interface LeafKeys {
  readonly key: CertificateKey;
  readonly next: CertificateKey;
}

function fileKey(files: SecretFiles, name: string): CertificateKey {
  return readCertificateKey(files[name] ?? '');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

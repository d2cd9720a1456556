/*
 * The relay's own certificate: it serves the TLS fallback and registers the relay with gateways. It is the only private
 * key in the pod.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { fileRefusal, parsedFile, uriNames } from '../../runtime/leaf-files.js';

/** A chain with its key, checked. */
export interface Leaf {
  /** PEM, leaf first. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SHA-256 of the leaf, to tell one from another. */
  readonly fingerprint: string;
}

/** PEM texts and where they came from. */
export interface LeafFiles {
  readonly certificate: string;
  readonly key: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/**
 * Checks that chain and key belong together, name this pool and hold at `nowMs` (Unix).
 * @throws ActionableError ERR_SETTINGS_FILE naming the file; never with key material
 */
export function readLeaf(files: LeafFiles, identity: string, nowMs: number): Leaf {
  const { certificate, key, certificateFile, keyFile } = files;
  const leaf = parsed(certificateFile, 'PEM certificate', () => new X509Certificate(certificate));
  const privateKey = parsed(keyFile, 'PEM private key', () => createPrivateKey(key));
  const notBeforeMs = Date.parse(leaf.validFrom);
  const notAfterMs = Date.parse(leaf.validTo);
  if (!leaf.checkPrivateKey(privateKey))
    throw wrong(keyFile, `is not the key of the certificate in ${certificateFile}`);
  const names = uriNames(leaf.subjectAltName ?? '');
  if (names?.length !== 1 || names[0] !== identity)
    throw wrong(certificateFile, `does not name this pool: its URI must be ${identity}`);
  if (nowMs >= notAfterMs) throw wrong(certificateFile, `ended at ${leaf.validTo}`);
  if (nowMs < notBeforeMs) throw wrong(certificateFile, `begins at ${leaf.validFrom}`);
  return { certificate, key, notBeforeMs, notAfterMs, fingerprint: leaf.fingerprint256 };
}

const wrong = fileRefusal('The operator renews the Secret of the pool; see its events.');

const parsed = <T>(path: string, what: string, parse: () => T): T =>
  parsedFile({ path, refuse: wrong }, what, parse);

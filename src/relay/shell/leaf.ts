/*
 * The relay's own certificate: it serves the TLS fallback and registers the relay with gateways. It is the only private
 * key in the pod.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import { uriNames } from './peer-identity.js';

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

/** Permission bits of everybody who is neither owner nor in the group of a file. */
const OTHERS = 0o007;

/**
 * Refuses a private key file that everybody may read, write or execute: 0440 with the group of the pod is fine.
 * @throws ActionableError ERR_SETTINGS_FILE
 */
export function refuseOpenKeyFile(path: string, mode: number): void {
  if ((mode & OTHERS) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  throw new ActionableError(
    'ERR_SETTINGS_FILE',
    `The private key file ${path} has mode ${octal}: others than its owner and group may use it.`,
    'Give it mode 0440 or 0400 (Secret volume: defaultMode 0440), and replace the key: it may be known.',
  );
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

function parsed<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw wrong(path, `holds no ${what} (${messageOf(cause)})`);
  }
}

const wrong = (path: string, problem: string): ActionableError =>
  new ActionableError(
    'ERR_SETTINGS_FILE',
    `The file ${path} ${problem}.`,
    'The operator renews the Secret of the pool; see its events.',
  );

/*
 * A certificate chain and its key as a listener serves them: they belong together, the chain is one, it holds now, and it
 * names who it has to.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { fileRefusal, parsedFile, uriNames } from '../../runtime/leaf-files.js';

/** A chain with its key, checked. */
export interface ServedLeaf {
  /** PEM, leaf first. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  readonly notAfterMs: number;
  /** SHA-256 of the leaf, to tell one from another. */
  readonly fingerprint: string;
  /** Names of `names` that the leaf does not hold. */
  readonly missing: readonly string[];
}

/** PEM texts, where they came from, and whom the leaf has to name. */
export interface LeafText {
  readonly certificate: string;
  readonly key: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** DNS names and addresses of which the leaf must hold at least one; empty: any. */
  readonly names: readonly string[];
  /** The one URI that it must hold. */
  readonly uri?: string;
}

/** Longer chains do not exist. */
const MAX_CHAIN = 8;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a PEM text, in their order. @throws what node:crypto throws of one that is none */
export const certificatesIn = (pem: string): readonly X509Certificate[] =>
  (pem.match(PEM) ?? []).map((each) => new X509Certificate(each));

/**
 * Checks chain and key at `nowMs` (Unix).
 * @throws ActionableError ERR_SETTINGS_FILE naming the file; never with key material
 */
export function readServedLeaf(text: LeafText, nowMs: number): ServedLeaf {
  const { certificate, key, certificateFile, keyFile, names } = text;
  const chain = parsed(certificateFile, 'PEM certificate', () => certificatesIn(certificate));
  const privateKey = parsed(keyFile, 'PEM private key', () => createPrivateKey(key));
  const [leaf] = chain;
  if (!leaf) throw wrong(certificateFile, 'holds no PEM certificate');
  if (!leaf.checkPrivateKey(privateKey))
    throw wrong(keyFile, `is not the key of the certificate in ${certificateFile}`);
  refuseBrokenChain(chain, certificateFile);
  refuseWrongTime(leaf, certificateFile, nowMs);
  const missing = names.filter((name) => !isNamed(leaf, name));
  if (names.length > 0 && missing.length === names.length)
    throw wrong(certificateFile, `names none of ${names.join(', ')}`);
  if (text.uri !== undefined && !hasUri(leaf, text.uri))
    throw wrong(certificateFile, `does not name this gateway: its URI must be ${text.uri}`);
  const notAfterMs = Date.parse(leaf.validTo);
  return { certificate, key, notAfterMs, fingerprint: leaf.fingerprint256, missing };
}

function refuseBrokenChain(chain: readonly X509Certificate[], path: string): void {
  if (chain.length > MAX_CHAIN) throw wrong(path, `holds more than ${MAX_CHAIN} certificates`);
  for (const [at, issuer] of chain.slice(1).entries()) {
    const issued = chain[at];
    if (issued?.checkIssued(issuer) !== true || !issued.verify(issuer.publicKey))
      throw wrong(path, `is no chain: certificate ${at + 2} did not issue certificate ${at + 1}`);
  }
}

function refuseWrongTime(leaf: X509Certificate, path: string, nowMs: number): void {
  if (nowMs >= Date.parse(leaf.validTo)) throw wrong(path, `ended at ${leaf.validTo}`);
  if (nowMs < Date.parse(leaf.validFrom)) throw wrong(path, `begins at ${leaf.validFrom}`);
}

const isNamed = (leaf: X509Certificate, name: string): boolean =>
  (/^[0-9.]+$|:/.test(name) ? leaf.checkIP(name) : leaf.checkHost(name)) !== undefined;

function hasUri(leaf: X509Certificate, uri: string): boolean {
  const names = uriNames(leaf.subjectAltName ?? '');
  return names?.length === 1 && names[0] === uri;
}

const wrong = fileRefusal(
  'Correct the Secret of the gateway; see the events of the SignalingGateway.',
);

const parsed = <T>(path: string, what: string, parse: () => T): T =>
  parsedFile({ path, refuse: wrong }, what, parse);

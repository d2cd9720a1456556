/*
 * Certificates: names and extensions are written by @peculiar/x509, keys and signatures are made by node:crypto, whose
 * synchronous calls are several times faster than WebCrypto's and keep private keys out of JavaScript's memory.
 */
import 'reflect-metadata';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
} from '@peculiar/x509';
import type { Extension } from '@peculiar/x509';

import { certificate, subjectAltName, subjectKeyIdentifier, tbsCertificate } from './der.js';
import type { AltName } from './der.js';
import { addressBytes } from './ip-address.js';
import type { LeafRequest } from './orders.js';

/** A P-256 key with the forms of its public half that certificates and pins need. */
export interface CertificateKey {
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
}

/** Who signs. */
export interface Issuer {
  readonly key: CertificateKey;
  /** Common name of its certificate (`caName`). */
  readonly commonName: string;
}

export interface Validity {
  readonly notBefore: string;
  readonly notAfter: string;
}

/** A signed certificate. */
export interface IssuedCertificate {
  readonly der: Buffer;
  /** Hexadecimal, lower case. */
  readonly serial: string;
}

/** RFC 5280, 4.1.2.2 allows 20 bytes; 16 random ones never meet again. */
const SERIAL_BYTES = 16;

/** An uncompressed point (SEC 1, 2.3.3): it ends the SubjectPublicKeyInfo. */
const P256_POINT_BYTES = 65;

const USAGES = {
  serverAuth: ExtendedKeyUsage.serverAuth,
  clientAuth: ExtendedKeyUsage.clientAuth,
} as const;

const LEAF_EXTENSIONS = encoded([
  new BasicConstraintsExtension(false, undefined, true),
  new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
]);
const CA_EXTENSIONS = encoded([
  // A path length of zero: it signs leaves, never another authority.
  new BasicConstraintsExtension(true, 0, true),
  new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
]);
/** An empty SEQUENCE: no distinguished name. */
const NO_NAME = Buffer.from('3000', 'hex');

/** Common name of a CA: unlike any other CA's, so that chains are never built through the wrong one. */
export function caName(keyId: string): string {
  return `Sallyport CA ${keyId}`;
}

/** A new P-256 key. */
export function generateCertificateKey(): CertificateKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, spki: publicKey.export({ type: 'spki', format: 'der' }) };
}

/** A self-signed certificate of an authority. */
export function issueCa(issuer: Issuer, validity: Validity): IssuedCertificate {
  const { spki } = issuer.key;
  return issue(issuer, validity, {
    subject: issuerParts(issuer).name,
    spki,
    extensions: [...CA_EXTENSIONS, subjectKeyIdentifier(keyIdentifier(spki))],
  });
}

/**
 * A leaf certificate for `key`. Its subject is empty: names stand in the subject alternative name alone, which is
 * critical then (RFC 5280, 4.1.2.6).
 */
export function issueLeaf(
  issuer: Issuer,
  validity: Validity,
  request: LeafRequest,
  { spki }: CertificateKey,
): IssuedCertificate {
  return issue(issuer, validity, {
    subject: NO_NAME,
    spki,
    extensions: [
      ...LEAF_EXTENSIONS,
      extendedKeyUsage(request.usages),
      subjectAltName(altNames(request)),
      subjectKeyIdentifier(keyIdentifier(spki)),
      issuerParts(issuer).authorityKeyId,
    ],
  });
}

interface Content {
  readonly subject: Uint8Array;
  readonly spki: Buffer;
  readonly extensions: readonly Uint8Array[];
}

function issue(
  issuer: Issuer,
  { notBefore, notAfter }: Validity,
  content: Content,
): IssuedCertificate {
  const serial = serialNumber();
  const tbs = tbsCertificate({
    ...content,
    serial,
    issuer: issuerParts(issuer).name,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
  });
  const signature = sign('sha256', tbs, issuer.key.privateKey);
  return { der: certificate(tbs, signature), serial: serial.toString('hex') };
}

interface IssuerParts {
  readonly name: Uint8Array;
  readonly authorityKeyId: Uint8Array;
}

/** What every leaf of one issuer repeats. */
const issuers = new WeakMap<CertificateKey, IssuerParts>();

function issuerParts({ key, commonName }: Issuer): IssuerParts {
  const known = issuers.get(key);
  if (known) return known;
  const extension = new AuthorityKeyIdentifierExtension(keyIdentifier(key.spki).toString('hex'));
  const parts: IssuerParts = {
    name: new Uint8Array(new Name([{ CN: [commonName] }]).toArrayBuffer()),
    authorityKeyId: new Uint8Array(extension.rawData),
  };
  issuers.set(key, parts);
  return parts;
}

function encoded(extensions: readonly Extension[]): readonly Uint8Array[] {
  return extensions.map(({ rawData }) => new Uint8Array(rawData));
}

/** Positive and without leading zeros, so that hexadecimal text and number say the same. */
function serialNumber(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function altNames({ dnsNames, ipAddresses = [], uri }: LeafRequest): readonly AltName[] {
  return [
    ...dnsNames.map((value) => ({ type: 'dns', value }) as const),
    ...ipAddresses.map((text) => ({ type: 'ip', value: addressBytes(text) }) as const),
    { type: 'uri', value: uri } as const,
  ];
}

/** By usages in order: there are three combinations. */
const keyUsages = new Map<string, Uint8Array>();

function extendedKeyUsage(usages: LeafRequest['usages']): Uint8Array {
  const id = usages.join();
  const known = keyUsages.get(id);
  if (known) return known;
  const { rawData } = new ExtendedKeyUsageExtension(usages.map((usage) => USAGES[usage]));
  const made = new Uint8Array(rawData);
  keyUsages.set(id, made);
  return made;
}

/** RFC 7093, section 2, method 1: the leftmost 160 bits of SHA-256 of the public key's bits. */
function keyIdentifier(spki: Buffer): Buffer {
  const point = spki.subarray(-P256_POINT_BYTES);
  return createHash('sha256').update(point).digest().subarray(0, 20);
}

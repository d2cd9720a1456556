/*
 * Certificates: their structure is written by @peculiar/x509, keys and signatures are made by node:crypto, whose
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
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Extension, JsonGeneralName } from '@peculiar/x509';

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

/** ECDSA on P-256 with SHA-256 (RFC 5758, section 3.2): what every TLS 1.3 stack verifies. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** RFC 5280, 4.1.2.2 allows 20 bytes; 16 random ones never meet again. */
const SERIAL_BYTES = 16;

/** An uncompressed point (SEC 1, 2.3.3): it ends the SubjectPublicKeyInfo. */
const P256_POINT_BYTES = 65;

const USAGES = {
  serverAuth: ExtendedKeyUsage.serverAuth,
  clientAuth: ExtendedKeyUsage.clientAuth,
} as const;

const LEAF_EXTENSIONS: readonly Extension[] = [
  new BasicConstraintsExtension(false, undefined, true),
  new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
];
const CA_EXTENSIONS: readonly Extension[] = [
  // A path length of zero: it signs leaves, never another authority.
  new BasicConstraintsExtension(true, 0, true),
  new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
];

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
export function issueCa(issuer: Issuer, validity: Validity): Promise<IssuedCertificate> {
  return issue(issuer, validity, {
    subject: nameOf(issuer.commonName),
    publicKey: new PublicKey(issuer.key.spki),
    extensions: [...CA_EXTENSIONS, subjectKeyId(issuer.key.spki)],
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
  key: CertificateKey,
): Promise<IssuedCertificate> {
  return issue(issuer, validity, {
    publicKey: new PublicKey(key.spki),
    extensions: [
      ...LEAF_EXTENSIONS,
      new ExtendedKeyUsageExtension(request.usages.map((usage) => USAGES[usage])),
      new SubjectAlternativeNameExtension(generalNames(request), true),
      subjectKeyId(key.spki),
      authorityKeyId(issuer.key.spki),
    ],
  });
}

interface Content {
  readonly subject?: Name;
  readonly publicKey: PublicKey;
  readonly extensions: Extension[];
}

async function issue(
  { key, commonName }: Issuer,
  { notBefore, notAfter }: Validity,
  content: Content,
): Promise<IssuedCertificate> {
  const serial = serialNumber();
  const certificate = await X509CertificateGenerator.create(
    {
      ...content,
      serialNumber: serial,
      issuer: nameOf(commonName),
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      signingAlgorithm: ALGORITHM,
      signingKey: { algorithm: ALGORITHM } as never,
    },
    signer(key.privateKey),
  );
  return { der: Buffer.from(certificate.rawData), serial };
}

/** The one call that the library makes on its crypto provider, on a key that WebCrypto never sees. */
function signer(key: KeyObject) {
  const dsaEncoding = 'ieee-p1363';
  return {
    subtle: {
      sign: (_algorithm: unknown, _key: unknown, message: ArrayBuffer): Promise<ArrayBuffer> =>
        Promise.resolve(toArrayBuffer(sign('sha256', Buffer.from(message), { key, dsaEncoding }))),
    },
  };
}

/** Positive and without leading zeros, so that hexadecimal text and number say the same. */
function serialNumber(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function nameOf(commonName: string): Name {
  return new Name([{ CN: [commonName] }]);
}

function generalNames({ dnsNames, ipAddresses = [], uri }: LeafRequest): JsonGeneralName[] {
  return [
    ...dnsNames.map((value) => ({ type: 'dns', value }) as const),
    ...ipAddresses.map((value) => ({ type: 'ip', value }) as const),
    { type: 'url', value: uri } as const,
  ];
}

function subjectKeyId(spki: Buffer): Extension {
  return new SubjectKeyIdentifierExtension(keyIdentifier(spki));
}

function authorityKeyId(spki: Buffer): Extension {
  return new AuthorityKeyIdentifierExtension(keyIdentifier(spki));
}

/** RFC 7093, section 2, method 1: the leftmost 160 bits of SHA-256 of the public key's bits. */
function keyIdentifier(spki: Buffer): string {
  const point = spki.subarray(-P256_POINT_BYTES);
  return createHash('sha256').update(point).digest('hex').slice(0, 40);
}

function toArrayBuffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/*
 * The frame of an X.509 certificate in DER (ITU-T X.690; RFC 5280, 4.1). What repeats from
 * one certificate to the next, names and extensions of an issuer, comes from @peculiar/x509; writing the rest here takes
 * a tenth of the time of that library's generator, and a thousand gateways need two thousand leaves.
 */

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const SEQUENCE = 0x30;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
/** Constructed, context-specific: `[0]` holds the version, `[3]` the extensions. */
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;

/** `v3` is written as 2 (RFC 5280, 4.1.2.1). */
const VERSION_3 = Buffer.of(2);
/** AlgorithmIdentifier ecdsa-with-SHA256, 1.2.840.10045.4.3.2, without parameters (RFC 5758, 3.2). */
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
/** GeneralName: dNSName [2], uniformResourceIdentifier [6], iPAddress [7] (RFC 5280, 4.2.1.6). */
const NAME_TAGS = { dns: 0x82, uri: 0x86, ip: 0x87 } as const;
/** 2.5.29.17 and 2.5.29.14. */
const SUBJECT_ALT_NAME = Buffer.of(0x55, 0x1d, 17);
const SUBJECT_KEY_IDENTIFIER = Buffer.of(0x55, 0x1d, 14);
/** TRUE is written as ff in DER (X.690, 11.1). */
const TRUE = Buffer.of(0xff);

/** From this year on dates are GeneralizedTime (RFC 5280, 4.1.2.5). */
const GENERALIZED_FROM = 2050;

/** The parts of a certificate; all but serial and dates are DER already. */
export interface CertificateParts {
  /** Positive: its first bit is zero and its first byte is not. */
  readonly serial: Buffer;
  readonly issuer: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly subject: Uint8Array;
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

/** TBSCertificate: what the issuer signs. */
export function tbsCertificate(parts: CertificateParts): Buffer {
  return sequence(
    element(VERSION_TAG, element(INTEGER, VERSION_3)),
    element(INTEGER, parts.serial),
    ECDSA_WITH_SHA256,
    parts.issuer,
    sequence(time(parts.notBefore), time(parts.notAfter)),
    parts.subject,
    parts.spki,
    element(EXTENSIONS_TAG, sequence(...parts.extensions)),
  );
}

/** Certificate: what was signed, and an ECDSA signature in DER. */
export function certificate(tbs: Uint8Array, signature: Uint8Array): Buffer {
  // The first byte of a BIT STRING counts unused bits.
  return sequence(tbs, ECDSA_WITH_SHA256, element(BIT_STRING, Buffer.of(0), signature));
}

/** A name in a subject alternative name. */
export interface AltName {
  readonly type: keyof typeof NAME_TAGS;
  /** Text of a DNS name or URI, 4 or 16 bytes of an address. */
  readonly value: string | Uint8Array;
}

/** Extension subjectAltName, critical: the subject of our leaves is empty. @throws TypeError for a name outside of ASCII */
export function subjectAltName(names: readonly AltName[]): Buffer {
  const written = names.map(({ type, value }) => element(NAME_TAGS[type], nameBytes(value)));
  return extension(SUBJECT_ALT_NAME, sequence(...written), element(BOOLEAN, TRUE));
}

/** Extension subjectKeyIdentifier. */
export function subjectKeyIdentifier(id: Uint8Array): Buffer {
  return extension(SUBJECT_KEY_IDENTIFIER, element(OCTET_STRING, id));
}

function extension(
  id: Uint8Array,
  value: Uint8Array,
  critical: Uint8Array = Buffer.alloc(0),
): Buffer {
  return sequence(element(OBJECT_IDENTIFIER, id), critical, element(OCTET_STRING, value));
}

/** IA5String: a name with any other character would be another name to another reader. */
function nameBytes(value: string | Uint8Array): Uint8Array {
  if (typeof value !== 'string') return value;
  if (!/^[\x21-\x7e]+$/.test(value))
    throw new TypeError('A name in a certificate is printable ASCII.');
  return Buffer.from(value, 'ascii');
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(SEQUENCE, ...parts);
}

function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.of(tag, ...lengthOctets(length)), ...parts]);
}

/** X.690, 8.1.3: one octet up to 127, else the number of octets and the length. */
function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  if (length < 0x10000) return [0x82, length >> 8, length & 0xff];
  throw new RangeError('No certificate of ours has 64 KiB.');
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '');
  return date.getUTCFullYear() < GENERALIZED_FROM
    ? element(UTC_TIME, Buffer.from(digits.slice(2)))
    : element(GENERALIZED_TIME, Buffer.from(digits));
}

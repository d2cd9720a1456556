/*
 * What an authority on the way from a leaf to the pin limits (RFC 5280, sections 4.2.1.9, 4.2.1.10 and 6.1): how many
 * authorities may be below it, and which names may be. node:crypto has parsed the certificates with OpenSSL and shows
 * neither, so the few fields are read from its DER here; what cannot be read is a limit that does not hold.
 *
 *   Certificate        30 { 30 tbs { [a0 version], serial, algorithm, issuer, validity, subject, key, ..., a3 { 30
 *                      extensions } } ... }
 *   Extension          30 { 06 oid, [01 critical], 04 { value } }
 *   BasicConstraints   30 { [01 ca], [02 path length] }
 *   NameConstraints    30 { [a0 permitted], [a1 excluded] }, each of 30 { GeneralName }, without minimum and maximum
 *   GeneralName        82 DNS name, 87 address (in constraints: and mask), a4 directory name, others as they come
 */
import type { X509Certificate } from 'node:crypto';
import { equalBytes, toHex } from '../../protocol/bytes.js';

/** What an authority does not allow. */
export type LimitRefusal = 'authority-path-length' | 'authority-name-constraints';

/** A piece of DER; `bytes` are what is in it. */
interface Piece {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

const TAG = {
  ...{ boolean: 0x01, integer: 0x02, octets: 0x04, oid: 0x06, sequence: 0x30 },
  ...{ context0: 0xa0, context1: 0xa1, extensions: 0xa3 },
  ...{ dns: 0x82, address: 0x87, directory: 0xa4 },
} as const;
const BASIC_CONSTRAINTS = '551d13';
const SUBJECT_ALT_NAME = '551d11';
const NAME_CONSTRAINTS = '551d1e';

/** Why an authority of `path`, from the leaf's issuer upwards, does not allow what is below it; undefined if all do. */
export function judgeLimits(
  leaf: X509Certificate,
  path: readonly X509Certificate[],
): LimitRefusal | undefined {
  for (const [at, authority] of path.entries()) {
    const below = path.slice(0, at);
    const limits = limitsOf(authority.raw);
    if (limits === undefined) return 'authority-name-constraints';
    const counted = below.filter(({ subject, issuer }) => subject !== issuer).length;
    if (counted > limits.pathLength) return 'authority-path-length';
    if (![leaf, ...below].every(({ raw }) => allowsNames(limits, raw)))
      return 'authority-name-constraints';
  }
  return undefined;
}

interface Limits {
  readonly pathLength: number;
  readonly permitted: readonly Piece[];
  readonly excluded: readonly Piece[];
}

function limitsOf(certificate: Uint8Array): Limits | undefined {
  const extensions = extensionsOf(certificate);
  const basic = only(extensions?.get(BASIC_CONSTRAINTS) ?? NOTHING, TAG.sequence);
  const pathLength = basic && pathLengthOf(basic);
  if (extensions === undefined || pathLength === undefined) return undefined;
  const constraints = extensions.get(NAME_CONSTRAINTS);
  if (constraints === undefined) return { pathLength, permitted: [], excluded: [] };
  const fields = only(constraints, TAG.sequence);
  const permitted = basesOf(fields, TAG.context0);
  const excluded = basesOf(fields, TAG.context1);
  return permitted && excluded && { pathLength, permitted, excluded };
}

function pathLengthOf(basic: readonly Piece[]): number | undefined {
  const length = basic.find(({ tag }) => tag === TAG.integer)?.bytes;
  if (length === undefined) return Infinity;
  // More than 127 authorities are as good as no limit; a negative number is none.
  if (length.length !== 1) return length.length > 1 ? Infinity : undefined;
  const [value = 0] = length;
  return value < 0x80 ? value : undefined;
}

/** The bases of the subtrees under `tag`; undefined if there is anything but a base in one. */
function basesOf(fields: readonly Piece[] | undefined, tag: number): readonly Piece[] | undefined {
  if (fields === undefined) return undefined;
  const under = fields.find((field) => field.tag === tag);
  if (under === undefined) return [];
  const bases = pieces(under.bytes)?.map((subtree) => pieces(subtree.bytes));
  const whole = bases?.flatMap((base) => (base?.length === 1 ? base : []));
  return whole?.length === bases?.length ? whole : undefined;
}

function allowsNames({ permitted, excluded }: Limits, certificate: Uint8Array): boolean {
  if (permitted.length + excluded.length === 0) return true;
  const names = namesOf(certificate);
  return (
    names?.every((name) => {
      const same = permitted.filter(({ tag }) => tag === name.tag);
      const isExcluded = excluded.some((base) => base.tag === name.tag && !isOutside(name, base));
      return !isExcluded && (same.length === 0 || same.some((base) => isInside(name, base)));
    }) === true
  );
}

/** All names of a certificate: those of its extension, and its subject. */
function namesOf(certificate: Uint8Array): readonly Piece[] | undefined {
  const tbs = tbsOf(certificate);
  const extensions = extensionsOf(certificate);
  const subject = tbs?.[tbs[0]?.tag === TAG.context0 ? 5 : 4];
  if (subject === undefined || extensions === undefined) return undefined;
  const alternatives = extensions.get(SUBJECT_ALT_NAME);
  const names = alternatives === undefined ? [] : only(alternatives, TAG.sequence);
  const directory = { tag: TAG.directory, bytes: subject.bytes };
  return names && (subject.bytes.length === 0 ? names : [...names, directory]);
}

/** Whether a name is in a subtree. A form that is not known here is in none. */
function isInside(name: Piece, base: Piece): boolean {
  if (name.tag === TAG.dns) return isDnsInside(textOf(name.bytes), textOf(base.bytes));
  if (name.tag === TAG.address) return isAddressInside(name.bytes, base.bytes);
  return name.tag === TAG.directory && isDirectoryInside(name.bytes, base.bytes);
}

/** Whether a name certainly is not in a subtree. Directory names that differ may still mean the same. */
function isOutside(name: Piece, base: Piece): boolean {
  if (name.tag === TAG.dns) {
    const [text, suffix] = [textOf(name.bytes), textOf(base.bytes)];
    // A wildcard may stand for what is excluded below it.
    const widest = text.startsWith('*.') ? text.slice(2) : text;
    const covers = widest !== text && isDnsInside(suffix.replace(/^\./, ''), widest);
    return !covers && !isDnsInside(text, suffix);
  }
  return name.tag === TAG.address && !isAddressInside(name.bytes, base.bytes);
}

function isDnsInside(name: string, base: string): boolean {
  if (base.startsWith('.')) return name.endsWith(base);
  return base === '' || name === base || name.endsWith(`.${base}`);
}

function isAddressInside(address: Uint8Array, base: Uint8Array): boolean {
  const { length } = address;
  if (base.length !== 2 * length) return false;
  return address.every((byte, i) => ((byte ^ (base[i] ?? 0)) & (base[length + i] ?? 0)) === 0);
}

/** The base is written `30 { RDN ... }`, the subject likewise without its outer tag. */
function isDirectoryInside(subject: Uint8Array, base: Uint8Array): boolean {
  const start = only(base, TAG.sequence);
  const own = pieces(subject);
  if (start === undefined || own === undefined || start.length > own.length) return false;
  return start.every(({ bytes }, i) => equalBytes(bytes, own[i]?.bytes ?? NOTHING));
}

function tbsOf(certificate: Uint8Array): readonly Piece[] | undefined {
  const [tbs] = only(certificate, TAG.sequence) ?? [];
  return tbs && pieces(tbs.bytes);
}

/** The values of the extensions by their identifiers in hex; none twice. */
function extensionsOf(certificate: Uint8Array): ReadonlyMap<string, Uint8Array> | undefined {
  const tbs = tbsOf(certificate);
  const under = tbs?.find(({ tag }) => tag === TAG.extensions);
  const list = under === undefined ? [] : only(under.bytes, TAG.sequence);
  if (tbs === undefined || list === undefined) return undefined;
  const found = new Map<string, Uint8Array>();
  for (const { bytes } of list) {
    const extension = extensionOf(bytes);
    if (extension === undefined || found.has(extension.oid)) return undefined;
    found.set(extension.oid, extension.value);
  }
  return found;
}

function extensionOf(bytes: Uint8Array) {
  const fields = pieces(bytes);
  const [oid, value] = [fields?.[0], fields?.at(-1)];
  if (oid?.tag !== TAG.oid || value?.tag !== TAG.octets) return undefined;
  return { oid: toHex(oid.bytes), value: value.bytes };
}

const NOTHING = new Uint8Array();

/** What is in the one piece with this tag that `der` has to be. */
function only(der: Uint8Array, tag: number): readonly Piece[] | undefined {
  const [one, ...more] = pieces(der) ?? [];
  return one?.tag === tag && more.length === 0 ? pieces(one.bytes) : undefined;
}

/** The pieces one after the other; undefined if one is not whole. Tags of one byte, lengths of up to three. */
function pieces(der: Uint8Array): readonly Piece[] | undefined {
  const found: Piece[] = [];
  for (let at = 0; at < der.length;) {
    const { start, length } = sizeAt(der, at);
    if (start + length > der.length) return undefined;
    found.push({ tag: der[at] ?? 0, bytes: der.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

/** Where the content of the piece at `at` begins and how long it is; Infinity if that is not said. */
function sizeAt(der: Uint8Array, at: number) {
  const first = der[at + 1] ?? 0x80;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = at + 2 + lengthBytes;
  if (start > der.length || lengthBytes > 3 || first === 0x80) return { start, length: Infinity };
  let length = first < 0x80 ? first : 0;
  for (const byte of der.subarray(at + 2, start)) length = length * 256 + byte;
  return { start, length };
}

const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes).toLowerCase();

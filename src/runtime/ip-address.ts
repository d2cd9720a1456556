/*
 * IP addresses and ranges as bytes, read strictly: no zone, no port, no octal, no shorthand of IPv4. There is one form
 * for one address: IPv4 is ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2).
 */

/**
 * An address range: the first `bits` bits of 16 bytes. A range of IPv6 holds no IPv4 address, also where the bits would
 * say so (::/0, ::/8): whoever writes it does not mean that.
 */
export interface IpRange {
  readonly bytes: Uint8Array;
  readonly bits: number;
  readonly family: 'IPv4' | 'IPv6';
}

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;
const MAPPED_BITS = 96;
/** Longest text of an IPv6 address with an IPv4 tail. */
const MAX_TEXT = 45;

/** The 16 bytes of an IP address written as text; undefined if it is none. */
export function parseIpAddress(text: string): Uint8Array | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const four = parseIpv4(text);
  if (four) return Uint8Array.of(...MAPPED_PREFIX, ...four);
  const groups = parseIpv6(text);
  return groups && Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff]));
}

/** A range written as `ADDRESS/BITS` or as a single address; undefined if it is none. */
export function parseIpRange(text: string): IpRange | undefined {
  const [address = '', bits, ...more] = text.split('/');
  const bytes = parseIpAddress(address);
  if (!bytes || more.length > 0) return undefined;
  if (bits === undefined) return singleAddress(bytes);
  if (!/^(0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  const isDotted = !address.includes(':');
  const all = Number(bits) + (isDotted ? MAPPED_BITS : 0);
  const family = isDotted || isMappedRange(bytes, all) ? 'IPv4' : 'IPv6';
  return all <= 128 ? { bytes, bits: all, family } : undefined;
}

/** ::ffff:192.0.2.0/120 is a range of IPv4; ::ffff:0:0/96 are the mapped forms, which no address here has. */
const isMappedRange = (bytes: Uint8Array, bits: number): boolean =>
  bits > MAPPED_BITS && isMapped(bytes);

/** The range that holds this address alone. */
export const singleAddress = (bytes: Uint8Array): IpRange => ({
  bytes,
  bits: 128,
  family: isMapped(bytes) ? 'IPv4' : 'IPv6',
});

/** Whether the 16 bytes lie in `range`. */
export function isInRange(bytes: Uint8Array, range: IpRange): boolean {
  const { bytes: network, bits, family } = range;
  if (family === 'IPv6' && isMapped(bytes)) return false;
  const whole = bits >>> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== network[i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((bytes[whole] ?? 0) ^ (network[whole] ?? 0)) >>> (8 - rest) === 0;
}

/** The address as text: IPv4 dotted, IPv6 in eight groups. */
export function ipText(bytes: Uint8Array): string {
  if (isMapped(bytes)) return bytes.subarray(12).join('.');
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2)
    groups.push(((bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0)).toString(16));
  return groups.join(':');
}

/**
 * Which source an address counts for in limits: an IPv4 address itself, of IPv6 its /64, which is what one subscriber
 * gets at least (RFC 6177).
 */
export const sourceOf = (bytes: Uint8Array): string =>
  isMapped(bytes) ? ipText(bytes) : ipText(bytes).split(':').slice(0, 4).join(':');

const isMapped = (bytes: Uint8Array): boolean =>
  MAPPED_PREFIX.every((byte, at) => bytes[at] === byte);

function parseIpv4(text: string): readonly number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const numbers = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return numbers.every((number) => number <= 255) ? numbers : undefined;
}

function parseIpv6(text: string): readonly number[] | undefined {
  const [before = '', after, ...more] = text.split('::');
  // An IPv4 tail may stand at the very end only, not before `::`.
  if (more.length > 0 || (after !== undefined && before.includes('.'))) return undefined;
  const head = parseGroups(before);
  const tail = after === undefined ? [] : parseGroups(after);
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (after === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** Groups on one side of `::`; an IPv4 tail gives two. */
function parseGroups(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups = parts.flatMap((part, at) => {
    const four = at === parts.length - 1 ? parseIpv4(part) : undefined;
    if (four) return [(four[0] ?? 0) * 256 + (four[1] ?? 0), (four[2] ?? 0) * 256 + (four[3] ?? 0)];
    return [/^[0-9a-fA-F]{1,4}$/.test(part) ? parseInt(part, 16) : Number.NaN];
  });
  return groups.some(Number.isNaN) ? undefined : groups;
}

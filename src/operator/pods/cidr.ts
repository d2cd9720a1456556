/* Address ranges as NetworkPolicies want them, read strictly and without node:net: this folder is pure. */

import { byCodeUnit } from '../../runtime/order.js';

/** An address range: a value of 32 or 128 bits and how many leading bits of it count. */
interface Range {
  readonly bits: 32 | 128;
  readonly value: bigint;
  readonly prefix: number;
}

/** ::ffff:0:0/96 (RFC 4291, section 2.5.5.2): IPv4 in other clothes, which the API server refuses in a policy. */
const IPV4_MAPPED: Range = { bits: 128, value: 0xffff_0000_0000n, prefix: 96 };

/**
 * `ranges` of one family as `except` of the block that holds that whole family. What another range covers is left
 * out, and what is no range: a NetworkPolicy would be refused as a whole.
 */
export function exceptOf(family: 'IPv4' | 'IPv6', ranges: readonly string[]): readonly string[] {
  const bits = family === 'IPv4' ? 32 : 128;
  const parsed = ranges.flatMap((text) => {
    const range = parseCidr(text);
    return range?.bits === bits && !covers(IPV4_MAPPED, range) ? [{ text, range }] : [];
  });
  // The widest first, so that each range has to be compared with those already taken only.
  const widestFirst = [...parsed].sort((a, b) => a.range.prefix - b.range.prefix);
  const taken = widestFirst.reduce<readonly (typeof parsed)[number][]>(
    (kept, next) => (kept.some(({ range }) => covers(range, next.range)) ? kept : [...kept, next]),
    [],
  );
  return taken.map(({ text }) => text).sort(byCodeUnit);
}

/** Whether `text` is an IPv4 or IPv6 range whose bits after the prefix are zero, as a NetworkPolicy requires. */
export function isCidr(text: string): boolean {
  return parseCidr(text) !== undefined;
}

/** The widest network that a pod may be given leave to reach: a whole /8 of IPv4, what a registry assigns of IPv6. */
const WIDEST_PREFIX = { 32: 8, 128: 32 } as const;

/** Whether a range is so wide that egress to it would undo a default deny. What is no range is not. */
export function isTooWide(text: string): boolean {
  const range = parseCidr(text);
  return range !== undefined && range.prefix < WIDEST_PREFIX[range.bits];
}

/** Whether `text` is an IPv4 or IPv6 address: no prefix, no port, no zone. */
export function isAddress(text: string): boolean {
  return (text.includes(':') ? parseIPv6(text) : parseIPv4(text)) !== undefined;
}

function covers(outer: Range, inner: Range): boolean {
  if (outer.bits !== inner.bits || outer.prefix > inner.prefix) return false;
  const shift = BigInt(outer.bits - outer.prefix);
  return outer.value >> shift === inner.value >> shift;
}

function parseCidr(text: string): Range | undefined {
  const [address = '', prefixText = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(prefixText)) return undefined;
  const bits = address.includes(':') ? 128 : 32;
  const value = bits === 32 ? parseIPv4(address) : parseIPv6(address);
  const prefix = Number(prefixText);
  if (value === undefined || prefix > bits) return undefined;
  const hostBits = BigInt(bits - prefix);
  return (value >> hostBits) << hostBits === value ? { bits, value, prefix } : undefined;
}

function parseIPv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  // A leading zero is refused: some parsers read such a part as octal.
  if (!parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIPv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const groups = [...(head ?? []), ...(tail ?? [])];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const missing = 8 - groups.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const filled = [...(head ?? []), ...Array<string>(missing).fill('0'), ...(tail ?? [])];
  return filled.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

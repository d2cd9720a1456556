/*
 * The part of JSON (RFC 8259) that claims need, read strictly: one object of strings, whole numbers and booleans, no
 * blanks, no escapes, no nesting, no name twice. JSON.parse would take the last of two equal names, give a meaning to
 * `__proto__`, and round numbers above 2^53.
 *   object = "{" [ member *( "," member ) ] "}"        member = string ":" value
 *   value  = string / number / "true" / "false"
 *   string = DQUOTE *( printable ASCII except DQUOTE and backslash ) DQUOTE
 *   number = "0" / digit without leading zero, at most 2^53 - 1; no sign, fraction or exponent
 */
import { readU8 } from '../bytes.js';

/** A value that a claim can have. */
export type ClaimValue = string | number | boolean;

/** Why bytes are not such an object. Closed: each is a metric label. */
export const JSON_REFUSALS = ['not-json', 'json-nested', 'json-duplicate', 'json-number'] as const;

/** One of JSON_REFUSALS. */
export type JsonRefusal = (typeof JSON_REFUSALS)[number];

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;
/** Digits of 2^53 - 1; more cannot be a whole number that a number holds exactly. */
const MAX_DIGITS = 16;

/** A value and where the next byte stands. */
interface Read<Value> {
  readonly value: Value;
  readonly next: number;
}

function readString(bytes: Uint8Array, at: number): Read<string> | undefined {
  if (bytes[at] !== QUOTE) return undefined;
  let text = '';
  for (let i = at + 1; i < bytes.length; i++) {
    const code = readU8(bytes, i);
    if (code === QUOTE) return { value: text, next: i + 1 };
    if (code < 0x20 || code > 0x7e || code === BACKSLASH) return undefined;
    text += String.fromCharCode(code);
  }
  return undefined;
}

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

function readNumber(bytes: Uint8Array, at: number): Read<number> | JsonRefusal {
  let next = at;
  let value = 0;
  while (next < bytes.length && next - at <= MAX_DIGITS && isDigit(readU8(bytes, next))) {
    value = value * 10 + (readU8(bytes, next) - ZERO);
    next++;
  }
  const leadingZero = bytes[at] === ZERO && next - at > 1;
  return leadingZero || !Number.isSafeInteger(value) ? 'json-number' : { value, next };
}

function readWord(bytes: Uint8Array, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return false;
  return true;
}

function readValue(bytes: Uint8Array, at: number): Read<ClaimValue> | JsonRefusal {
  const code = readU8(bytes, at);
  if (code === QUOTE) return readString(bytes, at) ?? 'not-json';
  if (code === OPEN || code === OPEN_LIST) return 'json-nested';
  if (isDigit(code)) return readNumber(bytes, at);
  if (readWord(bytes, at, 'true')) return { value: true, next: at + 4 };
  return readWord(bytes, at, 'false') ? { value: false, next: at + 5 } : 'not-json';
}

/** Reads a member into `members`; gives where the next byte stands. */
function readMember(
  bytes: Uint8Array,
  at: number,
  members: Map<string, ClaimValue>,
): number | JsonRefusal {
  const name = readString(bytes, at);
  if (name === undefined || bytes[name.next] !== COLON) return 'not-json';
  if (members.has(name.value)) return 'json-duplicate';
  const value = readValue(bytes, name.next + 1);
  if (typeof value === 'string') return value;
  members.set(name.value, value.value);
  return value.next;
}

/** The members of the object that fills `bytes`. Never throws; a map, so that no name has a meaning of its own. */
export function parseFlatObject(bytes: Uint8Array): ReadonlyMap<string, ClaimValue> | JsonRefusal {
  const members = new Map<string, ClaimValue>();
  if (bytes[0] !== OPEN) return 'not-json';
  if (bytes[1] === CLOSE) return bytes.length === 2 ? members : 'not-json';
  let at = 0;
  do {
    const next = readMember(bytes, at + 1, members);
    if (typeof next === 'string') return next;
    at = next;
  } while (bytes[at] === COMMA);
  return bytes[at] === CLOSE && at === bytes.length - 1 ? members : 'not-json';
}

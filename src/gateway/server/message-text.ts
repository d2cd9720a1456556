/*
 * JSON of a stranger, read strictly (RFC 8259): what JSON.parse would silently resolve is refused, because another reader
 * may resolve it in another way. Names are there once and are no names of JavaScript's own; nesting is shallow; numbers
 * are whole and written in one way; texts hold no half of a surrogate pair. One pass, no recursion, nothing is copied
 * before the text is known to be good.
 */

/** Why a text is no message: a closed list and a metric label. */
export const TEXT_REFUSALS = [
  'not-json',
  'too-deep',
  'repeated-name',
  'forbidden-name',
  'number',
  'surrogate',
] as const;
/** One of TEXT_REFUSALS. */
export type TextRefusal = (typeof TEXT_REFUSALS)[number];

/** A value, or why there is none. */
export type ReadText = { readonly value: unknown } | { readonly refused: TextRefusal };

/** A message, its body, a part of it, a list in it, and two for what comes. */
const MAX_DEPTH = 8;
/** Names by which a prototype is reached. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
/** A whole number, written in the only way there is. */
const WHOLE = /^(0|-?[1-9][0-9]{0,15})$/;
const NUMBER_CHARACTERS = /[-+.0-9eE]+/y;

/** Reads `text`; never throws. Its length must be bounded by the caller. */
export function readMessageText(text: string): ReadText {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { refused: 'not-json' };
  }
  const refused = new Scan(text).refusal();
  return refused ? { refused } : { value };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const [BRACE, END_OF_BRACE] = [0x7b, 0x7d];
const [BRACKET, END_OF_BRACKET] = [0x5b, 0x5d];

/** Looks at what JSON.parse does not tell. The text is valid JSON: the grammar need not be checked again. */
class Scan {
  /** Names of each open object; undefined for a list. */
  readonly #open: (Set<string> | undefined)[] = [];
  /** Only then have strings without escapes to be looked at for surrogates, one by one. */
  readonly #isWellFormed: boolean;
  #at = 0;

  constructor(private readonly text: string) {
    this.#isWellFormed = text.isWellFormed();
  }

  refusal(): TextRefusal | undefined {
    while (this.#at < this.text.length) {
      const refused = this.#token(this.text.charCodeAt(this.#at));
      if (refused) return refused;
    }
    return undefined;
  }

  #token(first: number): TextRefusal | undefined {
    if (first === QUOTE) return this.#string();
    if (isNumberStart(first)) return this.#number();
    this.#at++;
    return this.#nest(first);
  }

  #nest(first: number): TextRefusal | undefined {
    if (first === END_OF_BRACE || first === END_OF_BRACKET) this.#open.pop();
    if (first !== BRACE && first !== BRACKET) return undefined;
    this.#open.push(first === BRACE ? new Set() : undefined);
    return this.#open.length > MAX_DEPTH ? 'too-deep' : undefined;
  }

  #number(): TextRefusal | undefined {
    NUMBER_CHARACTERS.lastIndex = this.#at;
    const number = NUMBER_CHARACTERS.exec(this.text)?.[0] ?? '-';
    this.#at += number.length;
    return WHOLE.test(number) ? undefined : 'number';
  }

  #string(): TextRefusal | undefined {
    const start = this.#at + 1;
    let end = this.text.indexOf('"', start);
    while (this.#isEscaped(end, start)) end = this.text.indexOf('"', end + 1);
    this.#at = end + 1;
    const written = this.text.slice(start, end);
    const hasEscapes = written.includes('\\');
    // It was parsed before as a part of the whole.
    const string = hasEscapes ? (JSON.parse(`"${written}"`) as string) : written;
    if ((hasEscapes || !this.#isWellFormed) && !string.isWellFormed()) return 'surrogate';
    return this.#isName() ? this.#name(string) : undefined;
  }

  /** Whether an odd number of backslashes stands before `at`, back to `start`. */
  #isEscaped(at: number, start: number): boolean {
    let before = at;
    while (before > start && this.text.charCodeAt(before - 1) === BACKSLASH) before--;
    return (at - before) % 2 === 1;
  }

  #isName(): boolean {
    let next = this.#at;
    while (isBlank(this.text.charCodeAt(next))) next++;
    return this.text.charCodeAt(next) === COLON;
  }

  #name(name: string): TextRefusal | undefined {
    const names = this.#open.at(-1);
    if (FORBIDDEN.has(name)) return 'forbidden-name';
    if (names?.has(name) === true) return 'repeated-name';
    names?.add(name);
    return undefined;
  }
}

/** A digit or a minus. */
const isNumberStart = (code: number): boolean => (code >= 0x30 && code <= 0x39) || code === 0x2d;

/** White space of JSON (RFC 8259, section 2). */
const isBlank = (code: number): boolean =>
  code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

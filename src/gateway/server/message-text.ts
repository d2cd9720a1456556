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

/** Looks at what JSON.parse does not tell. The text is valid JSON: the grammar need not be checked again. */
class Scan {
  /** Names of each open object; undefined for a list. */
  readonly #open: (Set<string> | undefined)[] = [];
  #at = 0;

  constructor(private readonly text: string) {}

  refusal(): TextRefusal | undefined {
    while (this.#at < this.text.length) {
      const refused = this.#token(this.text[this.#at] ?? '');
      if (refused) return refused;
    }
    return undefined;
  }

  #token(first: string): TextRefusal | undefined {
    if (first === '"') return this.#string();
    if (/[-0-9]/.test(first)) return this.#number();
    this.#at++;
    return this.#nest(first);
  }

  #nest(first: string): TextRefusal | undefined {
    if (first === '}' || first === ']') this.#open.pop();
    if (first !== '{' && first !== '[') return undefined;
    this.#open.push(first === '{' ? new Set() : undefined);
    return this.#open.length > MAX_DEPTH ? 'too-deep' : undefined;
  }

  #number(): TextRefusal | undefined {
    NUMBER_CHARACTERS.lastIndex = this.#at;
    const number = NUMBER_CHARACTERS.exec(this.text)?.[0] ?? '-';
    this.#at += number.length;
    return WHOLE.test(number) ? undefined : 'number';
  }

  #string(): TextRefusal | undefined {
    const start = this.#at;
    this.#at++;
    while (this.text[this.#at] !== '"') this.#at += this.text[this.#at] === '\\' ? 2 : 1;
    this.#at++;
    // It was parsed before as a part of the whole.
    const string = JSON.parse(this.text.slice(start, this.#at)) as string;
    if (!string.isWellFormed()) return 'surrogate';
    return this.#isName() ? this.#name(string) : undefined;
  }

  #isName(): boolean {
    let next = this.#at;
    while (/\s/.test(this.text[next] ?? '')) next++;
    return this.text[next] === ':';
  }

  #name(name: string): TextRefusal | undefined {
    const names = this.#open.at(-1);
    if (FORBIDDEN.has(name)) return 'forbidden-name';
    if (names?.has(name) === true) return 'repeated-name';
    names?.add(name);
    return undefined;
  }
}

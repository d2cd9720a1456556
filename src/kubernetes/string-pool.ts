/** Strings longer than this are rarely the same twice. */
const MAX_CHARACTERS = 128;

/** More different strings than this are not repetitions any more: the pool starts anew. */
const MAX_STRINGS = 20_000;

/** One copy for equal strings: a cache of thousands of objects repeats the same labels in each. */
export class StringPool {
  readonly #strings = new Map<string, string>();

  /** A string equal to `text`, the same for all callers. */
  readonly intern = (text: string): string => {
    if (text.length > MAX_CHARACTERS) return text;
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (this.#strings.size >= MAX_STRINGS) this.#strings.clear();
    this.#strings.set(text, text);
    return text;
  };

  get size(): number {
    return this.#strings.size;
  }
}

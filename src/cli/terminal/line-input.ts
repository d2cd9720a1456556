/*
 * A line that a person types at a terminal in raw mode, as bytes that can be erased: a passphrase must not be a string.
 */

/** What the keys so far amount to. */
export type LineState = 'more' | 'line' | 'interrupted' | 'ended';

const KEY = {
  interrupt: 0x03,
  end: 0x04,
  backspace: 0x08,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  eraseLine: 0x15,
  escape: 0x1b,
  delete: 0x7f,
} as const;

const ENDINGS: ReadonlyMap<number, LineState> = new Map([
  [KEY.lineFeed, 'line'],
  [KEY.carriageReturn, 'line'],
  [KEY.interrupt, 'interrupted'],
]);

/** Longest line: 24 words, or a passphrase of 1,024 characters of four bytes. */
const MAX_LINE_BYTES = 4_096;

/** One line. `bytes` belong to it until `erase`. */
export class LineInput {
  readonly #bytes = new Uint8Array(MAX_LINE_BYTES);
  #length = 0;
  #isEscape = false;
  /** What to show for the keys of the last `take`. */
  echo: readonly number[] = [];

  /** The line so far, as a view. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Takes keys until the line ends; gives what it amounts to and how many keys were taken. */
  take(keys: Uint8Array): { readonly state: LineState; readonly taken: number } {
    const echo: number[] = [];
    this.echo = echo;
    for (const [i, key] of keys.entries()) {
      const state = this.#key(key, echo);
      if (state !== 'more') return { state, taken: i + 1 };
    }
    return { state: 'more', taken: keys.length };
  }

  /** Overwrites the line. */
  erase(): void {
    this.#bytes.fill(0);
    this.#length = 0;
  }

  #key(key: number, echo: number[]): LineState {
    if (this.#isEscape) {
      // An arrow or function key: `ESC [` or `ESC O`, and a letter or a tilde at its end.
      this.#isEscape = key === 0x5b || key === 0x4f || (key >= 0x30 && key <= 0x3b);
      return 'more';
    }
    if (key === KEY.end) return this.#length === 0 ? 'ended' : 'more';
    const ending = ENDINGS.get(key);
    if (ending !== undefined) return ending;
    this.#edit(key, echo);
    return 'more';
  }

  #edit(key: number, echo: number[]): void {
    if (key === KEY.backspace || key === KEY.delete) this.#backspace(echo);
    else if (key === KEY.eraseLine) while (this.#length > 0) this.#backspace(echo);
    else if (key === KEY.escape) this.#isEscape = true;
    else this.#add(key, echo);
  }

  #add(key: number, echo: number[]): void {
    if (key < 0x20 || this.#length === MAX_LINE_BYTES) return;
    this.#bytes[this.#length++] = key;
    echo.push(key);
  }

  /** Takes back one character, which may be several bytes of UTF-8. */
  #backspace(echo: number[]): void {
    if (this.#length === 0) return;
    let last: number;
    do {
      last = this.#bytes[--this.#length] ?? 0;
      this.#bytes[this.#length] = 0;
    } while ((last & 0xc0) === 0x80 && this.#length > 0);
    echo.push(KEY.backspace, 0x20, KEY.backspace);
  }
}

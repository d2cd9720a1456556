/** Where text goes: standard output, or something that remembers in a test. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const ERASE_LINE = '\u001b[2K';
const UP = (lines: number) => (lines > 0 ? `\u001b[${lines}A\r` : '\r');

/** Draws lines over the lines that it drew before. For terminals only. */
export class Screen {
  #height = 0;

  constructor(private readonly output: Output) {}

  draw(lines: readonly string[]): void {
    const gone = Math.max(0, this.#height - lines.length);
    const text = lines.map((line) => `${ERASE_LINE}${line}\n`).join('');
    const blank = `${ERASE_LINE}\n`.repeat(gone);
    this.output.write(`${UP(this.#height)}${text}${blank}${gone > 0 ? UP(gone) : ''}`);
    this.#height = lines.length;
  }
}

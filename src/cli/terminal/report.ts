import { escapeLine, jsonLine } from '../../runtime/json-line.js';
import type { OutputFormat } from '../commands.js';
import type { Output } from '../terminal.screen.js';

/** Says what a command has to say, as text for a person or as JSON for a program; never both. */
export class Report {
  constructor(
    private readonly output: Output,
    readonly format: OutputFormat,
  ) {}

  /** The result: `value` as one JSON document, or `lines`. */
  result(value: unknown, lines: readonly string[]): void {
    if (this.format === 'json')
      this.output.write(`${escapeLine(JSON.stringify(value, null, 2))}\n`);
    else for (const line of lines) this.output.write(`${line}\n`);
  }

  /** Something that happened, named `event`: one line of JSON, or one of text. */
  event(event: string, value: Readonly<Record<string, unknown>>, line: string): void {
    this.output.write(`${this.format === 'json' ? jsonLine({ event, ...value }) : line}\n`);
  }

  /** What only a person wants to read. */
  note(line: string): void {
    if (this.format === 'text') this.output.write(`${line}\n`);
  }

  /** Where a bar may be drawn: text for a person at a terminal. */
  get screen(): Output | undefined {
    return this.format === 'text' && this.output.isTTY === true ? this.output : undefined;
  }
}

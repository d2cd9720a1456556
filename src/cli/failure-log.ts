import { plainText } from '../runtime/json-line.js';
import type { LogFields, Logger } from '../runtime/log.js';
import { redactText } from '../runtime/redact.js';

const MAX_CHARACTERS = 300;

/** Keeps what went wrong, once each, for a program that shows a table instead of a log. */
export class FailureLog implements Logger {
  readonly #lines: string[] = [];
  #taken = 0;

  /** Every failure so far. */
  lines(): readonly string[] {
    return this.#lines;
  }

  /** The failures since the last call. */
  takeNew(): readonly string[] {
    const fresh = this.#lines.slice(this.#taken);
    this.#taken = this.#lines.length;
    return fresh;
  }

  debug(): void {
    // The table shows the outcome.
  }

  info(): void {
    // The table shows the outcome.
  }

  warn(message: string, fields?: LogFields): void {
    this.error(message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    const facts = Object.entries(fields).map(
      ([name, value]) => `${name}=${redactText(String(value))}`,
    );
    const line = plainText(`! ${message}: ${facts.join(' ')}`, MAX_CHARACTERS);
    if (!this.#lines.includes(line)) this.#lines.push(line);
  }

  child(): Logger {
    return this;
  }
}

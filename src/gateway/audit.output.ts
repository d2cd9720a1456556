import type { LineSink } from '../runtime/pino.log.js';

/** A stream that says what became of a line. One that never says so is taken for one that always writes. */
interface AnsweringSink {
  write(line: string, done: (error?: Error | null) => void): unknown;
}

/** Where audit records go, and whether the last one arrived. A line that does not is lost; its number shows the gap. */
export class AuditOutput implements LineSink {
  #fails = false;

  constructor(private readonly to: AnsweringSink) {}

  /** Whether the last line could not be written. */
  get fails(): boolean {
    return this.#fails;
  }

  write(line: string): void {
    this.to.write(line, (error) => {
      this.#fails = error !== undefined && error !== null;
    });
  }
}

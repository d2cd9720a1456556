import { ActionableError, messageOf } from './errors.js';
import type { Logger } from './log.js';

/** Who is told of each reading of a file. */
export interface FileListener<File extends string> {
  loaded(file: File, outcome: 'success' | 'failure'): void;
}

/** Files whose newest content was not taken over, and why: what was there before is kept then. */
export class FileProblems<File extends string> {
  readonly #log: Logger;
  readonly #listener: FileListener<File>;
  readonly #problems = new Map<File, string>();

  constructor(log: Logger, listener: FileListener<File>) {
    this.#log = log;
    this.#listener = listener;
  }

  /** What is wrong with `file`; undefined if nothing is, or it was not read yet. */
  of(file: File): string | undefined {
    return this.#problems.get(file);
  }

  /** One text for each file with something wrong that `isKept` says was there before. */
  warnings(isKept: (file: File) => boolean): readonly string[] {
    return [...this.#problems]
      .filter(([file]) => isKept(file))
      .map(([file, problem]) => `${file}: kept what was there before, because ${problem}`);
  }

  /** Whether `read` took the content over; what it throws is noted and logged, with `more`. */
  async load(file: File, read: () => Promise<void>, more: object = {}): Promise<boolean> {
    try {
      await read();
      this.#problems.delete(file);
      this.#listener.loaded(file, 'success');
      return true;
    } catch (error) {
      this.#problems.set(file, messageOf(error));
      const [problem, hint] =
        error instanceof ActionableError ? [error.problem, error.hint] : [messageOf(error), ''];
      this.#log.error('file not taken over', { file, problem, hint, ...more });
      this.#listener.loaded(file, 'failure');
      return false;
    }
  }
}

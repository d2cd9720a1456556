/*
 * The terminal of the person, whatever standard input and output are: what is secret is typed and shown here only, so that
 * no redirection puts it into a file.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { ActionableError } from '../../runtime/errors.js';
import { LineInput } from './line-input.js';

const DEVICE = '/dev/tty';
/** The other screen of xterm and its kin: what is shown there does not stay to be scrolled back to. */
const ASIDE = {
  enter: '\u001b[?1049h\u001b[H',
  clear: '\u001b[2J\u001b[H',
  leave: '\u001b[?1049l',
};

/** 128 and the number of the signal. */
const EXIT_BY_SIGTERM = 143;

/** The person pressed Ctrl-C at a question. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode = 130;
}

/**
 * Passes on what a question was rejected with; Ctrl-C at it becomes the signal that it is elsewhere, for who waits for that:
 * in raw mode it is a key.
 */
export function raiseInterrupt(error: unknown): never {
  if (error instanceof Interrupted) process.kill(process.pid, 'SIGINT');
  throw error;
}

/** A terminal that is open for questions. Nothing that is typed shows unless a question says so. */
export class Terminal {
  readonly #out: number;
  readonly #in: ReadStream;
  /** Typed ahead. */
  #waiting: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #ended = false;

  private constructor(output: number, input: ReadStream) {
    this.#out = output;
    this.#in = input;
    input.setRawMode(true);
    input.on('data', (keys: Buffer) => {
      const all = Buffer.concat([this.#waiting, keys]);
      this.#waiting.fill(0);
      keys.fill(0);
      this.#waiting = all;
      this.#wake?.();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    input.on('end', end);
    input.on('error', end);
  }

  /** Opens it, lets `use` ask, and closes it. @throws ActionableError ERR_TERMINAL where there is none; `instead` says what to do. */
  static async with<Result>(
    instead: string,
    use: (terminal: Terminal) => Promise<Result>,
  ): Promise<Result> {
    const terminal = Terminal.#open(instead);
    try {
      return await use(terminal);
    } finally {
      terminal.#close();
    }
  }

  static #open(instead: string): Terminal {
    try {
      const output = openSync(DEVICE, 'w');
      return new Terminal(output, new ReadStream(openSync(DEVICE, 'r')));
    } catch (cause) {
      const problem = 'There is no terminal to ask a person at.';
      throw new ActionableError('ERR_TERMINAL', problem, instead, { cause });
    }
  }

  /** Shows text. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    this.#writeBytes(bytes);
    bytes.fill(0);
  }

  /** Asks for a line that is not shown; the bytes are the caller's to erase. @throws Interrupted */
  secret(question: string): Promise<Uint8Array> {
    return this.#ask(question, false, (bytes) => bytes.slice());
  }

  /** Asks for a line that is shown; `withdrawn` takes the question away. @throws Interrupted; the signal's reason */
  line(question: string, withdrawn?: AbortSignal): Promise<string> {
    return this.#ask(question, true, (bytes) => Buffer.from(bytes).toString('utf8'), withdrawn);
  }

  /** Asks until the answer is yes or no. @throws as `line` */
  async confirm(question: string, withdrawn?: AbortSignal): Promise<boolean> {
    for (;;) {
      const typed = await this.line(`${question} [yes/no] `, withdrawn);
      const answer = typed.trim().toLowerCase();
      if (['yes', 'y'].includes(answer)) return true;
      if (['no', 'n'].includes(answer)) return false;
    }
  }

  /** Carries out `show` on the other screen, of which nothing stays, also when SIGTERM ends the program meanwhile. */
  async aside<Result>(show: () => Promise<Result>): Promise<Result> {
    const leave = (): void => {
      this.clear();
      this.write(ASIDE.leave);
    };
    const ends = (): never => {
      leave();
      process.exit(EXIT_BY_SIGTERM);
    };
    process.once('SIGTERM', ends);
    this.write(ASIDE.enter + ASIDE.clear);
    try {
      return await show();
    } finally {
      process.off('SIGTERM', ends);
      leave();
    }
  }

  /** Empties the screen. */
  clear(): void {
    this.write(ASIDE.clear);
  }

  async #ask<Answer>(
    question: string,
    shown: boolean,
    read: (bytes: Uint8Array) => Answer,
    withdrawn?: AbortSignal,
  ): Promise<Answer> {
    this.write(question);
    const input = new LineInput();
    const wake = (): void => this.#wake?.();
    withdrawn?.addEventListener('abort', wake);
    try {
      await this.#lineInto(input, shown, withdrawn);
      return read(input.bytes);
    } finally {
      withdrawn?.removeEventListener('abort', wake);
      input.erase();
      this.write('\r\n');
    }
  }

  async #lineInto(
    input: LineInput,
    shown: boolean,
    withdrawn: AbortSignal | undefined,
  ): Promise<void> {
    for (;;) {
      withdrawn?.throwIfAborted();
      const { state, taken } = input.take(this.#waiting);
      this.#waiting.fill(0, 0, taken);
      this.#waiting = this.#waiting.subarray(taken);
      if (shown && input.echo.length > 0) this.#writeBytes(Uint8Array.from(input.echo));
      if (state === 'line') return;
      if (state !== 'more' || this.#ended) throw new Interrupted('stopped at a question');
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  #writeBytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#out, bytes, at);
  }

  #close(): void {
    this.#waiting.fill(0);
    this.#in.setRawMode(false);
    this.#in.destroy();
    closeSync(this.#out);
  }
}

import { ActionableError, exitCodeOf } from './errors.js';
import type { Logger } from './log.js';
import { createPinoLogger } from './pino.log.js';

/** A log on standard error from the first line on, before there are settings that name a level. */
export const startLog = (program: string): Logger =>
  createPinoLogger(program, 'info', process.stderr);

/**
 * Runs `main`. What it throws ends the process with the exit code of the error (docs/operations.md) and one log line
 * that says what to do; so does anything that nobody caught later, with code 1: a process in an unknown state must
 * not go on.
 */
export function runMain(program: string, main: () => Promise<void>): void {
  const log = startLog(program);
  const fail = (error: unknown): void => {
    if (error instanceof ActionableError) {
      log.error(error.problem, { code: error.code, hint: error.hint });
    } else {
      const stack = error instanceof Error ? error.stack : undefined;
      log.error('stopped by an error', { error, stack });
    }
    process.exit(exitCodeOf(error));
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  main().catch(fail);
}

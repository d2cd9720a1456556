import type { Logger } from './log.js';
import { SIGNAL_EXIT_CODE, stopInOrder, stopRequestOf, type StopStep } from './shutdown.js';

export interface ShutdownOptions {
  /** After this long the process ends whatever still runs: a stuck socket must not outlive the pod's grace. */
  readonly deadlineMs: number;
  readonly log: Logger;
  /** With which code a process ends that was stopped in order; 0 if nothing is said. */
  readonly exitCode?: number;
  /** Asked once, when the first signal comes; stopped in this order. */
  readonly steps: () => readonly StopStep[];
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Ends the process in order on SIGTERM or SIGINT and exits 0; exits 1 when a step failed or the deadline passed,
 * and at once (128 + signal) on a second signal. Nest's own hooks ignore a second signal and know no deadline.
 */
export function stopOnSignal({ deadlineMs, log, steps, exitCode = 0 }: ShutdownOptions): void {
  let count = 0;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      count += 1;
      if (stopRequestOf(count) === 'ExitNow') process.exit(SIGNAL_EXIT_CODE[signal]);
      log.info('stopping', { signal });
      setTimeout(() => {
        log.error('not stopped in time', { deadlineMs });
        process.exit(1);
      }, deadlineMs).unref();
      void stopInOrder(steps()).then((failures) => {
        for (const [step, error] of failures) log.error('stopping failed', { step, error });
        log.info('stopped');
        process.exit(failures.length === 0 ? exitCode : 1);
      });
    });
  }
}

/** What a signal asks for: the first stops in order, the second stops now. */
export type StopRequest = 'Stop' | 'ExitNow';

/** What to do about the `count`-th signal (counted from 1). */
export const stopRequestOf = (count: number): StopRequest => (count <= 1 ? 'Stop' : 'ExitNow');

/** One thing to stop, by name so that a log can say which one hung. */
export interface StopStep {
  readonly name: string;
  stop(): Promise<void> | void;
}

/** How stopping went: the names of steps that threw, with what they threw. */
export type StopFailure = readonly [name: string, error: unknown];

/** Stops `steps` one after another in the given order; one that throws does not keep the others running. */
export async function stopInOrder(steps: readonly StopStep[]): Promise<StopFailure[]> {
  const failures: StopFailure[] = [];
  for (const step of steps) {
    try {
      await step.stop();
    } catch (error) {
      failures.push([step.name, error]);
    }
  }
  return failures;
}

/** Shell convention: 128 and the number of the signal (POSIX.1-2017, 2.8.2). */
export const SIGNAL_EXIT_CODE = { SIGINT: 130, SIGTERM: 143 } as const;

/*
 * `up` as a process: the signals that end it, and its exit code.
 */
import { EXIT_CODE } from '../runtime/errors.js';
import { SILENT_LOGGER } from '../runtime/log.js';
import { stopOnSignal } from '../runtime/shutdown.process.js';
import { quickstart, type UpCommand } from './quickstart.command.js';
import type { Output } from './terminal.screen.js';
import { Up } from './up.command.js';

/** Programs end at once when nobody waits for a drain. */
const STOP_WITHIN_MS = 15_000;

/** Where `up` runs. */
export interface UpPlace {
  readonly version: string;
  readonly output: Output;
  /** Folder of the bundled programs. */
  readonly programs: string;
}

/** Starts what the files declare; gives the exit code with `--once`, else 0 while everything goes on until Ctrl-C. */
export async function runUp(command: UpCommand, place: UpPlace): Promise<number> {
  const { folders, once, demo, state } = command;
  const { output } = place;
  const up = await Up.start({ folders, state, ...place });
  if (once && !demo) {
    const ready = await up.once();
    await up.stop();
    return ready ? EXIT_CODE.ok : EXIT_CODE.failed;
  }
  const steps = () => [{ name: 'rooms', stop: () => up.stop() }];
  stopOnSignal({ deadlineMs: STOP_WITHIN_MS, log: SILENT_LOGGER, steps });
  const fine = await quickstart(up, command, output);
  if (once) {
    await up.stop();
    return fine ? EXIT_CODE.ok : EXIT_CODE.failed;
  }
  output.write('Ctrl-C stops every process.\n');
  up.show();
  return EXIT_CODE.ok;
}

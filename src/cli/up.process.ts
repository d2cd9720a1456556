/*
 * `up` as a process: the signals that end it, and its exit code.
 */
import { join } from 'node:path';
import { EXIT_CODE } from '../runtime/errors.js';
import { SILENT_LOGGER } from '../runtime/log.js';
import { SIGNAL_EXIT_CODE } from '../runtime/shutdown.js';
import { stopOnSignal } from '../runtime/shutdown.process.js';
import { Home } from './endpoint/home.files.js';
import { quickstart, type UpCommand } from './quickstart.command.js';
import { Report } from './terminal/report.js';
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
  const report = new Report(place.output, command.output);
  const { version, programs } = place;
  const up = await Up.start({ folders, state, version, programs, report });
  const steps = () => [{ name: 'rooms', stop: () => up.stop() }];
  // Who waits for the end of `--once` must not take an interrupted one for done.
  const exitCode = once ? SIGNAL_EXIT_CODE.SIGINT : EXIT_CODE.ok;
  stopOnSignal({ deadlineMs: STOP_WITHIN_MS, log: SILENT_LOGGER, steps, exitCode });
  // A terminal that is closed ends it in order, too: its programs would stay behind.
  process.once('SIGHUP', () => process.kill(process.pid, 'SIGTERM'));
  if (once && !demo) {
    const ready = await up.once();
    await up.stop();
    return ready ? EXIT_CODE.ok : EXIT_CODE.failed;
  }
  const fine = await quickstart(up, command, report);
  const home = await clientHome(up, state);
  if (once) {
    await up.stop();
    return fine ? EXIT_CODE.ok : EXIT_CODE.failed;
  }
  if (home !== undefined)
    report.event(
      'home',
      { home },
      `Join yourself: sallyport identity create --home '${home}', then connect --home '${home}'.`,
    );
  report.note('Ctrl-C stops every process.');
  up.show();
  return EXIT_CODE.ok;
}

/** Writes the list of the gateways that run here into a folder for an endpoint; gives the folder, if there is a gateway. */
async function clientHome(up: Up, state: string): Promise<string | undefined> {
  const gateways = up.gateways().filter(({ pins }) => pins.length > 0);
  if (gateways.length === 0) return undefined;
  const home = new Home(join(state, 'client'));
  await home.writeGateways(
    gateways.map(({ host, port, address, pins }) => ({ host, port, address, pins: [...pins] })),
  );
  return home.folder;
}

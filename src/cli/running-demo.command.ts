/*
 * `sallyport demo`: the demonstration of `up --demo`, at the gateway of a `sallyport up` that runs, or of one that is
 * started for it.
 */
import { join, resolve } from 'node:path';
import { ActionableError, EXIT_CODE } from '../runtime/errors.js';
import { livingProcess } from '../standalone/process.files.js';
import type { Command } from './commands.js';
import { Home } from './endpoint/home.files.js';
import { demonstrate } from './quickstart.command.js';
import { Report } from './terminal/report.js';
import { runUp, type UpPlace } from './up.process.js';

/** Carries it out; gives the exit code. @throws ActionableError ERR_STATE when nothing runs and nothing is named to be started. */
export async function runRunningDemo(
  command: Extract<Command, { name: 'demo' }>,
  place: UpPlace,
): Promise<number> {
  const { folders, output } = command;
  const state = resolve(command.state);
  if (livingProcess(state) === undefined) {
    if (folders.length === 0) throw nothingRuns(state);
    return runUp({ ...command, name: 'up', once: true, demo: true }, place);
  }
  const [gateway] = await new Home(join(state, 'client')).requireGateways();
  if (gateway === undefined) throw nothingRuns(state);
  const fine = await demonstrate(gateway, state, new Report(place.output, output));
  return fine ? EXIT_CODE.ok : EXIT_CODE.failed;
}

const nothingRuns = (state: string) =>
  new ActionableError(
    'ERR_STATE',
    `No "sallyport up" runs with the state folder ${state}.`,
    'Name its folder with --state, or what to start with -f PATH.',
  );

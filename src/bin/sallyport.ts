import { HELP, HELP_UP, parseCommandLine } from '../cli/arguments.js';
import { quickstart } from '../cli/quickstart.command.js';
import { Up } from '../cli/up.command.js';
import { ActionableError, exitCodeOf } from '../runtime/errors.js';
import { SILENT_LOGGER } from '../runtime/log.js';
import { stopOnSignal } from '../runtime/shutdown.process.js';
import { programVersion } from '../runtime/version.file.js';

/** Programs end at once when nobody waits for a drain. */
const STOP_WITHIN_MS = 15_000;

async function main(): Promise<void> {
  const command = parseCommandLine(process.argv.slice(2));
  if (command.name === 'help') {
    process.stdout.write(command.about === 'up' ? HELP_UP : HELP);
    return;
  }
  const { folders, once, demo, state } = command;
  const output = process.stdout;
  const programs = import.meta.dirname;
  const up = await Up.start({ folders, state, version: programVersion(), output, programs });
  if (once && !demo) {
    process.exitCode = (await up.once()) ? 0 : 1;
    await up.stop();
    return;
  }
  const steps = () => [{ name: 'rooms', stop: () => up.stop() }];
  stopOnSignal({ deadlineMs: STOP_WITHIN_MS, log: SILENT_LOGGER, steps });
  const fine = await quickstart(up, command, output);
  if (once) {
    process.exitCode = fine ? 0 : 1;
    await up.stop();
  } else {
    output.write('Ctrl-C stops every process.\n');
    up.show();
  }
}

main().catch((error: unknown) => {
  const lines = error instanceof ActionableError ? [error.problem, error.hint] : [String(error)];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(exitCodeOf(error));
});

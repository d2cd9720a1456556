import { parseArgs } from 'node:util';
import { ActionableError, messageOf } from './errors.js';

/** What a program of ours can be told on its command line. Everything else is in its settings file. */
export type ProgramArguments =
  | { readonly action: 'Help' | 'Version' }
  | { readonly action: 'Run'; readonly settingsPath: string };

/**
 * `--settings PATH`, `--help` or `--version`, from `argv` without node and script.
 * @throws ActionableError ERR_ARGUMENT for anything else.
 */
export function parseProgramArguments(argv: readonly string[]): ProgramArguments {
  const { help, version, settings } = optionsOf([...argv]);
  if (help) return { action: 'Help' };
  if (version) return { action: 'Version' };
  if (settings !== undefined && settings !== '') return { action: 'Run', settingsPath: settings };
  throw new ActionableError('ERR_ARGUMENT', 'No settings file is named.', HINT);
}

const HINT = 'Write --settings PATH, or --help for the list of settings.';

function optionsOf(args: string[]) {
  try {
    return parseArgs({
      args,
      strict: true,
      allowPositionals: false,
      options: {
        settings: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    }).values;
  } catch (cause) {
    throw new ActionableError('ERR_ARGUMENT', `${messageOf(cause)}.`, HINT, { cause });
  }
}

import { parseArgs } from 'node:util';
import { ActionableError, messageOf } from '../runtime/errors.js';

/** What the command line asks for. */
export type Command =
  | { readonly name: 'help'; readonly about?: 'up' }
  | {
      readonly name: 'up';
      readonly folders: readonly string[];
      readonly once: boolean;
      readonly demo: boolean;
      readonly state: string;
    };

/** `sallyport --help`. */
export const HELP = `Usage: sallyport COMMAND [OPTIONS]

Commands:
  up      reconcile resources from YAML files on this machine, without a cluster

"sallyport COMMAND --help" tells more. Exit codes: 0 done, 1 failed, 64 wrong command line, 78 wrong settings or
files, 130 and 143 stopped by a second Ctrl-C or SIGTERM.
`;

/** `sallyport up --help`. */
export const HELP_UP = `Usage: sallyport up -f PATH [-f PATH ...] [--state FOLDER] [--demo] [--once]

Reads every *.yaml, *.yml and *.json of each PATH (a file or a folder), runs the operator's rooms on an in-memory
cluster, starts the pods as processes on loopback addresses, and shows the resources with their conditions, updated
in place. Nothing leaves this machine.

  -f, --filename PATH   file or folder with resources; may be repeated
      --state FOLDER    where keys, data and logs are kept, for the next time too (default: .sallyport)
      --demo            then let two new people talk through it, and try to listen in
      --once            wait until every resource is ready (and the demonstration is over), print the table, stop
                        everything and exit: 0 when all went well, 1 when a resource is stalled or not ready within a
                        minute, or something was not as promised
  -h, --help            this text

Ctrl-C stops every process; what was made stays in FOLDER.
`;

/**
 * The command in `argv` (without node and script).
 * @throws ActionableError ERR_ARGUMENT for anything unknown or missing.
 */
export function parseCommandLine(argv: readonly string[]): Command {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help')
    return { name: 'help' };
  if (name === 'up') return parseUp(rest);
  throw new ActionableError(
    'ERR_ARGUMENT',
    `"${name.slice(0, 40)}" is not a command.`,
    'Write "sallyport up -f PATH", or "sallyport --help" for all commands.',
  );
}

function parseUp(argv: string[]): Command {
  const { filename, once = false, demo = false, state = '.sallyport', help } = upOptions(argv);
  if (help) return { name: 'help', about: 'up' };
  if (filename && filename.length > 0) return { name: 'up', folders: filename, once, demo, state };
  throw new ActionableError(
    'ERR_ARGUMENT',
    'No file or folder is named.',
    'Write "sallyport up -f PATH".',
  );
}

function upOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      strict: true,
      allowPositionals: false,
      options: {
        filename: { type: 'string', short: 'f', multiple: true },
        once: { type: 'boolean' },
        demo: { type: 'boolean' },
        state: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (cause) {
    const hint = 'Write "sallyport up --help" for the options.';
    throw new ActionableError('ERR_ARGUMENT', `${messageOf(cause)}.`, hint, { cause });
  }
}

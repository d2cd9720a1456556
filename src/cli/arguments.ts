import { CommanderError, type Command as Node } from 'commander';
import { ActionableError } from '../runtime/errors.js';
import { commandTree } from './command-tree.js';
import type { Command } from './commands.js';
import { withIdsAsOperands } from './dashed-ids.js';

export type { Command } from './commands.js';

/** Options that people try; a secret in an argument is in the list of processes and in the history of the shell. */
const SECRET_OPTION = /--(pass(phrase|word)?|phrase|mnemonic|seed|secret|code|invite-code)\b/;
const MAX_MESSAGE_CHARACTERS = 200;

/**
 * The command in `argv` (without node and script); nothing is `--help`.
 * @throws ActionableError ERR_ARGUMENT for anything unknown or missing. It repeats no value of an option.
 */
export function parseCommandLine(argv: readonly string[], version = ''): Command {
  let command: Command | undefined;
  let text = '';
  const program = commandTree(version, (found) => {
    command = found;
  });
  prepare(program, (written) => {
    text += written;
  });
  try {
    const words = argv.length === 0 || argv[0] === 'help' ? ['--help'] : withIdsAsOperands(argv);
    program.parse([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return { name: 'help', text };
    throw error;
  }
  if (command === undefined) throw new RangeError('a command without an action');
  return command;
}

/** Nothing is printed here and no process ends: help is a command, and a mistake is an error. */
function prepare(node: Node, write: (text: string) => void): void {
  node.configureOutput({
    writeOut: write,
    writeErr: () => undefined,
    outputError: () => undefined,
  });
  node.helpCommand(false).exitOverride((error) => {
    if (error.exitCode === 0) throw error;
    throw mistake(node, error);
  });
  for (const child of node.commands) prepare(child, write);
}

function mistake(node: Node, { code, message }: CommanderError): ActionableError {
  const path = pathOf(node);
  return new ActionableError('ERR_ARGUMENT', problem(node, code, message), hint(path, message));
}

function problem(node: Node, code: string, message: string): string {
  const path = pathOf(node);
  // What stands there may be the words of a phrase.
  if (code === 'commander.excessArguments') return `"${path}" takes fewer arguments.`;
  if (code === 'commander.help') return `"${path}" needs one of: ${names(node)}.`;
  const text = message
    .replace(/^error: /, '')
    .replace(/(--[\w-]+)=[^\s']*/g, '$1')
    .replaceAll('\n', ' ')
    .slice(0, MAX_MESSAGE_CHARACTERS);
  return `${path}: ${text}${/[.?)]$/.test(text) ? '' : '.'}`;
}

const hint = (path: string, message: string): string =>
  SECRET_OPTION.test(message)
    ? 'Secrets are typed at the terminal, or come from --passphrase-file or --passphrase-fd: others can read arguments.'
    : `Write "${path} --help" for what can be written.`;

const names = (node: Node): string => node.commands.map((child) => child.name()).join(', ');

/** `sallyport identity create`. */
function pathOf(node: Node): string {
  const { parent } = node;
  return parent === null ? node.name() : `${pathOf(parent)} ${node.name()}`;
}

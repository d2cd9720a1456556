import { parseArgs } from 'node:util';
import { ActionableError, messageOf } from './errors.js';

/**
 * What a program of ours can be told on its command line. Everything else is in its settings file. `named` holds the
 * options that this program needs besides.
 */
export type ProgramArguments<Name extends string = never> =
  | { readonly action: 'Help' | 'Version' }
  | {
      readonly action: 'Run';
      readonly settingsPath: string;
      readonly named: Readonly<Record<Name, string>>;
    };

/**
 * `--settings PATH` and what `needed` names, `--help` or `--version`, from `argv` without node and script. `needed` says for
 * each further option what its value stands for (`{ pod: 'POOL-relay-ORDINAL' }`).
 * @throws ActionableError ERR_ARGUMENT for anything else.
 */
export function parseProgramArguments<Name extends string = never>(
  argv: readonly string[],
  needed?: Readonly<Record<Name, string>>,
): ProgramArguments<Name> {
  const others: Readonly<Record<string, string>> = needed ?? {};
  const usage = Object.entries(others).map(([name, value]) => ` --${name} ${value}`);
  const hint = `Write --settings PATH${usage.join('')}, or --help for the list of settings.`;
  const given = optionsOf([...argv], Object.keys(others), hint);
  if (given['help'] === true) return { action: 'Help' };
  if (given['version'] === true) return { action: 'Version' };
  const text = (name: string, what: string): string => {
    const value = given[name];
    if (typeof value === 'string' && value !== '') return value;
    throw new ActionableError('ERR_ARGUMENT', `No ${what} is named.`, hint);
  };
  const settingsPath = text('settings', 'settings file');
  const named = Object.fromEntries(Object.keys(others).map((name) => [name, text(name, name)]));
  // The keys of `named` are those of `needed`.
  return { action: 'Run', settingsPath, named: named as Record<Name, string> };
}

function optionsOf(
  args: string[],
  names: readonly string[],
  hint: string,
): Readonly<Record<string, unknown>> {
  const texts = ['settings', ...names].map((name) => [name, { type: 'string' }] as const);
  try {
    return parseArgs({
      args,
      strict: true,
      allowPositionals: false,
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
        ...Object.fromEntries(texts),
      },
    }).values;
  } catch (cause) {
    throw new ActionableError('ERR_ARGUMENT', `${messageOf(cause)}.`, hint, { cause });
  }
}

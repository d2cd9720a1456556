/*
 * Options that many commands have in common, and how their values are read.
 */
import { InvalidArgumentError, Option, type Command as Node } from 'commander';
import type { Command, EndpointFlags, OutputFormat, SecretSource } from './commands.js';

/** Takes the command that was meant. */
export type Found = (command: Command) => void;

/** The values of the options that `endpointOptions` adds. */
export interface EndpointOptions {
  readonly home?: string;
  readonly passphraseFile?: string;
  readonly passphraseFd?: number;
  readonly output: OutputFormat;
}

/** `--output`. */
export const outputOption = (): Option =>
  new Option('--output <format>', 'text for people, or json')
    .choices(['text', 'json'])
    .default('text');

/** `--home`. */
export const homeOption = (): Option =>
  new Option('--home <dir>', 'folder of identity and gateways.json (default: ~/.config/sallyport)');

/** Adds `--home`, `--passphrase-file`, `--passphrase-fd` and `--output`. */
export const endpointOptions = (node: Node): Node =>
  node
    .addOption(homeOption())
    .option('--passphrase-file <file>', 'file of mode 0600 whose first line is the passphrase')
    .addOption(
      descriptorOption(
        '--passphrase-fd <n>',
        'file descriptor from which the passphrase is read',
      ).conflicts('passphraseFile'),
    )
    .addOption(outputOption());

/** An option that names an open file descriptor. */
export const descriptorOption = (flags: string, description: string): Option =>
  new Option(flags, description).argParser(wholeNumber(0, 1_023));

/** The flags of an endpoint's command. */
export const endpointFlags = ({
  home,
  passphraseFile,
  passphraseFd,
  output,
}: EndpointOptions): EndpointFlags => ({
  home,
  passphrase: secretSource(passphraseFile, passphraseFd),
  output,
});

/** Where a secret comes from: a file, a descriptor, or, without either, the terminal. */
export function secretSource(
  path: string | undefined,
  descriptor: number | undefined,
): SecretSource {
  if (path !== undefined) return { from: 'file', path };
  return descriptor === undefined ? { from: 'terminal' } : { from: 'descriptor', descriptor };
}

/** Reads a whole number from `least` to `most`. @throws commander's InvalidArgumentError. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
  };

/** Reads text of a form. @throws commander's InvalidArgumentError with `what`. */
export const textLike =
  (pattern: RegExp, what: string) =>
  (text: string): string => {
    if (pattern.test(text)) return text;
    throw new InvalidArgumentError(`Write ${what}.`);
  };

/** Adds each value of an option that may be repeated. */
export const each = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

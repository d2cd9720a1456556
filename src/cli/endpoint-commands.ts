/*
 * Commands of an endpoint: its identity, its contacts, and talking to them.
 */
import type { Command as Node } from 'commander';
import {
  descriptorOption,
  endpointFlags,
  endpointOptions,
  secretSource,
  wholeNumber,
  type EndpointOptions,
  type Found,
} from './command-options.js';
import type { ContactCommand, SecretSource } from './commands.js';

/** `identity ...`. */
export function addIdentity(program: Node, found: Found): void {
  const identity = program
    .command('identity')
    .description('make, restore, show and back up the identity of this device');
  endpointOptions(identity.command('create'))
    .description('a new identity, with a phrase to be written down')
    .option('--words <n>', 'words of the phrase: 12, 15, 18, 21 or 24', wordCount, 24)
    .option('--no-backup', 'back the phrase up later, with "sallyport identity backup"')
    .action((options: EndpointOptions & { readonly words: number; readonly backup: boolean }) => {
      const { words, backup } = options;
      found({ name: 'identity create', ...endpointFlags(options), words, backup });
    });
  for (const [name, description] of [
    ['restore', 'the identity of a phrase, typed at the terminal, as a new device'],
    ['show', 'fingerprint and dates'],
    ['backup', 'shows the phrase at the terminal once, and has it typed again'],
  ] as const)
    endpointOptions(identity.command(name))
      .description(description)
      .action((options: EndpointOptions) => {
        found({ name: `identity ${name}`, ...endpointFlags(options) });
      });
  addPassphrase(identity, found);
}

function addPassphrase(identity: Node, found: Found): void {
  endpointOptions(identity.command('passphrase'))
    .description('another passphrase for the files of this identity')
    .option('--new-passphrase-file <file>', 'file of mode 0600 whose first line is the new one')
    .addOption(
      descriptorOption(
        '--new-passphrase-fd <n>',
        'file descriptor from which the new one is read',
      ).conflicts('newPassphraseFile'),
    )
    .action((options: PassphraseOptions) => {
      const { newPassphraseFile, newPassphraseFd } = options;
      const newPassphrase = secretSource(newPassphraseFile, newPassphraseFd);
      found({ name: 'identity passphrase', ...endpointFlags(options), newPassphrase });
    });
}

interface PassphraseOptions extends EndpointOptions {
  readonly newPassphraseFile?: string;
  readonly newPassphraseFd?: number;
}

const wordCount = (text: string): number => {
  const words = wholeNumber(12, 24)(text);
  return words % 3 === 0 ? words : wholeNumber(12, 12)(text);
};

/** `connect`, `verify` and `contacts ...`. */
export function addContacts(program: Node, found: Found): void {
  endpointOptions(program.command('connect [peer]'))
    .description('log in; with PEER: ask to become a contact, or open a session with one')
    .option('--as <name>', 'what this person is called here')
    .option('--invite', 'ask for an invite code at the terminal')
    .option('--invite-file <file>', 'file of mode 0600 with an invite code')
    .option('--stay', 'stay until Ctrl-C, and say what happens')
    .option('--wait <seconds>', 'how long to wait for the other person', wholeNumber(1, 3_600), 60)
    .action((peer: string | undefined, options: ConnectOptions) => {
      const { as, stay = false, wait: waitSeconds } = options;
      const invite = inviteSource(options);
      found({ name: 'connect', ...endpointFlags(options), peer, as, invite, stay, waitSeconds });
    });
  endpointOptions(program.command('verify <peer>'))
    .description('show the safety number and its QR code; mark the contact once it was compared')
    .option('--number <digits>', 'the number that the other person sees: compare it here')
    .action((peer: string, options: EndpointOptions & { readonly number?: string }) => {
      found({ name: 'verify', ...endpointFlags(options), peer, number: options.number });
    });
  const contacts = program.command('contacts').description('who may talk to this endpoint');
  const add = (usage: string, description: string, command: MakeContact): void => {
    endpointOptions(contacts.command(usage))
      .description(description)
      .action((...args: unknown[]) => {
        const [options] = args.slice(-2) as [EndpointOptions];
        // What stands before options and command are the arguments, which commander gives as text.
        found({ ...endpointFlags(options), ...command(...(args.slice(0, -2) as string[])) });
      });
  };
  add('list', 'all contacts, with their marks', () => ({ name: 'contacts list' }));
  add('accept <peer>', 'accept somebody who asks', (peer = '') => ({
    name: 'contacts accept',
    peer,
  }));
  add('block <peer>', 'hear nothing of somebody any more', (peer = '') => ({
    name: 'contacts block',
    peer,
  }));
  add('remove <peer>', 'forget somebody', (peer = '') => ({ name: 'contacts remove', peer }));
  add('rename <peer> <name>', 'call somebody by another name', (peer = '', as = '') => ({
    ...{ name: 'contacts rename', peer, as },
  }));
  add('relay-only <peer>', 'never show an address of this machine to somebody', (peer = '') => ({
    ...{ name: 'contacts path', peer, direct: false },
  }));
  add('allow-direct <peer>', 'let somebody see addresses of this machine', (peer = '') => ({
    ...{ name: 'contacts path', peer, direct: true },
  }));
}

type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown
  ? Omit<Union, Key>
  : never;
type MakeContact = (
  ...args: readonly string[]
) => DistributiveOmit<ContactCommand, keyof ReturnType<typeof endpointFlags>>;

interface ConnectOptions extends EndpointOptions {
  readonly as?: string;
  readonly invite?: true;
  readonly inviteFile?: string;
  readonly stay?: true;
  readonly wait: number;
}

function inviteSource({ invite, inviteFile }: ConnectOptions): SecretSource | undefined {
  if (inviteFile !== undefined) return { from: 'file', path: inviteFile };
  return invite === undefined ? undefined : { from: 'terminal' };
}

interface ReceiveOptions extends EndpointOptions {
  readonly to: string;
  readonly once?: true;
  readonly yes?: true;
  readonly from?: string;
  readonly scan?: string;
}

/** `chat`, `send`, `receive` and `call`. */
export function addTalk(program: Node, found: Found): void {
  endpointOptions(program.command('chat <peer>'))
    .description('talk, line by line; lines come from standard input')
    .option('--stay', 'stay after the end of the input until Ctrl-C')
    .action((peer: string, options: EndpointOptions & { readonly stay?: true }) => {
      found({ name: 'chat', ...endpointFlags(options), peer, stay: options.stay ?? false });
    });
  endpointOptions(program.command('send <file> <peer>'))
    .description('send a file; sent again after an interruption, only what is missing goes')
    .action((file: string, peer: string, options: EndpointOptions) => {
      found({ name: 'send', ...endpointFlags(options), file, peer });
    });
  endpointOptions(program.command('receive'))
    .description('take files of contacts until Ctrl-C, each after a question at the terminal')
    .option('--to <folder>', 'folder for the files', '.')
    .option('--once', 'end after one file')
    .option('-y, --yes', 'take them without a question')
    .option('--from <peer>', 'refuse files of everybody else')
    .option(
      '--scan <place>',
      'clamd that looks into each file before it is released: the path of its socket, or HOST:PORT',
    )
    .action((options: ReceiveOptions) => {
      const { to: folder, once = false, yes = false, from, scan } = options;
      found({ name: 'receive', ...endpointFlags(options), folder, once, yes, from, scan });
    });
  endpointOptions(program.command('call [peer]'))
    .description('measure a call to PEER; without PEER answer such calls until Ctrl-C')
    .requiredOption('--test', 'needed: calls with sound are for programs that use the library')
    .option('--seconds <n>', 'how long to send', wholeNumber(1, 600), 10)
    .action((peer: string | undefined, options: EndpointOptions & { readonly seconds: number }) => {
      found({ name: 'call', ...endpointFlags(options), peer, seconds: options.seconds });
    });
}

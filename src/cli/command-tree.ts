/*
 * The whole command line as a tree of commander, from which help and completion come too.
 */
import { Argument, Command as Node } from 'commander';
import { addBundle } from './bundle/bundle-commands.js';
import { addAccount, addAdmin, addGateways, pinOption } from './account-commands.js';
import {
  each,
  endpointFlags,
  endpointOptions,
  outputOption,
  type EndpointOptions,
  type Found,
} from './command-options.js';
import { SHELLS, type OutputFormat, type Shell } from './commands.js';
import { addContacts, addIdentity, addTalk } from './endpoint-commands.js';

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 64 wrong command line, 69 nobody is there, 77 refused, 78 wrong settings or files, 130 and
143 stopped by Ctrl-C or SIGTERM.
`;

const UP = `
Reads every *.yaml, *.yml and *.json of each PATH (a file or a folder), runs the operator's rooms on an in-memory
cluster, starts the pods as processes on loopback addresses, and shows the resources with their conditions, updated
in place. Nothing leaves this machine. With --once it exits with 0 when all went well, and with 1 when a resource is
stalled or not ready within a minute, or something was not as promised.

Ctrl-C stops every process; what was made stays in FOLDER.
`;

/** The tree. Each action gives the command that was meant to `found`; nothing is carried out. */
export function commandTree(version: string, found: Found): Node {
  const program = new Node('sallyport')
    .description('encrypted communication that trusts no server')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'this text')
    .helpCommand(false)
    .addHelpText('after', EXIT_CODES);
  addIdentity(program, found);
  addGateways(program, found);
  addContacts(program, found);
  addTalk(program, found);
  addAccount(program, found);
  addAdmin(program, found);
  addDoctor(program, found);
  addRole(program, found);
  addUp(program, found);
  addBundle(program, found);
  addDemo(program, found);
  program
    .command('completion')
    .description('a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => {
      found({ name: 'completion', shell });
    });
  return program;
}

function addDoctor(program: Node, found: Found): void {
  endpointOptions(program.command('doctor [url]'))
    .description(
      'look at a gateway from outside: TLS, certificate, pins, clock; NAT and MTU at relays',
    )
    .addOption(pinOption())
    .option('--address <ip>', 'IP address, when no name server knows the host')
    .option('--relay <host:port>', 'a relay, for NAT and MTU; may be repeated', each)
    .option('--login', 'log in and let the gateway name the relays')
    .action((url: string | undefined, options: DoctorOptions) => {
      const { pin: pins = [], relay: relays = [], login = false, address } = options;
      found({ name: 'doctor', ...endpointFlags(options), url, pins, address, relays, login });
    });
}

interface DoctorOptions extends EndpointOptions {
  readonly pin?: readonly string[];
  readonly address?: string;
  readonly relay?: readonly string[];
  readonly login?: true;
}

function addRole(program: Node, found: Found): void {
  program
    .command('role')
    .description('roles')
    .command('import <file>')
    .description('turn a file of roles and policies into AccessRole resources')
    .requiredOption('--gateway <name>', 'SignalingGateway that they are for; may be repeated', each)
    .option('--namespace <ns>', 'where they go', 'default')
    .option('--everyone <role>', 'the role that every registered account gets')
    .option('-o, --to <file>', 'new file (default: standard output)')
    .addOption(outputOption())
    .action((file: string, options: RoleOptions) => {
      const { gateway: gateways, namespace, everyone, to, output } = options;
      found({ name: 'role import', file, gateways, namespace, everyone, to, output });
    });
}

interface RoleOptions {
  readonly gateway: readonly string[];
  readonly namespace: string;
  readonly everyone?: string;
  readonly to?: string;
  readonly output: OutputFormat;
}

function addUp(program: Node, found: Found): void {
  program
    .command('up')
    .description('reconcile resources from YAML files on this machine, without a cluster')
    .requiredOption('-f, --filename <path>', 'file or folder; may be repeated', each)
    .option('--state <folder>', 'where keys, data and logs are kept', '.sallyport')
    .option('--demo', 'then let two new people talk through it, and try to listen in')
    .option('--once', 'wait until every resource is ready, stop everything and exit')
    .addOption(outputOption())
    .addHelpText('after', UP)
    .action((options: UpOptions) => {
      const { filename: folders, once = false, demo = false, state, output } = options;
      found({ name: 'up', folders, once, demo, state, output });
    });
}

interface UpOptions {
  readonly filename: readonly string[];
  readonly state: string;
  readonly output: OutputFormat;
  readonly demo?: true;
  readonly once?: true;
}

function addDemo(program: Node, found: Found): void {
  program
    .command('demo')
    .description(
      'let two new people talk through the gateway of "sallyport up", and try to listen in',
    )
    .option(
      '-f, --filename <path>',
      'file or folder to start if nothing runs; may be repeated',
      each,
    )
    .option('--state <folder>', 'the state folder of "sallyport up"', '.sallyport')
    .addOption(outputOption())
    .action((options: Omit<UpOptions, 'filename'> & { readonly filename?: readonly string[] }) => {
      const { filename: folders = [], state, output } = options;
      found({ name: 'demo', folders, state, output });
    });
}

/*
 * Commands about the own account, the list of gateways, and what administrators ask.
 */
import { Option, type Command as Node } from 'commander';
import {
  each,
  endpointFlags,
  endpointOptions,
  homeOption,
  outputOption,
  textLike,
  wholeNumber,
  type EndpointOptions,
  type Found,
} from './command-options.js';
import type { AccountCommand, AdminCommand } from './commands.js';

const HANDLE = /^[A-Za-z0-9_-]{22}$/;
const readHandle = textLike(HANDLE, 'the 22 characters that the list shows');
const readAccount = textLike(/^sp1[a-z2-7]{32}$/, 'a fingerprint: sp1 and 32 characters');

/** `status`, `devices`, `sessions`, `factors` and `export`. */
export function addAccount(program: Node, found: Found): void {
  const listed = (name: AccountCommand['name'] & `${string} list`, of: string): Node => {
    const [group = ''] = name.split(' ');
    const node = program.command(group).description(`${of} of this account`);
    endpointOptions(node.command('list'))
      .description(`list ${of}`)
      .action((options: EndpointOptions) => {
        found({ name, ...endpointFlags(options) });
      });
    return node;
  };
  endpointOptions(program.command('status'))
    .description('identity, gateway, session and contacts')
    .action((options: EndpointOptions) => {
      found({ name: 'status', ...endpointFlags(options) });
    });
  endpointOptions(listed('devices list', 'devices').command('revoke'))
    .description('end a lost device for ever')
    .argument('<device>', 'as "devices list" shows it', readHandle)
    .action((device: string, options: EndpointOptions) => {
      found({ name: 'devices revoke', ...endpointFlags(options), device });
    });
  endpointOptions(listed('sessions list', 'login sessions').command('end'))
    .description('end a session; without SESSION this one')
    .argument('[session]', 'as "sessions list" shows it', readHandle)
    .action((session: string | undefined, options: EndpointOptions) => {
      found({ name: 'sessions end', ...endpointFlags(options), session });
    });
  addFactors(listed('factors list', 'second factors'), found);
  endpointOptions(program.command('export'))
    .description('everything that gateway and endpoint store about this account, as JSON')
    .option('--to <file>', 'new file, mode 0600 (default: standard output)')
    .action((options: EndpointOptions & { readonly to?: string }) => {
      found({ name: 'export', ...endpointFlags(options), to: options.to });
    });
}

function addFactors(factors: Node, found: Found): void {
  for (const [name, description] of [
    ['add', 'a new generator of one-time codes (TOTP)'],
    ['codes', 'ten new recovery codes, shown once at the terminal'],
  ] as const)
    endpointOptions(factors.command(name))
      .description(description)
      .action((options: EndpointOptions) => {
        found({ name: `factors ${name}`, ...endpointFlags(options) });
      });
  endpointOptions(factors.command('remove'))
    .description('remove a second factor')
    .argument('<factor>', 'as "factors list" shows it', readHandle)
    .action((factor: string, options: EndpointOptions) => {
      found({ name: 'factors remove', ...endpointFlags(options), factor });
    });
}

/** `gateways ...`. */
export function addGateways(program: Node, found: Found): void {
  const gateways = program.command('gateways').description('the gateways of this endpoint');
  const simple = (name: string): Node =>
    gateways.command(name).addOption(homeOption()).addOption(outputOption());
  type Flags = Pick<EndpointOptions, 'output' | 'home'>;
  simple('list')
    .description('list them, in the order in which they are tried')
    .action(({ home, output }: Flags) => {
      found({ name: 'gateways list', home, output });
    });
  simple('add <url>')
    .description('add one, wss://HOST[:PORT], at the end')
    .addOption(pinOption().makeOptionMandatory())
    .option('--address <ip>', 'IP address, when no name server knows the host')
    .option('--via-ingress', 'a trusted ingress ends TLS in front of it')
    .action((url: string, options: Flags & AddOptions) => {
      const { home, output, pin, address, viaIngress = false } = options;
      found({ name: 'gateways add', home, output, url, pins: pin, address, viaIngress });
    });
  simple('remove <url>')
    .description('remove one')
    .action((url: string, { home, output }: Flags) => {
      found({ name: 'gateways remove', home, output, url });
    });
}

interface AddOptions {
  readonly pin: readonly string[];
  readonly address?: string;
  readonly viaIngress?: true;
}

/** `--pin`, which may be repeated. */
export const pinOption = (): Option =>
  new Option(
    '--pin <pin>',
    'sha256/BASE64 of its key, or of its authority; may be repeated',
  ).argParser(each);

interface AdminRequest {
  readonly group: string;
  readonly verb: string;
  readonly request: AdminCommand['request'];
  readonly description: string;
  /** Fields of the body, in the order of the arguments; in brackets: may be left out. */
  readonly takes: readonly string[];
}

const admin = (
  name: string,
  request: AdminCommand['request'],
  takes: readonly string[],
  description: string,
): AdminRequest => {
  const [group = '', verb = ''] = name.split(' ');
  return { group, verb, request, takes, description };
};

/** What administrators can ask, as data. */
const ADMIN: readonly AdminRequest[] = [
  admin('users list', 'admin.account.list', [], 'all accounts'),
  admin('users approve', 'admin.account.approve', ['account'], 'let a new account in'),
  admin('users lock', 'admin.account.lock', ['account'], 'end everything of an account'),
  admin('users unlock', 'admin.account.unlock', ['account'], 'end a lock'),
  admin('users delete', 'admin.account.delete', ['account'], 'delete an account'),
  admin('users reset-factors', 'admin.factor.reset', ['account'], 'remove all second factors'),
  admin('devices list', 'admin.device.list', ['account'], 'devices of an account'),
  admin('devices pending', 'admin.device.pending', [], 'devices that wait for approval'),
  admin('devices approve', 'admin.device.approve', ['account', 'device'], 'let a device in'),
  admin('devices revoke', 'admin.device.revoke', ['account', 'device'], 'bar a device'),
  admin('sessions list', 'admin.session.list', ['account'], 'login sessions of an account'),
  admin('sessions revoke', 'admin.session.revoke', ['account', '[session]'], 'end one, or all'),
  admin('invites list', 'admin.invite.list', [], 'codes that nobody has used'),
  admin('invites revoke', 'admin.invite.revoke', ['invite'], 'make a code worthless'),
  admin('leases list', 'admin.lease.list', ['account'], 'relay leases of an account'),
  admin('leases revoke', 'admin.lease.revoke', ['account', '[jti]'], 'end one, or all'),
  admin('relays list', 'admin.relay.list', [], 'relays that have registered'),
];

const FIELDS: Readonly<Record<string, (text: string) => string>> = {
  account: readAccount,
  device: readHandle,
  session: readHandle,
  invite: readHandle,
  jti: readHandle,
};

/** `admin ...`. */
export function addAdmin(program: Node, found: Found): void {
  const node = program.command('admin').description('what administrators of a gateway may ask');
  const groups = new Map<string, Node>();
  for (const one of ADMIN) {
    const group = groups.get(one.group) ?? node.command(one.group).description(one.group);
    groups.set(one.group, group);
    addRequest(group.command(one.verb), one, found);
  }
  addRequest(node.command('approve'), shortcut('users approve'), found);
  addRequest(node.command('revoke'), shortcut('devices revoke'), found);
  const invite = node.command('invite').description('a code with which one new account gets in');
  const hours = wholeNumber(1, 720);
  endpointOptions(invite.option('--hours <n>', 'how long it counts', hours, 72)).action(
    (options: EndpointOptions & { readonly hours: number }) => {
      const body = { lifetimeSeconds: options.hours * 3_600 };
      const request = 'admin.invite.create';
      found({ name: 'admin', ...endpointFlags(options), request, body });
    },
  );
}

function shortcut(name: string): AdminRequest {
  const one = ADMIN.find(({ group, verb }) => `${group} ${verb}` === name);
  if (one === undefined) throw new RangeError(`no request ${name}`);
  return { ...one, description: `as "admin ${name}"` };
}

function addRequest(node: Node, { request, takes, description }: AdminRequest, found: Found): void {
  const fields = takes.map((field) => field.replace(/^\[(.*)\]$/, '$1'));
  endpointOptions(node.description(description));
  for (const [i, field] of fields.entries())
    node.argument(
      takes[i] === field ? `<${field}>` : `[${field}]`,
      '',
      FIELDS[field] ?? readHandle,
    );
  node.action((...args: unknown[]) => {
    const options = args[fields.length] as EndpointOptions;
    // Commander gives undefined for what was left out.
    const values = args.slice(0, fields.length) as (string | undefined)[];
    const body = Object.fromEntries(
      fields.flatMap((field, i) => (values[i] === undefined ? [] : [[field, values[i]]])),
    );
    found({ name: 'admin', ...endpointFlags(options), request, body });
  });
}

import { describe, expect, it } from '@jest/globals';
import { ActionableError } from '../runtime/errors.js';
import { parseCommandLine } from './arguments.js';

const PEER = `sp1${'a'.repeat(32)}`;
const DASHED = '-57_RB2XsUc1E9zU5Kmb-w';
const HANDLE = 'A'.repeat(22);
const AT_TERMINAL = { home: undefined, passphrase: { from: 'terminal' }, output: 'text' };

/** What is thrown for this command line. */
function refusalOf(argv: readonly string[]): ActionableError {
  try {
    parseCommandLine(argv);
  } catch (error) {
    if (error instanceof ActionableError) return error;
  }
  throw new Error('nothing was refused');
}

describe('the command line', () => {
  it.each([
    [
      ['up', '-f', 'a'],
      {
        ...{ name: 'up', folders: ['a'], once: false, demo: false, state: '.sallyport' },
        output: 'text',
      },
    ],
    [
      ['up', '-f', 'a', '--filename', 'b', '--once', '--output', 'json'],
      {
        ...{ name: 'up', folders: ['a', 'b'], once: true, demo: false, state: '.sallyport' },
        output: 'json',
      },
    ],
    [
      ['up', '-f', 'config/quickstart', '--state', 's', '--demo', '--once'],
      {
        ...{ name: 'up', folders: ['config/quickstart'], once: true, demo: true, state: 's' },
        output: 'text',
      },
    ],
    [['demo'], { name: 'demo', folders: [], state: '.sallyport', output: 'text' }],
    [['demo', '-f', 'a'], { name: 'demo', folders: ['a'], state: '.sallyport', output: 'text' }],
    [
      ['identity', 'passphrase', '--passphrase-fd', '3', '--new-passphrase-file', 'n'],
      {
        ...{ name: 'identity passphrase', ...AT_TERMINAL },
        passphrase: { from: 'descriptor', descriptor: 3 },
        newPassphrase: { from: 'file', path: 'n' },
      },
    ],
    [['completion', 'fish'], { name: 'completion', shell: 'fish' }],
    [['identity', 'create'], { name: 'identity create', words: 24, backup: true, ...AT_TERMINAL }],
    [
      ['identity', 'create', '--words', '12', '--no-backup'],
      { name: 'identity create', words: 12, backup: false, ...AT_TERMINAL },
    ],
    [['identity', 'backup'], { name: 'identity backup', ...AT_TERMINAL }],
    [
      ['identity', 'show', '--home', 'h', '--passphrase-file', 'p', '--output', 'json'],
      {
        ...{ name: 'identity show', home: 'h', output: 'json' },
        passphrase: { from: 'file', path: 'p' },
      },
    ],
    [
      ['status', '--passphrase-fd', '3'],
      { name: 'status', ...AT_TERMINAL, passphrase: { from: 'descriptor', descriptor: 3 } },
    ],
    [
      ['connect', PEER, '--as', 'Bob', '--wait', '5'],
      {
        ...{ name: 'connect', ...AT_TERMINAL, peer: PEER, as: 'Bob', invite: undefined },
        ...{ stay: false, waitSeconds: 5 },
      },
    ],
    [
      ['connect', '--invite', '--stay'],
      {
        ...{ name: 'connect', ...AT_TERMINAL, peer: undefined, as: undefined, stay: true },
        ...{ invite: { from: 'terminal' }, waitSeconds: 60 },
      },
    ],
    [
      ['verify', 'Bob', '--number', '12345'],
      { name: 'verify', ...AT_TERMINAL, peer: 'Bob', number: '12345' },
    ],
    [['contacts', 'list'], { name: 'contacts list', ...AT_TERMINAL }],
    [
      ['contacts', 'rename', 'Bob', 'Robert'],
      { name: 'contacts rename', ...AT_TERMINAL, peer: 'Bob', as: 'Robert' },
    ],
    [
      ['contacts', 'allow-direct', 'Bob'],
      { name: 'contacts path', ...AT_TERMINAL, peer: 'Bob', direct: true },
    ],
    [['chat', 'Bob'], { name: 'chat', ...AT_TERMINAL, peer: 'Bob', stay: false }],
    [['send', 'f.pdf', 'Bob'], { name: 'send', ...AT_TERMINAL, file: 'f.pdf', peer: 'Bob' }],
    [
      ['receive', '--to', 'd'],
      {
        ...{ name: 'receive', ...AT_TERMINAL, folder: 'd', once: false, yes: false },
        ...{ from: undefined, scan: undefined },
      },
    ],
    [
      ['receive', '--yes', '--from', 'Bob', '--scan', '/run/clamd.sock', '--once'],
      {
        ...{ name: 'receive', ...AT_TERMINAL, folder: '.', once: true, yes: true },
        ...{ from: 'Bob', scan: '/run/clamd.sock' },
      },
    ],
    [['call', '--test'], { name: 'call', ...AT_TERMINAL, peer: undefined, seconds: 10 }],
    [['devices', 'revoke', HANDLE], { name: 'devices revoke', ...AT_TERMINAL, device: HANDLE }],
    // One of 64 ids begins with a dash.
    [
      ['devices', 'revoke', DASHED, '--output', 'json'],
      { name: 'devices revoke', ...AT_TERMINAL, device: DASHED, output: 'json' },
    ],
    [
      ['devices', 'revoke', '--', DASHED],
      { name: 'devices revoke', ...AT_TERMINAL, device: DASHED },
    ],
    [['sessions', 'end'], { name: 'sessions end', ...AT_TERMINAL, session: undefined }],
    [['export', '--to', 'x.json'], { name: 'export', ...AT_TERMINAL, to: 'x.json' }],
    [
      ['admin', 'users', 'list'],
      { name: 'admin', ...AT_TERMINAL, request: 'admin.account.list', body: {} },
    ],
    [
      ['admin', 'approve', PEER],
      { name: 'admin', ...AT_TERMINAL, request: 'admin.account.approve', body: { account: PEER } },
    ],
    [
      ['admin', 'devices', 'revoke', PEER, HANDLE],
      {
        ...{ name: 'admin', ...AT_TERMINAL, request: 'admin.device.revoke' },
        body: { account: PEER, device: HANDLE },
      },
    ],
    [
      ['admin', 'sessions', 'revoke', PEER],
      { name: 'admin', ...AT_TERMINAL, request: 'admin.session.revoke', body: { account: PEER } },
    ],
    [
      ['admin', 'invite', '--hours', '2'],
      {
        ...{ name: 'admin', ...AT_TERMINAL, request: 'admin.invite.create' },
        body: { lifetimeSeconds: 7_200 },
      },
    ],
    [
      [
        'role',
        'import',
        'roles.yaml',
        '--gateway',
        'edge',
        '--everyone',
        'guest',
        '-o',
        'out.yaml',
      ],
      {
        ...{ name: 'role import', file: 'roles.yaml', gateways: ['edge'], namespace: 'default' },
        ...{ everyone: 'guest', to: 'out.yaml', output: 'text' },
      },
    ],
    [
      ['gateways', 'add', 'wss://gw.example:1', '--pin', 'a', '--pin', 'b', '--home', 'h'],
      {
        ...{ name: 'gateways add', url: 'wss://gw.example:1', pins: ['a', 'b'], home: 'h' },
        ...{ output: 'text', address: undefined, viaIngress: false },
      },
    ],
  ])('%j', (argv, command) => {
    expect(parseCommandLine(argv)).toEqual(command);
  });

  it.each([[[]], [['--help']], [['help']], [['up', '--help']], [['admin', 'users', '-h']]])(
    'gives help for %j',
    (argv) => {
      const command = parseCommandLine(argv);
      expect(command).toMatchObject({ name: 'help' });
      expect('text' in command && command.text).toMatch(/^Usage: sallyport/);
    },
  );

  it('documents every exit code in its help', () => {
    const command = parseCommandLine(['--help']);
    for (const code of [0, 1, 64, 69, 77, 78, 130, 143])
      expect('text' in command && command.text).toMatch(new RegExp(`\\b${code}\\b`));
  });

  it.each([
    [['down'], 'sallyport: unknown command', 'sallyport --help'],
    [['up'], 'required option', 'sallyport up --help'],
    [['up', '--forever', '-f', 'a'], 'unknown option', 'sallyport up --help'],
    [['up', '-f', 'x', 'a'], 'takes fewer arguments', 'sallyport up --help'],
    [['up', '-f'], 'argument missing', 'sallyport up --help'],
    [
      ['identity'],
      'needs one of: create, restore, show, backup, passphrase',
      'sallyport identity --help',
    ],
    [['identity', 'create', '--words', '13'], '--words', 'sallyport identity create --help'],
    [['status', '--output', 'xml'], 'Allowed choices are text, json', 'sallyport status --help'],
    [['call', 'Bob'], 'required option', 'sallyport call --help'],
    [['admin', 'approve', 'Bob'], 'a fingerprint', 'sallyport admin approve --help'],
    [['devices', 'revoke', '../x'], '22 characters', 'sallyport devices revoke --help'],
  ])('refuses %j and says what to write', (argv, problem, hint) => {
    const refusal = refusalOf(argv);
    expect(refusal.code).toBe('ERR_ARGUMENT');
    expect(refusal.problem).toContain(problem);
    expect(refusal.hint).toContain(`Write "${hint}"`);
  });

  it.each([
    [['identity', 'create', '--passphrase', 'hunter2hunter2']],
    [['identity', 'create', '--passphrase=hunter2hunter2']],
    [['identity', 'restore', '--phrase', 'hunter2hunter2']],
    [['identity', 'restore', '--mnemonic=hunter2hunter2']],
    [['connect', '--password=hunter2hunter2']],
  ])('takes no secret as an argument, repeats none, and says where they go: %j', (argv) => {
    const { problem, hint } = refusalOf(argv);
    expect(problem).not.toContain('hunter2');
    expect(hint).toContain('--passphrase-file');
  });

  it('repeats no word of a phrase that was typed behind a command', () => {
    const { message } = refusalOf(['identity', 'restore', 'abandon', 'ability', 'able']);
    expect(message).not.toMatch(/abandon|ability|\bable\b/);
  });
});

/*
 * An administrator at the command line, at a gateway that is a process of its own: what is asked comes about for the one
 * whom it concerns.
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { IdentityFile } from '../../src/client/endpoint.library.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import {
  CliFolder,
  CliProcess,
  json,
  PASSPHRASE,
  refusal,
  rewriteSettings,
  run,
} from './cli-bed.js';
import { ClientBed } from './client-bed.js';

type Rows = readonly Readonly<Record<string, unknown>>[];
interface Page {
  readonly items: Rows;
}

let bed: ClientBed;
let folder: CliFolder;
let root: readonly string[];
let rootPrint: string;
let alice: readonly string[];
let alicePrint: string;

const policy =
  (registration: 'Approval' | 'Invite') =>
  (settings: GatewaySettings): GatewaySettings => ({
    ...settings,
    authentication: {
      ...settings.authentication,
      ...{ registration, administrators: [rootPrint], deviceApproval: 'Administrator' },
    },
  });

const gateways = async () => [
  { host: 'localhost', port: bed.gateway.port, pins: [await bed.pin()] },
];
const fingerprintOf = async (who: readonly string[]): Promise<string> =>
  (await json('identity', 'show', ...who))['fingerprint'] as string;

beforeAll(async () => {
  folder = await CliFolder.make();
  root = await folder.endpoint('root');
  rootPrint = await fingerprintOf(root);
  bed = await ClientBed.start(1, policy('Approval'));
  await folder.gateways('root', await gateways());
  alice = await folder.endpoint('alice', await gateways());
  alicePrint = await fingerprintOf(alice);
}, 180_000);
afterAll(async () => {
  await bed.stop();
  await folder.remove();
});

/** The account in the folder `of` on another device, whose folder is `name`. */
async function secondDevice(name: string, of = 'alice'): Promise<readonly string[]> {
  const at = (home: string) => ({
    ...{ path: folder.in(home, 'identity'), backend: nodeBackend, nowMs: Date.now() },
    passphrase: Buffer.from(PASSPHRASE),
  });
  const first = await IdentityFile.open(at(of));
  const phrase = first.identity.phrase() ?? '';
  first.close();
  await mkdir(folder.in(name), { mode: 0o700 });
  (await IdentityFile.restore(at(name), { phrase })).close();
  await folder.gateways(name, await gateways());
  return folder.of(name);
}

describe('an administrator lets people in', () => {
  it('and sees who waits, as a table and as JSON', async () => {
    expect(await json('status', ...root)).toMatchObject({ administrator: true });
    expect(await refusal('status', ...alice)).toMatchObject({
      ...{ exit: 77, code: 'ERR_GATEWAY_LOGIN' },
      hint: 'Ask an administrator: sallyport admin users approve FINGERPRINT.',
    });
    const { items } = await json<Page>('admin', 'users', 'list', ...root);
    expect(items.find(({ account }) => account === alicePrint)).toMatchObject({
      ...{ state: 'Pending', administrator: false },
    });
    const { code, stdout } = await run('admin', 'users', 'list', ...root);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ACCOUNT +STATE .*ADMINISTRATOR/m);
    expect(stdout).toMatch(new RegExp(`^${alicePrint} +Pending .*\\d{4}-\\d\\d-\\d\\d +no `, 'm'));
  }, 120_000);

  it('by approving the account', async () => {
    expect(await run('admin', 'approve', alicePrint, ...root)).toEqual({
      ...{ code: 0, stdout: 'Done: account approve.\n', stderr: '' },
    });
    expect(await json('status', ...alice)).toMatchObject({
      account: alicePrint,
      roles: ['member'],
    });
    expect(await refusal('admin', 'approve', alicePrint, ...root)).toMatchObject({
      ...{ exit: 77, code: 'ERR_GATEWAY_REFUSED', hint: 'It is done already.' },
    });
  }, 120_000);

  it('by approving a further device, and bars it again', async () => {
    const second = await secondDevice('phone');
    expect(await refusal('status', ...second)).toMatchObject({
      hint: 'Ask an administrator: sallyport admin devices approve FINGERPRINT DEVICE.',
    });
    const { items } = await json<Page>('admin', 'devices', 'pending', ...root);
    const [{ device }] = items as [{ device: string }];
    expect(items).toEqual([{ account: alicePrint, device }]);
    await json('admin', 'devices', 'approve', alicePrint, device, ...root);
    expect((await run('status', ...second)).code).toBe(0);
    await json('admin', 'revoke', alicePrint, device, ...root);
    expect(await refusal('status', ...second)).toMatchObject({ exit: 77 });
    const { devices } = await json<{ devices: Rows }>(
      'admin',
      'devices',
      'list',
      alicePrint,
      ...root,
    );
    const of = (state: string) => devices.filter((one) => one['state'] === state);
    expect([of('Active').length, of('Revoked')]).toEqual([
      1,
      [expect.objectContaining({ device })],
    ]);
  }, 180_000);
});

describe('an administrator ends what runs', () => {
  it('one session, and the program that uses it hears of it', async () => {
    const stay = CliProcess.run(['connect', '--stay', ...alice, '--output', 'json']);
    await stay.says('sessionEndsAt');
    const list = async (): Promise<Rows> =>
      (await json<{ sessions: Rows }>('admin', 'sessions', 'list', alicePrint, ...root)).sessions;
    const [{ session }] = (await list()) as [{ session: string }];
    await json('admin', 'sessions', 'revoke', alicePrint, session, ...root);
    expect((await list()).map((one) => one['session'])).not.toContain(session);
    await stay.says('"event":"away"');
    stay.interrupt();
    expect((await stay.ended).code).toBe(0);
  }, 120_000);

  it('all sessions and leases of an account', async () => {
    await json('admin', 'sessions', 'revoke', alicePrint, ...root);
    expect(await json('admin', 'sessions', 'list', alicePrint, ...root)).toEqual({ sessions: [] });
    expect(await json('admin', 'leases', 'list', alicePrint, ...root)).toEqual({ leases: [] });
    await json('admin', 'leases', 'revoke', alicePrint, ...root);
    const none = await run('admin', 'leases', 'list', alicePrint, ...root);
    expect(none).toMatchObject({ code: 0, stdout: 'None.\n' });
  }, 120_000);

  it('everything, by locking the account', async () => {
    await json('admin', 'users', 'lock', alicePrint, ...root);
    expect(await refusal('status', ...alice)).toMatchObject({ exit: 77 });
    const { items } = await json<Page>('admin', 'users', 'list', ...root);
    expect(items.find(({ account }) => account === alicePrint)).toMatchObject({ state: 'Locked' });
  }, 120_000);

  it('and sees the relays', async () => {
    const { items } = await json<Page>('admin', 'relays', 'list', ...root);
    expect(items).toEqual([
      expect.objectContaining({ rid: 'edge/eu/0', region: 'europe', state: 'Live' }),
    ]);
    expect((await run('admin', 'relays', 'list', ...root)).stdout).toMatch(
      /^RID +REGION +STATE +SESSIONS\nedge\/eu\/0 +europe +Live +\d+$/m,
    );
  }, 120_000);
});

describe('an administrator invites', () => {
  it('with a code that lets one new account in, once', async () => {
    await rewriteSettings(bed, policy('Invite'));
    const bob = await folder.endpoint('bob', await gateways());
    const until = Date.now() + 30_000;
    let refused = await refusal('status', ...bob);
    while (!refused.hint.includes('--invite') && Date.now() < until)
      refused = await refusal('status', ...bob);
    const made = await json<{ code: string; invite: string }>('admin', 'invite', ...root);
    const listed = await json<Page>('admin', 'invites', 'list', ...root);
    expect(listed.items).toEqual([expect.objectContaining({ invite: made.invite })]);
    const file = await folder.secret('code', made.code);
    expect((await run('connect', '--invite-file', file, ...bob)).code).toBe(0);
    const eve = await folder.endpoint('eve', await gateways());
    expect(await refusal('connect', '--invite-file', file, ...eve)).toMatchObject({
      ...{ exit: 77, hint: 'The code is used, over or mistyped: ask for another one.' },
    });
  }, 180_000);

  it('and takes a code back', async () => {
    const text = await run('admin', 'invite', '--hours', '1', ...root);
    const [, invite = ''] = /admin invites revoke (\S{22})/.exec(text.stdout) ?? [];
    expect(text.stdout).toMatch(/^Invite code, shown once: [a-z2-7-]{10,40}$/m);
    await json('admin', 'invites', 'revoke', invite, ...root);
    expect(await json('admin', 'invites', 'list', ...root)).toEqual({ items: [] });
    expect(await refusal('admin', 'invites', 'revoke', invite, ...root)).toMatchObject({
      hint: 'Look at the list: it may be gone already.',
    });
  }, 120_000);
});

describe('an account looks after itself', () => {
  it('and exports what is stored about it into a file for itself alone', async () => {
    const path = folder.in('export.json');
    expect(await json('export', '--to', path, ...root)).toEqual({ writtenTo: path });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const exported = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    expect(Object.keys(exported)).toEqual(['exportedAt', 'gateway', 'endpoint']);
    expect(exported['endpoint']).toMatchObject({ fingerprint: rootPrint, contacts: [] });
    const again = await run('export', '--to', path, ...root);
    expect(again.code).toBe(78);
    const whole = await json<{ gateway: object }>('export', ...root);
    expect(Object.keys(whole.gateway).length).toBeGreaterThan(2);
  }, 120_000);

  it('and ends its session, after which the next command logs in anew', async () => {
    const current = async () =>
      (await json<Rows>('sessions', 'list', ...root)).find((one) => one['current'] === true);
    const before = await current();
    const ended = await run('sessions', 'end', ...root);
    expect(ended).toEqual({ code: 0, stdout: 'The session is over.\n', stderr: '' });
    expect((await current())?.['session']).not.toBe(before?.['session']);
  }, 120_000);

  it('and revokes a device that it has lost for ever', async () => {
    const bob = folder.of('bob');
    const lost = await secondDevice('tablet', 'bob');
    await run('status', ...lost);
    const { items } = await json<Page>('admin', 'devices', 'pending', ...root);
    const [{ account, device }] = items as [{ account: string; device: string }];
    await json('admin', 'devices', 'approve', account, device, ...root);
    expect((await run('status', ...lost)).code).toBe(0);
    expect(await json('devices', 'revoke', device, ...bob)).toEqual({ revoked: device });
    expect(await refusal('status', ...lost)).toMatchObject({
      ...{ exit: 77, hint: expect.stringContaining('restore the identity from its phrase') },
    });
    const devices = await json<Rows>('devices', 'list', ...bob);
    const own = String(devices.find(({ thisDevice }) => thisDevice === true)?.['device']);
    expect(await refusal('devices', 'revoke', own, ...bob)).toMatchObject({
      ...{ exit: 78, code: 'ERR_IDENTITY_REVOKED' },
    });
  }, 180_000);
});

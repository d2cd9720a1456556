/*
 * Second factors at a terminal: what needs a fresh one asks for it, and goes on when it is right.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateSync } from 'otplib';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { CliFolder, CliProcess, json, refusal, rewriteSettings, run } from './cli-bed.js';
import { ClientBed } from './client-bed.js';

let bed: ClientBed;
let folder: CliFolder;
let root: readonly string[];
let rootPrint: string;
let alice: readonly string[];
let alicePrint: string;
let secret: string;
let codes: readonly string[] = [];
let used = 0;

const settings =
  (requiredFor: 'Nobody' | 'Everyone') =>
  (before: GatewaySettings): GatewaySettings => ({
    ...before,
    authentication: {
      ...before.authentication,
      administrators: [rootPrint],
      secondFactors: { allowed: ['WebAuthn', 'Totp'], requiredFor },
    },
  });

beforeAll(async () => {
  folder = await CliFolder.make();
  const fingerprintOf = async (who: readonly string[]): Promise<string> =>
    (await json('identity', 'show', ...who))['fingerprint'] as string;
  root = await folder.endpoint('root');
  rootPrint = await fingerprintOf(root);
  bed = await ClientBed.start(0, settings('Nobody'));
  const gateways = [{ host: 'localhost', port: bed.gateway.port, pins: [await bed.pin()] }];
  await folder.gateways('root', gateways);
  alice = await folder.endpoint('alice', gateways);
  alicePrint = await fingerprintOf(alice);
  await run('status', ...alice);
}, 180_000);
afterAll(async () => {
  await bed.stop();
  await folder.remove();
});

const nextCode = (): string => codes[used++] ?? '';

/** Runs a command at a terminal, types a recovery code when it asks; gives what it wrote elsewhere, as JSON. */
async function proven(...args: readonly string[]): Promise<unknown> {
  const out = folder.in('proven.out');
  const command = CliProcess.atTerminal([...args, ...root, '--output', 'json'], `>${out}`);
  await command.says('Second factor, six digits of your generator or a recovery code');
  command.type(`${nextCode()}\r`);
  expect((await command.ended).code).toBe(0);
  return JSON.parse(await readFile(out, 'utf8'));
}

/** A new session, in which nothing was proven yet. */
const newSession = async (): Promise<void> => {
  expect((await run('sessions', 'end', ...root)).code).toBe(0);
};

describe('second factors are added at a terminal', () => {
  it('a generator, by a code that it shows; its secret is not written anywhere else', async () => {
    const out = folder.in('add.out');
    const add = CliProcess.atTerminal(['factors', 'add', ...root], `>${out}`);
    const screen = await add.says('Six digits that it shows now');
    secret = /secret=([A-Z2-7]{32})/.exec(screen)?.[1] ?? '';
    expect(screen).toMatch(/[█▀▄]{10}/);
    add.type(`12 34\r`);
    await add.says('Six digits that it shows now');
    add.type(`${generateSync({ secret })}\r`);
    const { code, stdout } = await add.ended;
    expect(code).toBe(0);
    expect(stdout.trimEnd().endsWith('\u001b[2J\u001b[H\u001b[?1049l')).toBe(true);
    expect(await readFile(out, 'utf8')).toBe(
      'The generator counts from now on. Take recovery codes as well: sallyport factors codes.\n',
    );
    const listed = await json<object[]>('factors', 'list', ...root);
    expect(listed).toEqual([expect.objectContaining({ kind: 'TOTP', label: 'sallyport' })]);
  }, 120_000);

  it('ten recovery codes, to be written down', async () => {
    const take = CliProcess.atTerminal(['factors', 'codes', ...root]);
    const screen = await take.says('Press Enter when they are written down');
    codes = [...screen.matchAll(/^ {4}([a-z2-7-]{10,40})\r$/gm)].map(([, code]) => code ?? '');
    expect(new Set(codes).size).toBe(10);
    take.type('\r');
    expect((await take.ended).code).toBe(0);
  }, 60_000);

  it('and nowhere else', async () => {
    for (const what of ['add', 'codes'])
      expect(await refusal('factors', what, ...root)).toMatchObject({
        ...{ exit: 64, code: 'ERR_TERMINAL' },
        hint: 'Run it at a terminal: the secret is shown nowhere else.',
      });
  }, 60_000);
});

describe('S91: what needs a fresh second factor', () => {
  it('S91: is not done without a terminal, and says so', async () => {
    await newSession();
    for (const args of [['export'], ['admin', 'users', 'delete', alicePrint]])
      expect(await refusal(...args, ...root)).toMatchObject({
        ...{ exit: 64, code: 'ERR_TERMINAL' },
        hint: 'Run it at a terminal: a code of a second factor has to be typed.',
      });
  }, 60_000);

  it('S91: asks for it, and takes no wrong one', async () => {
    const wrong = CliProcess.atTerminal(['export', ...root]);
    await wrong.says('Second factor');
    wrong.type('no code\r');
    await wrong.says('That is no code.');
    wrong.type('aaaaa-aaaaa-aaaaa-aaaaa\r');
    const { code, stdout } = await wrong.ended;
    expect(code).toBe(77);
    expect(stdout).toContain('proof-invalid');
    expect(stdout).not.toContain('exportedAt');
  }, 60_000);

  it('S91: export goes on after it, and again within five minutes without one', async () => {
    expect(await proven('export')).toMatchObject({ endpoint: { fingerprint: rootPrint } });
    expect((await run('export', ...root)).code).toBe(0);
  }, 60_000);

  it('S91: unlocking an account goes on after it', async () => {
    await json('admin', 'users', 'lock', alicePrint, ...root);
    await newSession();
    await proven('admin', 'users', 'unlock', alicePrint);
    expect((await run('status', ...alice)).code).toBe(0);
  }, 90_000);

  it('S91: taking the second factors of somebody away goes on after it', async () => {
    const add = CliProcess.atTerminal(['factors', 'add', ...alice]);
    const screen = await add.says('Six digits that it shows now');
    const own = /secret=([A-Z2-7]{32})/.exec(screen)?.[1] ?? '';
    add.type(`${generateSync({ secret: own })}\r`);
    expect((await add.ended).code).toBe(0);
    await newSession();
    await proven('admin', 'users', 'reset-factors', alicePrint);
    expect(await json('factors', 'list', ...alice)).toEqual([]);
  }, 120_000);

  it('S91: deleting an account goes on after it', async () => {
    await newSession();
    await proven('admin', 'users', 'delete', alicePrint);
    const { items } = await json<{ items: { account: string }[] }>(
      'admin',
      'users',
      'list',
      ...root,
    );
    expect(items.map(({ account }) => account)).toEqual([rootPrint]);
  }, 90_000);
});

describe('a login that needs a second factor', () => {
  it('asks for it at the terminal, and ends with 130 at Ctrl-C', async () => {
    await rewriteSettings(bed, settings('Everyone'));
    const until = Date.now() + 30_000;
    let refused = await refusal('status', ...root).catch(() => undefined);
    while (refused?.code !== 'ERR_GATEWAY_LOGIN' && Date.now() < until) {
      await run('sessions', 'end', ...root);
      refused = await refusal('status', ...root).catch(() => undefined);
    }
    expect(refused).toMatchObject({ exit: 77, hint: expect.stringContaining('security key') });
    const stopped = CliProcess.atTerminal(['status', ...root]);
    await stopped.says('Second factor');
    stopped.type('\u0003');
    expect((await stopped.ended).code).toBe(130);
    expect(await proven('status')).toMatchObject({ account: rootPrint });
  }, 120_000);

  it('keeps the last factor while it is needed, and lets it go with a fresh proof after that', async () => {
    const [{ factor }] = await json<[{ factor: string }]>('factors', 'list', ...root);
    const remove = ['factors', 'remove', factor, ...root];
    expect(await refusal(...remove)).toMatchObject({
      ...{ exit: 77, hint: 'Add a second factor first: sallyport factors add.' },
    });
    await rewriteSettings(bed, settings('Nobody'));
    const until = Date.now() + 30_000;
    let removed = await run(...remove);
    while (removed.code !== 0 && Date.now() < until) removed = await run(...remove);
    expect(removed.stdout).toBe('The second factor is removed.\n');
    expect(await json('factors', 'list', ...root)).toEqual([]);
  }, 60_000);
});

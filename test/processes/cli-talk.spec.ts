/*
 * Two people with the command line, through a gateway and relays that are processes of their own.
 */
import { randomBytes } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CliFolder, CliProcess, json, refusal, run } from './cli-bed.js';
import { ClientBed } from './client-bed.js';

const JSON_OUTPUT = ['--output', 'json'];
let bed: ClientBed;
let folder: CliFolder;
let alice: readonly string[];
let bob: readonly string[];
let bobPrint: string;
let alicePrint: string;

beforeAll(async () => {
  bed = await ClientBed.start(2);
  folder = await CliFolder.make();
  const gateways = [{ host: 'localhost', port: bed.gateway.port, pins: [await bed.pin()] }];
  alice = await folder.endpoint('alice', gateways);
  bob = await folder.endpoint('bob', gateways);
  alicePrint = await fingerprintOf(alice);
  bobPrint = await fingerprintOf(bob);
}, 120_000);
afterAll(async () => {
  await bed.stop();
  await folder.remove();
});

const fingerprintOf = async (who: readonly string[]): Promise<string> =>
  (await json('identity', 'show', ...who))['fingerprint'] as string;

describe('two people at their command lines', () => {
  it('become contacts when each asks for the other', async () => {
    const both = await Promise.all([
      run('connect', bobPrint, '--as', 'Bob', ...alice, ...JSON_OUTPUT),
      CliProcess.run(['connect', alicePrint, '--as', 'Alice', '--stay', ...bob]).saysThenStops(),
    ]);
    expect(both.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ]);
    const [known] = await json<{ name: string; state: string }[]>('contacts', 'list', ...alice);
    expect(known).toMatchObject({ name: 'Bob', state: 'accepted', verified: false });
  }, 120_000);

  it('see the same safety number without a gateway, and mark each other after comparing it', async () => {
    const { safetyNumber } = await json<{ safetyNumber: string }>('verify', 'Bob', ...alice);
    const marked = await json('verify', 'Alice', '--number', safetyNumber, ...bob);
    expect(marked).toMatchObject({ same: true, verified: true, safetyNumber });
    const text = await run('verify', 'Bob', ...alice);
    expect(text.stdout).toContain(safetyNumber.slice(0, 23));
    expect(text.stdout).toMatch(/[█▀▄]{10}/);
    const wrong = await run('verify', 'Alice', '--number', '0'.repeat(60), ...bob);
    expect(wrong.code).toBe(77);
    expect(wrong.stdout).toContain('DIFFER');
  }, 120_000);

  it('talk line by line, and no control character of the other reaches the terminal', async () => {
    const listening = CliProcess.run(['chat', 'Alice', '--stay', ...bob]);
    await listening.says('Alice is not there now. NOT verified');
    const chat = CliProcess.run(['chat', 'Bob', ...alice], { keepInput: true });
    await chat.says('You talk to Bob');
    chat.type('shall we?\n\u001b[2Jyes\n');
    chat.child.stdin?.end();
    const { code, stderr } = await chat.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    listening.interrupt();
    const heard = await listening.ended;
    expect(heard.code).toBe(0);
    expect(heard.stdout).toContain('Alice: shall we?\nAlice: \\u001b[2Jyes\n');
  }, 120_000);

  it('are told when the same device is used by another program', async () => {
    const first = CliProcess.run(['connect', '--stay', ...bob, '--output', 'json']);
    await first.says('sessionEndsAt');
    expect(await refusal('status', ...bob)).toMatchObject({
      ...{ exit: 78, code: 'ERR_IDENTITY_IN_USE' },
    });
    await cp(folder.in('bob'), folder.in('copy'), { recursive: true });
    expect((await run('status', ...folder.of('copy'))).code).toBe(0);
    const { code, stderr } = await first.ended;
    expect(code).toBe(77);
    expect(stderr).toContain('Another program uses this device now');
  }, 60_000);

  it('send a file with progress, which arrives whole', async () => {
    const bytes = randomBytes(3_000_000);
    await writeFile(folder.in('plan.txt'), bytes.toString('base64'));
    const receive = CliProcess.run([
      'receive',
      '--once',
      '--yes',
      '--to',
      folder.in('inbox'),
      ...bob,
    ]);
    await receive.says('Files of contacts go to');
    const { code, stdout, stderr } = await run('send', folder.in('plan.txt'), 'Bob', ...alice);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/plan\.txt {2} *\d+ % {2}.* of 4\.0 MB/);
    expect(stdout).toContain('Bob has plan.txt, 4.0 MB, whole and verified.');
    expect((await receive.ended).code).toBe(0);
    expect(await readFile(folder.in('inbox/plan.txt'), 'utf8')).toBe(bytes.toString('base64'));
  }, 120_000);

  it('measure a call', async () => {
    const answering = CliProcess.run(['call', '--test', ...bob]);
    await answering.says('are answered');
    const report = await json('call', 'Bob', '--test', '--seconds', '2', ...alice).catch(
      (error: unknown) => ({ error }),
    );
    answering.interrupt();
    await answering.ended;
    expect(report).toMatchObject({ sent: 100, refused: {}, refusedDatagrams: {} });
    expect((report as { returned: number }).returned).toBeGreaterThan(20);
  }, 120_000);

  it('are told at once when the other is not there', async () => {
    const { code, stderr } = await run('send', folder.in('plan.txt'), 'Bob', ...alice);
    expect(code).toBe(69);
    expect(stderr).toContain('nothing is kept');
  }, 60_000);
});

describe('an account at its command line', () => {
  it('sees its devices and sessions, and what is stored about it', async () => {
    const devices = await json<object[]>('devices', 'list', ...alice);
    expect(devices).toEqual([expect.objectContaining({ state: 'Active', thisDevice: true })]);
    const sessions = await json<object[]>('sessions', 'list', ...alice);
    expect(sessions).toContainEqual(expect.objectContaining({ current: true }));
    expect(await json('status', ...alice)).toMatchObject({
      account: alicePrint,
      administrator: false,
      cryptography: expect.stringMatching(/^(sodium|node|noble)$/),
    });
  }, 60_000);

  it('is told what to do when the gateway refuses', async () => {
    const { code, stderr } = await run('admin', 'users', 'list', ...alice, ...JSON_OUTPUT);
    expect(code).toBe(77);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'ERR_GATEWAY_REFUSED', hint: expect.stringContaining('ask an administrator') },
    });
  }, 60_000);

  it('sends nothing to a gateway whose key is not pinned', async () => {
    const pins = [`sha256/${'A'.repeat(43)}=`];
    const stranger = await folder.endpoint('stranger', [
      { host: 'localhost', port: bed.gateway.port, pins },
    ]);
    const { code, stderr } = await run('status', ...stranger);
    expect(code).toBe(69);
    expect(stderr).toContain('leaf-not-pinned');
    expect(stderr).toContain('sallyport doctor');
  }, 90_000);

  it('names the gateway when there is none', async () => {
    const nowhere = await folder.endpoint('nowhere');
    const { code, stderr } = await run('status', ...nowhere);
    expect(code).toBe(78);
    expect(stderr).toContain('sallyport gateways add');
  }, 60_000);
});

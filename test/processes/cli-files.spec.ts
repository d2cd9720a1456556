/*
 * `receive` at the command line: who is asked, whose files are taken, and what a scanner says.
 */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CliFolder, CliProcess, json, refusal, run } from './cli-bed.js';
import { ClientBed } from './client-bed.js';
import { Clamd, EICAR } from './client-files-clamd.js';

let bed: ClientBed;
let folder: CliFolder;
let clamd: Clamd;
let alice: readonly string[];
let bob: readonly string[];

beforeAll(async () => {
  bed = await ClientBed.start(1);
  folder = await CliFolder.make();
  clamd = await Clamd.start();
  const gateways = [{ host: 'localhost', port: bed.gateway.port, pins: [await bed.pin()] }];
  const prints = [];
  for (const name of ['alice', 'bob']) {
    const own = await folder.endpoint(name, gateways);
    prints.push(String((await json('identity', 'show', ...own))['fingerprint']));
  }
  [alice, bob] = [folder.of('alice'), folder.of('bob')];
  const [alicePrint = '', bobPrint = ''] = prints;
  await Promise.all([
    run('connect', bobPrint, '--as', 'Bob', ...alice),
    CliProcess.run(['connect', alicePrint, '--as', 'Alice', '--stay', ...bob]).saysThenStops(),
  ]);
  await writeFile(folder.in('plan.txt'), 'the whole plan');
  await writeFile(folder.in('virus.com'), EICAR);
}, 180_000);
afterAll(async () => {
  await bed.stop();
  await clamd.stop();
  await folder.remove();
});

/** The inbox of one test, and its arguments. */
const inbox = (name: string): readonly string[] => ['--to', folder.in(name), ...bob];
const files = async (name: string): Promise<readonly string[]> =>
  (await readdir(folder.in(name))).filter((file) => !file.startsWith('.'));

/** Receives with these arguments while Alice sends; gives how both end. */
async function sent(file: string, args: readonly string[]) {
  const receive = CliProcess.run(['receive', '--once', ...args, '--output', 'json']);
  // There is no line to wait for: who sends is told that nobody is there until somebody is.
  let sending = await run('send', folder.in(file), 'Bob', ...alice);
  for (let tries = 0; sending.code === 69 && tries < 20; tries++)
    sending = await run('send', folder.in(file), 'Bob', ...alice);
  return { sending, receiving: await receive.ended };
}

describe('a file that a contact offers', () => {
  it('is taken after the person at the terminal was told who, what and how large, and said yes', async () => {
    const receive = CliProcess.atTerminal(['receive', '--once', ...inbox('asked')]);
    await receive.says('Files of contacts go to');
    const send = CliProcess.run(['send', folder.in('plan.txt'), 'Bob', ...alice]);
    await receive.says('Take plan.txt, 14 B, of Alice (NOT verified)? [yes/no] ');
    expect(await files('asked').catch(() => [])).toEqual([]);
    receive.type('perhaps\r');
    await receive.says('[yes/no] ');
    receive.type('yes\r');
    expect((await send.ended).code).toBe(0);
    expect((await receive.ended).code).toBe(0);
    expect(await readFile(folder.in('asked/plan.txt'), 'utf8')).toBe('the whole plan');
  }, 120_000);

  it('is not taken after a no, which the sender hears', async () => {
    const receive = CliProcess.atTerminal(['receive', '--once', ...inbox('no')]);
    await receive.says('Files of contacts go to');
    const send = CliProcess.run(['send', folder.in('plan.txt'), 'Bob', ...alice]);
    await receive.says('[yes/no] ');
    receive.type('no\r');
    const { code, stderr } = await send.ended;
    expect({ code, stderr }).toMatchObject({
      code: 77,
      stderr: expect.stringContaining('declined'),
    });
    expect((await receive.ended).code).toBe(77);
    expect(await files('no')).toEqual([]);
  }, 120_000);

  it('ends the command when the answer is Ctrl-C', async () => {
    const receive = CliProcess.atTerminal(['receive', ...inbox('ctrl-c')]);
    await receive.says('Files of contacts go to');
    const send = CliProcess.run(['send', folder.in('plan.txt'), 'Bob', ...alice]);
    await receive.says('[yes/no] ');
    receive.type('\u0003');
    expect((await receive.ended).code).toBe(0);
    send.interrupt();
    await send.ended;
    expect(await files('ctrl-c').catch(() => [])).toEqual([]);
  }, 120_000);

  it('takes its question away when the sender gives up', async () => {
    const receive = CliProcess.atTerminal(['receive', '--once', ...inbox('gone')]);
    await receive.says('Files of contacts go to');
    const send = CliProcess.run(['send', folder.in('plan.txt'), 'Bob', ...alice]);
    await receive.says('[yes/no] ');
    send.interrupt();
    expect((await send.ended).code).toBe(130);
    await receive.says('plan.txt');
    receive.interrupt();
    await receive.ended;
    expect(await files('gone').catch(() => [])).toEqual([]);
  }, 120_000);

  it('is refused at once where nobody can be asked', async () => {
    expect(await refusal('receive', ...inbox('nobody'))).toMatchObject({
      ...{ exit: 64, code: 'ERR_TERMINAL', hint: expect.stringContaining('--yes') },
    });
  }, 60_000);
});

describe('receive without questions', () => {
  it('takes files of the contact who is named', async () => {
    const { sending, receiving } = await sent('plan.txt', [
      '--yes',
      '--from',
      'Alice',
      ...inbox('from'),
    ]);
    expect([sending.code, receiving.code]).toEqual([0, 0]);
    expect(receiving.stdout).toContain('"event":"received"');
  }, 120_000);

  it('refuses files of everybody else, and goes on', async () => {
    const other = `sp1${'a'.repeat(32)}`;
    const args = ['receive', '--once', '--yes', '--from', other, ...inbox('others')];
    const receive = CliProcess.run(args);
    await receive.says('Files of contacts go to');
    const { code, stderr } = await run('send', folder.in('plan.txt'), 'Bob', ...alice);
    expect({ code, stderr }).toMatchObject({
      code: 77,
      stderr: expect.stringContaining('declined'),
    });
    expect(receive.child.exitCode).toBe(null);
    receive.interrupt();
    expect(await receive.ended).toMatchObject({ code: 130, stderr: '' });
    expect(await files('others')).toEqual([]);
  }, 120_000);

  it('refuses a name that is nobody', async () => {
    expect(await refusal('receive', '--yes', '--from', 'Eve', ...inbox('x'))).toMatchObject({
      ...{ exit: 64, code: 'ERR_PEER' },
    });
  }, 60_000);
});

describe('S99: receive with a clamd', () => {
  it('S99: releases a file in which nothing is found', async () => {
    const { sending } = await sent('plan.txt', [
      '--yes',
      '--scan',
      clamd.socket,
      ...inbox('clean'),
    ]);
    expect(sending.code).toBe(0);
    expect(await files('clean')).toEqual(['plan.txt']);
  }, 120_000);

  it('S99: keeps a file in which something is found where nobody may read it', async () => {
    const args = ['--yes', '--scan', clamd.socket, ...inbox('found')];
    const { sending, receiving } = await sent('virus.com', args);
    expect([sending.code, receiving.code]).toEqual([77, 77]);
    expect(await files('found')).toEqual([]);
    const ended = receiving.stdout.split('\n').find((line) => line.includes('"event":"ended"'));
    const { reason, path } = JSON.parse(ended ?? '{}') as { reason: string; path: string };
    expect(reason).toBe('scan-found');
    expect((await stat(path)).mode & 0o777).toBe(0);
  }, 120_000);

  it('S99: releases nothing when no clamd answers', async () => {
    await mkdir(folder.in('closed'));
    const args = ['--yes', '--scan', folder.in('no.sock'), ...inbox('closed')];
    const { sending, receiving } = await sent('plan.txt', args);
    expect([sending.code, receiving.code]).toEqual([77, 77]);
    expect(receiving.stdout).toContain('scan-failed');
    expect(await files('closed')).toEqual([]);
  }, 120_000);

  it('refuses a place that is none', async () => {
    expect(await refusal('receive', '--yes', '--scan', 'clamd', ...inbox('x'))).toMatchObject({
      ...{ exit: 64, code: 'ERR_ARGUMENT' },
    });
  }, 60_000);
});

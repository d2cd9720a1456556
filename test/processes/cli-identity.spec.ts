import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CliFolder, CliProcess, json, PASSPHRASE } from './cli-bed.js';

let folder: CliFolder;
beforeAll(async () => {
  folder = await CliFolder.make();
});
afterAll(async () => {
  await folder.remove();
});

/** The words on a screen: ` 1 able       2 baker ...`. */
const wordsIn = (screen: string): readonly string[] =>
  [...screen.matchAll(/(?:^|\s)(\d{1,2}) ([a-z]{3,8})(?=\s)/gm)].map(([, , word]) => word!);

/** All bytes of the files below the folder of an endpoint. */
async function bytesOf(name: string): Promise<string> {
  const files = await readdir(folder.in(name));
  const all = await Promise.all(files.map((file) => readFile(folder.in(name, file), 'latin1')));
  return all.join('\n');
}

describe('identity create at a terminal', () => {
  let phrase: readonly string[];

  it('S198: shows the phrase on a screen of its own, has it typed again, and keeps no word of it', async () => {
    const out = folder.in('create.out');
    const home = ['--home', folder.in('alice')];
    const create = CliProcess.atTerminal(
      ['identity', 'create', '--words', '12', ...home],
      `>${out}`,
    );
    await create.says('New passphrase');
    create.type(`${PASSPHRASE}\r`);
    await create.says('The same again');
    create.type(`${PASSPHRASE}\r`);
    const screen = await create.says('Press Enter when it is written down');
    phrase = wordsIn(screen.slice(screen.indexOf('\u001b[?1049h')));
    expect(phrase).toHaveLength(12);
    create.type('\r');
    await create.says('Type all the words');
    create.type(`${[...phrase.slice(0, 11), 'zebra'].join(' ')}\r`);
    await create.says('Not as shown: word 12.');
    create.type('\r');
    await create.says('Press Enter when it is written down');
    create.type('\r');
    await create.says('Type all the words');
    create.type(`${phrase.join(' ')}\r`);
    const { code, stdout } = await create.ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain(PASSPHRASE);
    expect(stdout.trimEnd().endsWith('\u001b[2J\u001b[H\u001b[?1049l')).toBe(true);
    const redirected = await readFile(out, 'utf8');
    expect(redirected).toMatch(/fingerprint +sp1[a-z2-7]{32}/);
    for (const kept of [redirected, await bytesOf('alice')])
      expect(phrase.filter((word) => kept.includes(` ${word} `))).toEqual([]);
  }, 120_000);

  it('makes a file for its owner alone, which its passphrase opens', async () => {
    expect((await stat(folder.in('alice/identity'))).mode & 0o777).toBe(0o600);
    const args = ['identity', 'show', ...folder.of('alice')];
    expect(await json(...args)).toMatchObject({ needsBackup: false, revokedDevices: 0 });
  }, 60_000);

  it('S56: gives the same account to who types the phrase elsewhere', async () => {
    const args = ['identity', 'restore', '--home', folder.in('again')];
    const restore = CliProcess.atTerminal([...args, '--passphrase-file', folder.in('passphrase')]);
    await restore.says('Type the words');
    restore.type(`${phrase.join('  ').toUpperCase()}\r`);
    expect((await restore.ended).code).toBe(0);
    const [one, other] = [
      await json(...['identity', 'show', ...folder.of('alice')]),
      await json(...['identity', 'show', ...folder.of('again')]),
    ];
    expect(other['fingerprint']).toBe(one['fingerprint']);
    expect(other['device']).not.toBe(one['device']);
  }, 120_000);

  it('ends with 130 at Ctrl-C, and leaves no identity behind', async () => {
    const create = CliProcess.atTerminal(['identity', 'create', '--home', folder.in('nobody')]);
    await create.says('New passphrase');
    create.type('half of\u0003');
    expect((await create.ended).code).toBe(130);
    expect(await readdir(folder.in('nobody'))).toEqual([]);
  }, 60_000);

  it('S191: asks again for a passphrase that attackers try first', async () => {
    const create = CliProcess.atTerminal(['identity', 'create', '--home', folder.in('weak')]);
    for (const weak of ['hunter2', 'password password', 'abcdefghijklmnop']) {
      await create.says('New passphrase');
      create.type(`${weak}\r`);
      await create.says('five random words');
    }
    expect((await create.ended).code).toBe(64);
    expect(await readdir(folder.in('weak'))).toEqual([]);
  }, 60_000);
});

describe('identity without a terminal', () => {
  it('is made with a passphrase from a file, and its phrase is shown nowhere', async () => {
    const made = await json(...['identity', 'create', '--words', '24', ...folder.of('bob')]);
    expect(made).toMatchObject({ needsBackup: true });
    expect(Object.keys(made)).not.toContain('phrase');
    const backup = await CliProcess.run(['identity', 'backup', ...folder.of('bob')]).ended;
    expect(backup).toMatchObject({ code: 64, stdout: '' });
    expect(backup.stderr).toBe(
      'There is no terminal to ask a person at.\nRun "sallyport identity backup" at a terminal: the phrase is shown nowhere else.\n',
    );
  }, 60_000);

  it('takes a passphrase from a file descriptor', async () => {
    const args = ['identity', 'show', '--home', folder.in('bob'), '--passphrase-fd', '0'];
    const show = CliProcess.run(args, { keepInput: true });
    show.type(`${PASSPHRASE}\nmore`);
    expect((await show.ended).code).toBe(0);
  }, 60_000);

  it('refuses a passphrase file that others may read', async () => {
    await writeFile(folder.in('open'), PASSPHRASE, { mode: 0o644 });
    const home = ['--home', folder.in('bob'), '--passphrase-file', folder.in('open')];
    const { code, stderr } = await CliProcess.run(['identity', 'show', ...home]).ended;
    expect(code).toBe(78);
    expect(stderr).toContain(`chmod 600 ${folder.in('open')}`);
  }, 60_000);

  it('says that a passphrase is wrong, and nothing of it', async () => {
    await folder.secret('wrong', 'vivid otter quarrels loudly 88');
    const home = ['--home', folder.in('bob'), '--passphrase-file', folder.in('wrong')];
    const args = ['identity', 'show', ...home, '--output', 'json'];
    const { code, stderr, stdout } = await CliProcess.run(args).ended;
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ERR_IDENTITY_PASSPHRASE' } });
    expect(stderr).not.toContain('otter');
  }, 60_000);

  it('is never written over', async () => {
    const { code, stderr } = await CliProcess.run(['identity', 'create', ...folder.of('bob')])
      .ended;
    expect(code).toBe(78);
    expect(stderr).toContain('There is an identity at');
  }, 60_000);
});

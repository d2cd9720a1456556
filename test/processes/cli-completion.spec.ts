/*
 * The completion of bash, as somebody at a terminal presses Tab.
 */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CliFolder, CliProcess } from './cli-bed.js';

let folder: CliFolder;
let shell: CliProcess;
beforeAll(async () => {
  folder = await CliFolder.make();
  await writeFile(folder.in('annual report.pdf'), '');
  shell = CliProcess.shell(folder.path);
  shell.type('PS1="ready> "\n');
  await shell.says('ready> ');
  shell.type('source <("$NODE" "$PROGRAM" completion bash); echo loaded $?\n');
  await shell.says('loaded 0');
}, 60_000);
afterAll(async () => {
  shell.type('\u0015exit\n');
  await shell.ended;
  await folder.remove();
});

/** What stands on the line after these keys and Tab, once it ends with `wanted`; then the line is erased. */
async function completed(keys: string, wanted: string): Promise<void> {
  shell.type(`${keys}\t`);
  await shell.says(wanted);
  shell.type('\u0015');
}

describe('Tab in bash', () => {
  it.each([
    ['sallyport ident', 'sallyport identity '],
    ['sallyport identity pass', 'sallyport identity passphrase '],
    ['sallyport admin users res', 'sallyport admin users reset-factors '],
    ['sallyport receive --yes --sc', 'sallyport receive --yes --scan '],
    ['sallyport dem', 'sallyport demo '],
  ])(
    'makes %s to "%s"',
    async (keys, line) => {
      await completed(keys, line);
      expect(shell.stderr).toBe('');
    },
    30_000,
  );

  it('offers files where a file is wanted, also with a blank in its name', async () => {
    await completed('sallyport send ann', 'sallyport send annual\\ report.pdf ');
    expect(shell.stderr).toBe('');
  }, 30_000);
});

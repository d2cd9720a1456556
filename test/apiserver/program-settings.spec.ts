import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { operatorSettings, OperatorProgram } from './program-process.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-settings-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(settings: object | string, environment: NodeJS.ProcessEnv = {}) {
  const file = join(folder, 'settings.json');
  await writeFile(file, typeof settings === 'string' ? settings : JSON.stringify(settings));
  const program = OperatorProgram.run(['--settings', file], environment);
  const { code } = await program.end();
  return { code, program };
}

describe('the operator, badly told,', () => {
  it.each([
    [{ workers: 0 }, 'workers=0 is not a whole number from 1 to 64.', 'or remove it to use 24'],
    [{ wokers: 3 }, '"wokers" is not a setting.', 'Write "workers" instead'],
    [{ scope: { watch: 'Named' } }, 'scope.namespaces=[] names none', 'List the namespaces'],
  ])('stops with name, value, bounds and remedy for %j', async (changes, problem, hint) => {
    const { code, program } = await run(operatorSettings(changes));
    expect(code).toBe(78);
    expect(program.log).toHaveLength(1);
    expect(program.log[0]).toMatchObject({ level: 'error', code: 'ERR_SETTING' });
    expect(program.log[0]?.msg).toContain(problem);
    expect(program.log[0]?.['hint']).toContain(hint);
    expect(program.stdout).toBe('');
  });

  it('stops when the file is not JSON, is absent or is not named', async () => {
    expect((await run('{')).program.log[0]).toMatchObject({ code: 'ERR_SETTINGS_FILE' });
    const absent = OperatorProgram.run(['--settings', join(folder, 'no.json')]);
    expect(await absent.end()).toMatchObject({ code: 78 });
    const unnamed = OperatorProgram.run([]);
    expect(await unnamed.end()).toMatchObject({ code: 64 });
    expect(unnamed.log[0]).toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  it('stops when the kubeconfig is absent', async () => {
    const { code, program } = await run(operatorSettings(), { KUBECONFIG: join(folder, 'none') });
    expect(code).toBe(78);
    expect(program.log[0]).toMatchObject({ code: 'ERR_CREDENTIALS' });
  });

  it('prints every setting with --help', async () => {
    const program = OperatorProgram.run(['--help']);
    expect(await program.end()).toMatchObject({ code: 0 });
    expect(program.stdout).toContain('workers: a whole number from 1 to 64; default 24.');
    expect(program.stdout).toContain(
      'leaderElection.leaseSeconds: a whole number from 3 to 600; default 15.',
    );
  });
});

/*
 * Another passphrase for an identity and what its endpoint remembers, also when the program is killed meanwhile.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { EndpointMemory } from '../../src/client/contacts/memory.file.js';
import { IdentityFile } from '../../src/client/endpoint.library.js';
import { CliFolder, CliProcess, json, PASSPHRASE, refusal } from './cli-bed.js';

const NEW = 'eleven grumpy lighthouses 31';
const GATEWAY = 'edge.example:8443';
let folder: CliFolder;

beforeAll(async () => {
  folder = await CliFolder.make();
  await folder.secret('new', NEW);
});
afterAll(() => folder.remove());

/** An endpoint that remembers something. */
async function endpoint(name: string): Promise<readonly string[]> {
  const own = await folder.endpoint(name);
  const file = await IdentityFile.open(place(name, PASSPHRASE));
  const memory = await EndpointMemory.open(file);
  memory.keepSession(GATEWAY, new Uint8Array(32).fill(7));
  await memory.save();
  file.close();
  return own;
}

const place = (name: string, passphrase: string) => ({
  path: folder.in(name, 'identity'),
  passphrase: Buffer.from(passphrase),
  backend: nodeBackend,
  nowMs: Date.now(),
});

/** With which passphrases the identity and what it remembers open, each after the other. */
async function opens(name: string): Promise<readonly boolean[]> {
  const results = [];
  for (const passphrase of [PASSPHRASE, NEW]) {
    const file = await IdentityFile.open(place(name, passphrase)).catch(() => undefined);
    const memory = file && (await EndpointMemory.open(file));
    results.push(memory?.session(GATEWAY)?.[0] === 7);
    file?.close();
  }
  return results;
}

describe('identity passphrase', () => {
  it('seals everything under the new one, typed twice at a terminal', async () => {
    await endpoint('typed');
    const home = ['--home', folder.in('typed')];
    const change = CliProcess.atTerminal(['identity', 'passphrase', ...home]);
    await change.says('Passphrase of the identity file:');
    change.type(`${PASSPHRASE}\r`);
    await change.says('New passphrase');
    change.type('hunter2\r');
    await change.says('New passphrase');
    change.type(`${NEW}\r`);
    await change.says('The same again');
    change.type(`${NEW}\r`);
    const { code, stdout } = await change.ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain(NEW);
    expect(await opens('typed')).toEqual([false, true]);
  }, 60_000);

  it('takes both from files', async () => {
    const own = await endpoint('files');
    const args = ['identity', 'passphrase', ...own, '--new-passphrase-file', folder.in('new')];
    expect(await json(...args)).toEqual({ changed: true, path: folder.in('files/identity') });
    expect(await opens('files')).toEqual([false, true]);
    expect(await refusal('identity', 'show', ...own)).toMatchObject({
      ...{ exit: 78, code: 'ERR_IDENTITY_PASSPHRASE' },
    });
  }, 60_000);

  it('changes nothing when the new one is weak, or the old one is wrong', async () => {
    const own = await endpoint('weak');
    const before = await readFile(folder.in('weak/identity'));
    const weak = ['--new-passphrase-file', await folder.secret('bad', 'password')];
    expect(await refusal('identity', 'passphrase', ...own, ...weak)).toMatchObject({
      ...{ exit: 78, code: 'ERR_IDENTITY_WEAK_PASSPHRASE' },
    });
    const wrong = [
      '--passphrase-file',
      folder.in('new'),
      '--new-passphrase-file',
      folder.in('new'),
    ];
    const home = ['--home', folder.in('weak')];
    expect(await refusal('identity', 'passphrase', ...home, ...wrong)).toMatchObject({
      ...{ exit: 78, code: 'ERR_IDENTITY_PASSPHRASE' },
    });
    expect(await readFile(folder.in('weak/identity'))).toEqual(before);
    expect(await opens('weak')).toEqual([true, false]);
  }, 60_000);

  it('does not read both from one descriptor', async () => {
    const args = ['--passphrase-fd', '0', '--new-passphrase-fd', '0'];
    expect(await refusal('identity', 'passphrase', ...args)).toMatchObject({
      ...{ exit: 64, code: 'ERR_ARGUMENT' },
    });
  }, 60_000);

  it('leaves one passphrase that opens everything when it is killed in the middle', async () => {
    const own = await endpoint('killed');
    const beside = folder.in('killed/identity.memory.next');
    const args = ['identity', 'passphrase', ...own, '--new-passphrase-file', folder.in('new')];
    const change = CliProcess.run(args);
    const until = Date.now() + 30_000;
    while (!existsSync(beside) && change.child.exitCode === null && Date.now() < until)
      await setImmediate();
    change.child.kill('SIGKILL');
    await change.ended;
    const [old, fresh] = await opens('killed');
    expect(old).toBe(!fresh);
    expect(existsSync(beside)).toBe(false);
  }, 60_000);
});

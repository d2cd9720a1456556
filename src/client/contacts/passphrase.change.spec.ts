import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import { IdentityFile } from '../identity/identity.file.js';
import { EndpointMemory } from './memory.file.js';
import { changePassphrase } from './passphrase.change.js';

const OLD = Buffer.from('vivid otter quarrels gently 88');
const NEW = Buffer.from('eleven grumpy lighthouses');
const GATEWAY = 'edge.example:8443';
const TOKEN = new Uint8Array(32).fill(7);

let folder: string;
const at = (name: string): string => join(folder, name);
const place = (passphrase: Uint8Array, path = at('identity')) => ({
  ...{ path, passphrase, backend: nodeBackend, nowMs: 1_780_000_000_000 },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-passphrase-'));
  const file = await IdentityFile.create(place(OLD), 12);
  const memory = await EndpointMemory.open(file);
  memory.keepSession(GATEWAY, TOKEN);
  await memory.save();
  await copyFile(at('identity'), at('old'));
  await copyFile(at('identity.memory'), at('old.memory'));
  await changePassphrase(file, NEW);
  file.close();
});
afterAll(() => rm(folder, { recursive: true }));

/** What the endpoint in the files `name` remembers, opened with `passphrase`. */
async function remembered(name: string, passphrase: Uint8Array): Promise<Uint8Array | undefined> {
  const file = await IdentityFile.open(place(passphrase, at(name)));
  try {
    return (await EndpointMemory.open(file)).session(GATEWAY);
  } finally {
    file.close();
  }
}

const refused = { code: 'ERR_IDENTITY_PASSPHRASE' };

describe('a changed passphrase', () => {
  it('opens both files, and the old one neither', async () => {
    expect(await remembered('identity', NEW)).toEqual(TOKEN);
    await expect(remembered('identity', OLD)).rejects.toMatchObject(refused);
    expect(existsSync(at('identity.memory.next'))).toBe(false);
  });

  it('that was stopped before the identity was replaced has not happened', async () => {
    await copyFile(at('identity.memory'), at('old.memory.next'));
    expect(await remembered('old', OLD)).toEqual(TOKEN);
    await expect(remembered('old', NEW)).rejects.toMatchObject(refused);
    expect(existsSync(at('old.memory.next'))).toBe(false);
  });

  it('that was stopped after the identity was replaced is finished at the next opening', async () => {
    await copyFile(at('identity'), at('half'));
    await copyFile(at('old.memory'), at('half.memory'));
    await copyFile(at('identity.memory'), at('half.memory.next'));
    expect(await remembered('half', NEW)).toEqual(TOKEN);
    expect(existsSync(at('half.memory.next'))).toBe(false);
    expect(await remembered('half', NEW)).toEqual(TOKEN);
  });

  it('that is refused or cannot be written leaves both files as they were', async () => {
    const file = await IdentityFile.open(place(NEW));
    await expect(changePassphrase(file, Buffer.from('password'))).rejects.toMatchObject({
      code: 'ERR_IDENTITY_WEAK_PASSPHRASE',
    });
    const full = () => Promise.reject(new Error('no space'));
    await expect(file.changePassphrase(OLD, full)).rejects.toThrow('no space');
    await file.save();
    file.close();
    expect(await remembered('identity', NEW)).toEqual(TOKEN);
  });
});

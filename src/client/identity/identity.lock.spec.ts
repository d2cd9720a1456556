import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import { EndpointMemory } from '../contacts/memory.file.js';
import { changePassphrase } from '../contacts/passphrase.change.js';
import { IdentityFile } from './identity.file.js';

const PASSPHRASE = Buffer.from('vivid otter quarrels gently 88');
const IN_USE = { code: 'ERR_IDENTITY_IN_USE' };

let folder: string;
const place = () => ({
  ...{ path: join(folder, 'identity'), passphrase: PASSPHRASE, backend: nodeBackend },
  nowMs: 1_780_000_000_000,
});
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-lock-'));
  (await IdentityFile.create(place(), 12)).close();
});
afterAll(() => rm(folder, { recursive: true }));

describe('an identity whose endpoint is open', () => {
  it('is not opened for another endpoint, nor sealed anew, until it is closed', async () => {
    const first = await IdentityFile.open(place());
    await EndpointMemory.open(first);
    // The same owner again, as after a client was closed.
    await EndpointMemory.open(first);
    const second = await IdentityFile.open(place());
    await expect(EndpointMemory.open(second)).rejects.toMatchObject(IN_USE);
    await expect(changePassphrase(second, PASSPHRASE)).rejects.toMatchObject(IN_USE);
    first.close();
    await EndpointMemory.open(second);
    second.close();
    expect((await stat(join(folder, 'identity.lock'))).mode & 0o777).toBe(0o600);
  });

  it('is free at once when the program that had it was killed', async () => {
    const path = join(folder, 'identity.lock');
    const other = spawn(
      'flock',
      ['--exclusive', '--nonblock', path, 'sh', '-c', 'echo held; exec sleep 60'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      },
    );
    const ended = once(other, 'close');
    const file = await IdentityFile.open(place());
    try {
      await Promise.race([once(other.stdout, 'data'), ended]);
      expect(() => {
        file.lock();
      }).toThrow(expect.objectContaining(IN_USE));
    } finally {
      // The program and its child: both have the descriptor.
      process.kill(-other.pid!, 'SIGKILL');
    }
    await ended;
    file.lock();
    file.close();
  });
});

describe('an endpoint whose identity file was renewed', () => {
  const YEAR_MS = 365 * 86_400_000;
  const isOlder = async (nowMs: number): Promise<boolean> => {
    const file = await IdentityFile.open({ ...place(), nowMs });
    const memory = await EndpointMemory.open(file);
    await memory.save();
    file.close();
    return memory.isIdentityOlder;
  };

  it('notes when the file before was put back, until it is newer again', async () => {
    const before = place().nowMs;
    expect(await isOlder(before)).toBe(false);
    await copyFile(join(folder, 'identity'), join(folder, 'kept'));
    // Its binding ends soon: it is renewed.
    expect(await isOlder(before + YEAR_MS)).toBe(false);
    await copyFile(join(folder, 'kept'), join(folder, 'identity'));
    expect(await isOlder(before)).toBe(true);
    expect(await isOlder(before)).toBe(true);
    expect(await isOlder(before + YEAR_MS + 1)).toBe(false);
  });
});

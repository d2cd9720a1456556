import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readSmallFile } from './small.file.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-small-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a path that leads to no file', () => {
  it.each(['/dev/zero', '/dev'])('is refused before it is read: %s', async (path) => {
    const refusal = {
      code: 'ERR_SETTINGS_FILE',
      problem: `The file ${path} cannot be read: it is no file.`,
    };
    await expect(readSmallFile(path)).rejects.toMatchObject(refusal);
  });
});

describe('a file that is mounted', () => {
  it('is read with its permission bits', async () => {
    const path = join(folder, 'key');
    await writeFile(path, 'text', { mode: 0o440 });
    const { text, mode } = await readSmallFile(path);
    expect({ text, mode: mode & 0o777 }).toEqual({ text: 'text', mode: 0o440 });
  });

  it('is refused when it is larger than any that Kubernetes mounts', async () => {
    const path = join(folder, 'large');
    await writeFile(path, Buffer.alloc(1_048_577));
    const problem = `The file ${path} is larger than 1048576 bytes.`;
    await expect(readSmallFile(path)).rejects.toMatchObject({ code: 'ERR_SETTINGS_FILE', problem });
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readSmallFile, WatchedFiles } from './watched.files.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-watched-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a file that is watched', () => {
  it('is read again a minute after it was not taken over, though nothing changed', async () => {
    const path = join(folder, 'leaf');
    await writeFile(path, 'not valid yet');
    const watched = new WatchedFiles();
    let reads = 0;
    watched.add([path], () => Promise.resolve(++reads === 2));
    await watched.look();
    for (let i = 0; i < 59; i++) await watched.look();
    expect(reads).toBe(1);
    await watched.look();
    expect(reads).toBe(2);
    for (let i = 0; i < 130; i++) await watched.look();
    expect(reads).toBe(2);
  });
});

describe('a path that leads to no file', () => {
  it.each(['/dev/zero', '/dev'])('is refused before it is read: %s', async (path) => {
    const refusal = {
      code: 'ERR_SETTINGS_FILE',
      problem: `The file ${path} cannot be read: it is no file.`,
    };
    await expect(readSmallFile(path)).rejects.toMatchObject(refusal);
  });
});

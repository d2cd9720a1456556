import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readSmallFile } from './small.file.js';
import { WatchedFiles } from './watched.files.js';

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

describe('a file below the symbolic link that the kubelet swaps', () => {
  it('is read again after the swap, and not before', async () => {
    const mount = await mkdtemp(join(folder, 'mount-'));
    const version = async (name: string, text: string) => {
      await mkdir(join(mount, name));
      await writeFile(join(mount, name, 'settings.json'), text);
      await symlink(name, join(mount, '..data_tmp'));
      await rename(join(mount, '..data_tmp'), join(mount, '..data'));
    };
    await version('..2026_1', 'first');
    const path = join(mount, 'settings.json');
    await symlink('..data/settings.json', path);
    const texts: string[] = [];
    const watched = new WatchedFiles();
    watched.add([path], async () => {
      texts.push((await readSmallFile(path)).text);
      return true;
    });
    await watched.look();
    await watched.look();
    expect(texts).toEqual(['first']);
    await version('..2026_2', 'later');
    await watched.look();
    expect(texts).toEqual(['first', 'later']);
  });
});

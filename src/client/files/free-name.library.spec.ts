import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isLinked, isMoved } from './free-name.library.js';

let folder: string;
let from: string;
let to: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-name-'));
  [from, to] = [join(folder, 'part'), join(folder, 'name')];
  await writeFile(from, 'new');
});
afterEach(() => rm(folder, { recursive: true }));

describe('a name that is free', () => {
  it('is given by a link, which leaves the part, and by a move, which does not', async () => {
    expect(await isLinked(from, to)).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['name', 'part']);
    expect(isMoved(from, `${to} 2`)).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['name', 'name 2']);
  });
});

describe('a name that came into use a moment ago', () => {
  it('T41: is not given, and what has it stays as it is', async () => {
    await writeFile(to, 'old');
    expect([await isLinked(from, to), isMoved(from, to)]).toEqual([false, false]);
    expect(await readFile(to, 'utf8')).toBe('old');
    expect(await readFile(from, 'utf8')).toBe('new');
  });

  it('T41: is not given when it is a link that leads nowhere', async () => {
    await symlink('/nowhere', to);
    expect([await isLinked(from, to), isMoved(from, to)]).toEqual([false, false]);
  });

  it('is an error of its own when the part is not there, or the folder is not', async () => {
    await expect(isLinked(`${from}x`, to)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(() => isMoved(`${from}x`, to)).toThrow('error 2');
  });
});

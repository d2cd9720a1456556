import { mkdtemp, mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StateFile } from './state.files.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-state-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a state folder', () => {
  it('that is a file is refused with its path and what to do', async () => {
    const path = join(folder, 'plain');
    await writeFile(path, '');
    expect(() => new StateFile(path, () => [])).toThrow(
      /plain cannot be used as state folder: (Error: )?EEXIST.*--state/,
    );
  });

  it.each([
    '',
    '{"version":1,"objects":[{}]}',
    '{"version":1',
    'null',
    '{"version":1,"objects":{}}',
    '{"version":2,"objects":[]}',
  ])('with the damaged content %j is refused, and the content stays', async (content) => {
    const path = join(folder, 'cluster.json');
    await writeFile(path, content, { mode: 0o600 });
    const state = new StateFile(folder, () => []);
    expect(() => state.read()).toThrow(/cluster.json is (not whole|of another version)/);
    expect(await readFile(path, 'utf8')).toBe(content);
  });

  it('that cannot be written is told, and written once it can be', async () => {
    const told: unknown[] = [];
    const state = new StateFile(
      folder,
      () => [],
      (error) => told.push(error),
    );
    const obstacle = join(folder, 'cluster.json.new');
    await mkdir(obstacle);
    state.changed();
    for (let i = 0; i < 100 && told.length === 0; i += 1)
      await new Promise((wake) => setTimeout(wake, 50));
    expect(told).toEqual([expect.objectContaining({ code: 'ERR_STATE' })]);
    await expect(state.flush()).rejects.toMatchObject({
      problem: expect.stringMatching(/cluster.json cannot be written: (Error: )?EISDIR/),
    });
    await rmdir(obstacle);
    await state.flush();
    expect(state.read()).toEqual([]);
  });
});

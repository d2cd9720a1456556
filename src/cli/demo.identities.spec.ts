import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chooseBackend } from '../crypto/backend.chooser.js';
import { demoIdentity } from './demo.identities.js';

const { backend } = chooseBackend();
const options = { backend, nowMs: 1_800_000_000_000 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-demo-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('an identity of the demonstration', () => {
  it('that is torn is refused with its folder and what to do, and never with its passphrase', async () => {
    (await demoIdentity(folder, 'alice', options)).close();
    const path = join(folder, 'alice/identity');
    await writeFile(path, (await readFile(path)).subarray(0, 100));
    const refused = (error: unknown): unknown => error;
    const error = await demoIdentity(folder, 'alice', options).catch(refused);
    expect(error).toMatchObject({
      code: 'ERR_STATE',
      problem: expect.stringContaining(`The identity in ${folder}/alice cannot be used: `),
      hint: 'Remove that folder: then alice begins anew.',
    });
    const passphrase = await readFile(join(folder, 'alice/passphrase'), 'utf8');
    expect(String(error)).not.toContain(passphrase);
  }, 30_000);
});

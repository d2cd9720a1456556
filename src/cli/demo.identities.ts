/*
 * The two identities of the demonstration: made once, kept in the state folder, opened with a passphrase of their own.
 */
import { randomBytes, randomFillSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { IdentityFile } from '../client/identity/identity.file.js';
import { ActionableError, messageOf } from '../runtime/errors.js';
import type { CryptoBackend } from '../protocol/crypto-backend.js';

/** Characters of a random passphrase: 144 bits. */
const PASSPHRASE_BYTES = 24;

/** Opens the identity `name` below `folder`, or makes it. The caller closes it. @throws ActionableError for one that cannot be used */
export async function demoIdentity(
  folder: string,
  name: string,
  { backend, nowMs }: { readonly backend: CryptoBackend; readonly nowMs: number },
): Promise<IdentityFile> {
  const home = `${folder}/${name}`;
  await mkdir(home, { recursive: true, mode: 0o700 });
  const path = `${home}/identity`;
  const passphrase = await passphraseIn(`${home}/passphrase`);
  try {
    const place = { path, passphrase, backend, nowMs };
    return await (existsSync(path) ? IdentityFile.open(place) : IdentityFile.create(place));
  } catch (cause) {
    throw new ActionableError(
      'ERR_STATE',
      `The identity in ${home} cannot be used: ${messageOf(cause)}`,
      `Remove that folder: then ${name} begins anew.`,
      { cause },
    );
  } finally {
    randomFillSync(passphrase);
  }
}

/** A person would keep it in his head; the demonstration keeps it beside the file, for its owner alone. */
async function passphraseIn(path: string): Promise<Uint8Array> {
  if (!existsSync(path)) {
    const made = randomBytes(PASSPHRASE_BYTES).toString('base64url');
    await writeFile(path, made, { mode: 0o600, flag: 'wx' });
  }
  return new Uint8Array(await readFile(path));
}

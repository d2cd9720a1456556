/*
 * Another passphrase for both files of an endpoint, of which only one can be replaced at a time:
 *
 *   1  identity.memory.next  what is remembered, under the new passphrase
 *   2  identity              is replaced: from here on the new passphrase counts
 *   3  identity.memory       is replaced by identity.memory.next
 *
 * Stopped before 2, both files are as they were, and the next opening removes what 1 has written. Stopped after 2, the next
 * opening does 3.
 */
import { rename, unlink } from 'node:fs/promises';
import { IdentityError } from '../identity/identity-error.js';
import type { IdentityFile } from '../identity/identity.file.js';
import { readPrivateFile, writePrivateFile } from '../identity/private.file.js';

/** Where an endpoint keeps what it remembers: beside its identity. */
export const memoryPath = (identityPath: string): string => `${identityPath}.memory`;

const nextPath = (identityPath: string): string => `${memoryPath(identityPath)}.next`;

/**
 * Seals the identity and what its endpoint remembers under another passphrase. No client may be open for it.
 * @throws IdentityError ERR_IDENTITY_IN_USE, ERR_IDENTITY_WEAK_PASSPHRASE, as IdentityFile.unseal, or what the file system
 * says; then both files are as they were.
 */
export async function changePassphrase(file: IdentityFile, passphrase: Uint8Array): Promise<void> {
  file.lock();
  await settleMemory(file);
  const sealed = await ifThere(memoryPath(file.path));
  const plaintext = sealed && file.unseal('memory', sealed);
  try {
    await file.changePassphrase(passphrase, async () => {
      if (plaintext === undefined) return;
      await writePrivateFile(nextPath(file.path), file.seal('memory', plaintext), 'replace');
    });
  } finally {
    plaintext?.fill(0);
  }
  await settleMemory(file);
}

/** Ends a change of the passphrase that was interrupted, the way that `file` shows; does nothing where there was none. */
export async function settleMemory(file: IdentityFile): Promise<void> {
  const path = nextPath(file.path);
  const sealed = await ifThere(path);
  if (sealed === undefined) return;
  if (isOf(file, sealed)) await rename(path, memoryPath(file.path));
  else await unlink(path);
}

function isOf(file: IdentityFile, sealed: Uint8Array): boolean {
  try {
    file.unseal('memory', sealed).fill(0);
    return true;
  } catch (error) {
    if (error instanceof IdentityError) return false;
    throw error;
  }
}

async function ifThere(path: string): Promise<Uint8Array | undefined> {
  return readPrivateFile(path).catch((error: unknown) => {
    if (error instanceof IdentityError && error.code === 'ERR_IDENTITY_MISSING') return undefined;
    throw error;
  });
}

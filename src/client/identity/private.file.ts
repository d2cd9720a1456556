/*
 * Files that belong to one user: mode 0600, replaced as a whole or not at all.
 */
import { constants } from 'node:fs';
import { link, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IdentityError } from './identity-error.js';

const OWNER_ONLY = 0o600;
const FOR_OTHERS = 0o077;
const MAX_FILE_BYTES = 16 << 20;

/**
 * The bytes of the file at `path`, the caller's.
 * @throws IdentityError ERR_IDENTITY_MISSING, ERR_IDENTITY_FILE_MODE (a link, not a plain file, another owner, or any
 * right of group and others) or ERR_IDENTITY_FILE_FORMAT (longer than 16 MiB).
 */
export async function readPrivateFile(path: string): Promise<Uint8Array> {
  const file = await openNoLink(path);
  try {
    const { mode, uid, size } = await requirePlain(file, path);
    if ((mode & FOR_OTHERS) !== 0 || (process.getuid && uid !== process.getuid()))
      throw wrongMode(path, `chmod 600 ${path}`);
    if (size > MAX_FILE_BYTES)
      throw new IdentityError(
        'ERR_IDENTITY_FILE_FORMAT',
        `${path} has ${size} bytes, more than any file of ours.`,
        'Name the identity file.',
      );
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

/**
 * Writes `bytes` beside `path`, forces them to the disk, and puts them in its place: after a crash there is the file
 * before or the new one. With `how: 'new'` nothing is ever overwritten.
 * @throws IdentityError ERR_IDENTITY_EXISTS.
 */
export async function writePrivateFile(
  path: string,
  bytes: Uint8Array,
  how: 'new' | 'replace',
): Promise<void> {
  const beside = `${path}.new`;
  await unlink(beside).catch(ignoreMissing);
  await writeDurably(beside, bytes);
  if (how === 'replace') await rename(beside, path);
  else await linkNew(beside, path);
  const folder = await open(dirname(path), constants.O_RDONLY);
  await folder.sync().finally(() => folder.close());
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL, OWNER_ONLY);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename would replace what somebody else put there meanwhile; a link does not. */
async function linkNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new IdentityError(
      'ERR_IDENTITY_EXISTS',
      `There is a file at ${to} already.`,
      'Choose another path, or move the old file away yourself: nothing here overwrites an identity.',
    );
  } finally {
    await unlink(from).catch(ignoreMissing);
  }
}

async function openNoLink(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      throw new IdentityError(
        'ERR_IDENTITY_MISSING',
        `There is no file at ${path}.`,
        'Create an identity, or restore one from its phrase.',
      );
    if (codeOf(error) === 'ELOOP') throw wrongMode(path, 'Name the file itself, not a link to it.');
    throw error;
  }
}

async function requirePlain(file: FileHandle, path: string) {
  const stat = await file.stat();
  if (!stat.isFile()) throw wrongMode(path, 'Name a plain file.');
  return stat;
}

const wrongMode = (path: string, hint: string) =>
  new IdentityError(
    'ERR_IDENTITY_FILE_MODE',
    `${path} must be a plain file that only its owner may read.`,
    hint,
  );

const codeOf = (error: unknown): string | undefined => (error as { readonly code?: string }).code;

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}

/*
 * Secrets of the person: typed at the terminal, or read from a file of mode 0600 or an open file descriptor.
 */
import { readSync } from 'node:fs';
import { IdentityError } from '../../client/identity/identity-error.js';
import { judgePassphrase, PASSPHRASE_HINTS } from '../../client/identity/passphrase.js';
import { readPrivateFile } from '../../client/identity/private.file.js';
import { equalBytes } from '../../protocol/bytes.js';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import type { SecretSource } from '../commands.js';
import { Terminal } from '../terminal/terminal.device.js';

/** A passphrase has at most 1,024 characters. */
const MAX_SECRET_BYTES = 4_096;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TRIES = 3;
const INSTEAD = 'Run it at a terminal, or name --passphrase-file or --passphrase-fd.';

/**
 * The first line of the secret, the caller's to erase.
 * @throws ActionableError ERR_TERMINAL, ERR_ARGUMENT (a descriptor that cannot be read); IdentityError for a file that others may read.
 */
export async function readSecret(source: SecretSource, question: string): Promise<Uint8Array> {
  switch (source.from) {
    case 'terminal':
      return Terminal.with(INSTEAD, (terminal) => terminal.secret(question));
    case 'file': {
      const bytes = await readPrivateFile(source.path).catch(ifMissing);
      return firstLine(bytes);
    }
    case 'descriptor':
      return firstLine(readDescriptor(source.descriptor));
  }
}

/** What a file of an identity would be told to do helps nobody here. */
function ifMissing(error: unknown): never {
  if (!(error instanceof IdentityError) || error.code !== 'ERR_IDENTITY_MISSING') throw error;
  const hint = 'Name a file of mode 0600 whose first line is the secret.';
  throw new ActionableError('ERR_SETTING', error.message, hint, { cause: error });
}

/** As `readSecret` for a passphrase that is new: typed twice, and judged before anything is made with it. */
export async function readNewPassphrase(source: SecretSource): Promise<Uint8Array> {
  if (source.from !== 'terminal') return readSecret(source, '');
  return Terminal.with(INSTEAD, async (terminal) => {
    for (let tries = 1; ; tries++) {
      const passphrase = await terminal.secret('New passphrase for the identity file: ');
      const problem = await problemOf(terminal, passphrase);
      if (problem === undefined) return passphrase;
      passphrase.fill(0);
      terminal.write(`${problem}\r\n`);
      if (tries === TRIES)
        throw new ActionableError('ERR_ARGUMENT', 'No passphrase was set.', problem);
    }
  });
}

async function problemOf(terminal: Terminal, passphrase: Uint8Array): Promise<string | undefined> {
  const refusal = judgePassphrase(passphrase);
  if (refusal !== undefined) return PASSPHRASE_HINTS[refusal];
  const again = await terminal.secret('The same again: ');
  const isSame = equalBytes(passphrase, again);
  again.fill(0);
  return isSame ? undefined : 'The two are different: type the same passphrase twice.';
}

/** The first line of `bytes` as an array of its own; `bytes` are erased. */
function firstLine(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(LINE_FEED);
  const line = end < 0 ? bytes : bytes.subarray(0, end);
  const first = line.at(-1) === CARRIAGE_RETURN ? line.slice(0, -1) : line.slice();
  bytes.fill(0);
  return first;
}

function readDescriptor(descriptor: number): Uint8Array {
  const bytes = new Uint8Array(MAX_SECRET_BYTES);
  let length = 0;
  try {
    while (length < bytes.length && !bytes.subarray(0, length).includes(LINE_FEED)) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, null);
      if (read === 0) break;
      length += read;
    }
  } catch (cause) {
    bytes.fill(0);
    throw new ActionableError(
      'ERR_ARGUMENT',
      `File descriptor ${descriptor} cannot be read: ${messageOf(cause)}.`,
      `Open it for reading, as in: sallyport ... --passphrase-fd ${descriptor} ${descriptor}<FILE.`,
      { cause },
    );
  }
  const read = bytes.slice(0, length);
  bytes.fill(0);
  return read;
}

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { ActionableError, messageOf } from './errors.js';

/** A ConfigMap or Secret holds at most 1 MiB (Kubernetes API). */
const MAX_BYTES = 1_048_576;

/** What a file held, and who may use it. */
export interface FileContent {
  readonly text: string;
  /** Permission bits. */
  readonly mode: number;
}

/** How a file is called when it cannot be read, and what to do then. */
export interface FileWords {
  readonly what: string;
  readonly hint: string;
}

const MOUNTED: FileWords = {
  what: 'file',
  hint: 'It is mounted by the operator; see the events of the pod and of its resource.',
};

/**
 * Reads a small file whole, as UTF-8. A device, a pipe or a folder is refused before anything is read of it.
 * @throws ActionableError ERR_SETTINGS_FILE when it is absent, unreadable or larger than 1 MiB
 */
export async function readSmallFile(path: string, words = MOUNTED): Promise<FileContent> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = await file.stat();
      const { mode, size } = status;
      // A device or a pipe has no size to be judged by, and may have no end.
      if (!status.isFile()) throw new Error('it is no file');
      if (size <= MAX_BYTES) return { text: await file.readFile('utf8'), mode };
    } finally {
      await file.close();
    }
  } catch (cause) {
    const problem = `The ${words.what} ${path} cannot be read: ${messageOf(cause)}.`;
    throw new ActionableError('ERR_SETTINGS_FILE', problem, words.hint, { cause });
  }
  throw new ActionableError(
    'ERR_SETTINGS_FILE',
    `The ${words.what} ${path} is larger than ${MAX_BYTES} bytes.`,
    words.hint,
  );
}

/** Whether `readSmallFile` threw this because there is no such file. */
export function isAbsentFile(error: unknown): boolean {
  const cause = error instanceof ActionableError ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

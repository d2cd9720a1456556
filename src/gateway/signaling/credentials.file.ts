import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { ActionableError } from '../../runtime/errors.js';

/** Permission bits of everybody who is neither the owner nor in the group. */
const OTHERS = 0o007;
/** A token and a seed are about 1 kB. */
const MAX_BYTES = 65_536;

/**
 * The NATS credentials in `path`, as bytes of the caller.
 * @throws ActionableError ERR_SETTING when others may use the file, or it is too large to be one
 * @throws Error of node:fs when it cannot be read
 */
export function readCredentials(path: string): Uint8Array {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { mode, size } = fstatSync(file);
    if ((mode & OTHERS) !== 0)
      throw new ActionableError(
        'ERR_SETTING',
        'The file of NATS credentials may be read by others.',
        'Give it mode 0440 or 0400; the operator mounts it so.',
      );
    if (size > MAX_BYTES)
      throw new ActionableError(
        'ERR_SETTING',
        `The file of NATS credentials is larger than ${MAX_BYTES} bytes.`,
        'Put a credentials file (user.creds) into the Secret of bus.nats.credentialsSecretRef.',
      );
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Looks at the credentials before anything is started. A file that is not there yet may come.
 * @throws ActionableError ERR_SETTING as readCredentials
 */
export function refuseOpenCredentials(path: string): void {
  try {
    readCredentials(path).fill(0);
  } catch (error) {
    if (error instanceof ActionableError) throw error;
  }
}

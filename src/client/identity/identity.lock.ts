/*
 * One program at a time for one identity: `PATH.lock`, an empty file that stays, is locked by flock(2) while a program has
 * the endpoint open. The kernel lets go of it when the program ends, however it does.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { loadKernel, NoKernelError } from '../../runtime/kernel.library.js';
import { IdentityError } from './identity-error.js';

const OWNER_ONLY = 0o600;
const LOCK_EXCLUSIVE_NOW = 2 | 4;

/** A lock that is held until `close`. */
export class IdentityLock {
  #descriptor: number | undefined;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /**
   * Locks the identity at `path`; undefined on a system without flock(2).
   * @throws IdentityError ERR_IDENTITY_IN_USE; what the file system says.
   */
  static take(path: string): IdentityLock | undefined {
    const kernel = kernelHere();
    if (kernel === undefined) return undefined;
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    // Not a FileHandle, which the collector would close.
    const descriptor = openSync(`${path}.lock`, O_RDWR | O_CREAT | O_NOFOLLOW, OWNER_ONLY);
    if (kernel.lock(descriptor, LOCK_EXCLUSIVE_NOW) === 0) return new IdentityLock(descriptor);
    closeSync(descriptor);
    throw new IdentityError(
      'ERR_IDENTITY_IN_USE',
      `Another program uses the identity at ${path}.`,
      'End it first, or make an identity for each: the gateway keeps one connection of a device.',
    );
  }

  /** Lets go of it. May be called again. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function kernelHere(): ReturnType<typeof loadKernel> | undefined {
  try {
    return loadKernel();
  } catch (error) {
    if (error instanceof NoKernelError) return undefined;
    throw error;
  }
}

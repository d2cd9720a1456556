/*
 * How a file gets a name that nobody has, without ever replacing what has it: by a hard link, or, on file systems that have
 * none (exFAT, some shares), by a rename that the kernel refuses if the name is taken.
 */
import { link } from 'node:fs/promises';
import { loadKernel } from '../../runtime/kernel.library.js';

/** What link(2) says where there are no hard links, or no more of one file. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];
/** <errno.h> */
const EEXIST = 17;

/** False if something of that name is there, a link that leads nowhere included; `no-links` where there are none. */
export async function isLinked(from: string, to: string): Promise<boolean | 'no-links'> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const { code = '' } = error as { readonly code?: string };
    if (code === 'EEXIST') return false;
    if (NO_LINKS.includes(code)) return 'no-links';
    throw error;
  }
}

/** Moves `from` to `to`; false if something of that name is there. @throws Error where the system has no such rename. */
export function isMoved(from: string, to: string): boolean {
  const kernel = loadKernel();
  if (kernel.renameNew === undefined)
    throw new Error('this system has no rename without replacing');
  if (kernel.renameNew(from, to) === 0) return true;
  const errno = kernel.errno();
  if (errno === EEXIST) return false;
  throw new Error(`the file gets no name: error ${errno}`);
}

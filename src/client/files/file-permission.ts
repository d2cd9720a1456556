/*
 * Whether a file may be sent and received: asked by both sides, of both grants. A grant is what the gateway says that
 * the roles of one account allow (protocol/lease/grant.ts).
 */
import type { GrantClaims } from '../../protocol/lease/grant.js';
import { isContentOf } from './file-content.js';
import { fileEnding } from './file-name.js';

/** Which side of a transfer a grant speaks for. */
export type FileSide = 'send' | 'receive';

/** What a grant says of files. */
export type FileLimits = Pick<
  GrantClaims,
  'sendFiles' | 'receiveFiles' | 'maxFileBytes' | 'fileTypes'
>;

/** Why a grant does not allow a file: some of END_REASONS. */
export type PermissionRefusal =
  'not-allowed' | 'too-large' | 'type-not-allowed' | 'content-not-allowed';

const ANY_TYPE = '*';

/** What is known of a file before its content. `name` is as safeFileName gives it, `size` in bytes. */
export interface NamedFile {
  readonly name: string;
  readonly size: number;
}

/** Why `limits` do not allow that side to send or receive the file; undefined if they do. */
export function judgeFile(
  limits: FileLimits,
  side: FileSide,
  { name, size }: NamedFile,
): PermissionRefusal | undefined {
  if (!(side === 'send' ? limits.sendFiles : limits.receiveFiles)) return 'not-allowed';
  if (size > limits.maxFileBytes) return 'too-large';
  if (limits.fileTypes === ANY_TYPE) return undefined;
  const ending = fileEnding(name);
  return limits.fileTypes.split(' ').includes(ending) ? undefined : 'type-not-allowed';
}

/** Why `limits` do not allow the content; `head` are the first CONTENT_HEAD_BYTES, or all if there are fewer. */
export function judgeContent(
  limits: Pick<FileLimits, 'fileTypes'>,
  name: string,
  head: Uint8Array,
): PermissionRefusal | undefined {
  if (limits.fileTypes === ANY_TYPE || isContentOf(name, head)) return undefined;
  return 'content-not-allowed';
}

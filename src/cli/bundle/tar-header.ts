/*
 * The header of a tar archive's entry: POSIX.1-2017, pax, "ustar Interchange Format". 512 bytes; the content follows, padded
 * with zeros to a multiple of 512, and two blocks of zeros end the archive. Numbers are octal digits.
 *   0    100  name            156  1    type: '0' file, '5' folder
 *   100  8    mode            157  100  link name, empty
 *   108  8    uid, 0          257  8    "ustar", NUL, "00"
 *   116  8    gid, 0          265  64   names of owner and group, empty
 *   124  12   size            329  16   device numbers, 0
 *   136  12   mtime           345  155  prefix: the folders before `name`
 *   148  8    checksum: six digits, NUL, space
 */

/** Headers and content come in blocks of this length. */
export const TAR_BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const PREFIX_AT = 345;
const PREFIX_BYTES = 155;
const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;

/** What a header says of its entry. */
export interface TarHeader {
  /** Relative, with `/`; a folder's ends in `/`. */
  readonly path: string;
  readonly size: number;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** The header of a file or folder that root owns. @throws RangeError for a path that does not fit */
export function encodeTarHeader({ path, size, mode, mtime }: TarHeader): Buffer {
  const [prefix, name] = splitPath(path);
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  const octal = (value: number, at: number, digits: number) =>
    block.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  block.write(name, 0);
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(mtime, 136, 11);
  block.write(path.endsWith('/') ? '5' : '0', 156);
  block.write('ustar\u000000', 257, 'latin1');
  octal(0, 329, 7);
  octal(0, 337, 7);
  block.write(prefix, PREFIX_AT);
  octal(tarChecksum(block), CHECKSUM_AT, 6);
  block.write('\u0000 ', CHECKSUM_AT + 6, 'latin1');
  return block;
}

/** The sum of all bytes of a header, its checksum read as spaces. */
export function tarChecksum(block: Uint8Array): number {
  const inside = (at: number) => at >= CHECKSUM_AT && at < CHECKSUM_AT + CHECKSUM_BYTES;
  return block.reduce((sum, byte, at) => sum + (inside(at) ? 0x20 : byte), 0);
}

/** How many bytes of zeros follow content of `size` bytes. */
export const tarPadding = (size: number): number =>
  (TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;

/** The two blocks at the end. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * TAR_BLOCK_BYTES);

function splitPath(path: string): readonly [string, string] {
  if (Buffer.byteLength(path) <= NAME_BYTES) return ['', path];
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name === '' || Buffer.byteLength(prefix) > PREFIX_BYTES) break;
    if (Buffer.byteLength(name) <= NAME_BYTES) return [prefix, name];
  }
  throw new RangeError(`${path} is too long for a tar header`);
}

/*
 * Tar archives that depend on nothing but what goes in: entries in the order of their names, one time, no owner's name.
 */
import {
  TAR_BLOCK_BYTES,
  encodeTarHeader,
  tarChecksum,
  tarEnd,
  tarPadding,
} from '../../../src/cli/bundle/tar-header.js';

/** One file of an archive. */
export interface TarFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly executable?: boolean | undefined;
}

/**
 * An archive of `files` and of all folders above them, sorted, owned by root, nothing writable to others.
 * @throws RangeError for a path that does not fit into a header or is there twice.
 */
export function tarOf(files: readonly TarFile[], mtime: number): Buffer {
  const byPath = new Map<string, TarFile>();
  for (const file of files) {
    if (byPath.has(file.path)) throw new RangeError(`${file.path} is in the archive twice`);
    byPath.set(file.path, file);
  }
  for (const folder of new Set(files.flatMap(({ path }) => foldersAbove(path))))
    byPath.set(`${folder}/`, { path: `${folder}/`, bytes: new Uint8Array(0), executable: true });
  const sorted = [...byPath.values()].sort((a, b) => byBytes(a.path, b.path));
  return tarInOrder(sorted, mtime);
}

/** An archive of just these entries, as they come. */
export function tarInOrder(files: readonly TarFile[], mtime: number): Buffer {
  const parts = files.flatMap(({ path, bytes, executable = false }) => {
    const mode = executable ? 0o755 : 0o644;
    const header = encodeTarHeader({ path, size: bytes.length, mode, mtime });
    return [header, bytes, Buffer.alloc(tarPadding(bytes.length))];
  });
  return Buffer.concat([...parts, tarEnd()]);
}

function foldersAbove(path: string): string[] {
  const words = path.split('/').slice(0, -1);
  return words.map((_, end) => words.slice(0, end + 1).join('/'));
}

/** Not by letters of a language: the order of bytes is the same on every machine. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What an archive holds; a folder's path ends in `/`. Content is not copied. */
export interface TarEntry {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly bytes: Buffer;
}

/**
 * The files and folders of an archive that we or a package's publisher made; links are left out, a pax or GNU header
 * that gives the next entry a longer name is followed.
 * @throws RangeError for bytes that are no tar archive
 */
export function readTar(archive: Buffer): TarEntry[] {
  const entries: TarEntry[] = [];
  let longName: string | undefined;
  for (let at = 0; at + TAR_BLOCK_BYTES <= archive.length && archive[at] !== 0;) {
    const block = archive.subarray(at, at + TAR_BLOCK_BYTES);
    const number = (from: number, length: number) =>
      Number.parseInt(text(block, from, length).trim() || '0', 8);
    if (number(148, 8) !== tarChecksum(block))
      throw new RangeError('These bytes are no tar archive.');
    const size = number(124, 12);
    const bytes = archive.subarray(at + TAR_BLOCK_BYTES, at + TAR_BLOCK_BYTES + size);
    if (bytes.length !== size) throw new RangeError('The tar archive is cut short.');
    const type = text(block, 156, 1);
    if (type === '' || type === '0' || type === '5') {
      const ids = { mode: number(100, 8), uid: number(108, 8), gid: number(116, 8) };
      entries.push({ path: longName ?? nameIn(block), ...ids, mtime: number(136, 12), bytes });
    }
    longName = nameFor(type, bytes);
    at += TAR_BLOCK_BYTES + size + tarPadding(size);
  }
  return entries;
}

function nameIn(block: Buffer): string {
  const [name, prefix] = [text(block, 0, 100), text(block, 345, 155)];
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** The name that an extended header of type `x` (pax) or `L` (GNU) gives the next entry. */
function nameFor(type: string, bytes: Buffer): string | undefined {
  if (type === 'L') return text(bytes, 0, bytes.length);
  return type === 'x' ? /^\d+ path=(.*)$/m.exec(bytes.toString('utf8'))?.[1] : undefined;
}

function text(bytes: Buffer, from: number, length: number): string {
  const field = bytes.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString('utf8');
}

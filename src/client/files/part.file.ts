/*
 * What has come of a file. In the folder for files there is a folder `.sallyport`, the owner's alone, with
 *
 *   KEY.json   what the part is of; forced to the disk before the part exists
 *   KEY.part   the chunks that came, each at its place
 *   KEY.found  quarantine: what a scanner found something in; nobody may read it
 *
 * KEY follows from sender and content. Which chunks of a part are good is never written down: at resume each is hashed
 * again, so that nothing depends on the order in which a disk wrote before a crash. A whole file gets its name by a hard
 * link, which replaces nothing and follows no link; the part goes when the sender knows, so that a crash in between is
 * seen by two names of one file. Where there are no hard links the part is renamed, and what it will be called is noted in
 * KEY.json before.
 */
import { constants } from 'node:fs';
import {
  chmod,
  open,
  readdir,
  rename,
  stat,
  statfs,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { join } from 'node:path';
import { chunkLength, contentLength, type ChunkLayout } from './chunk-layout.js';
import { ChunkSet } from './chunk-set.js';
import { CONTENT_HEAD_BYTES } from './file-content.js';
import { foldedName, numberedName } from './file-name.js';
import { isLinked, isMoved } from './free-name.library.js';
import { FileTransferError } from './transfer-error.js';

const OWNER_ONLY = 0o600;
const NOBODY = 0o000;
const MAX_NUMBERED_NAMES = 999;
const SCAN_READ_BYTES = 1 << 16;

/** Where a part is. */
export interface PartPlace {
  /** The folder for files. */
  readonly folder: string;
  /** Its `.sallyport`. */
  readonly partFolder: string;
  readonly key: string;
  readonly layout: ChunkLayout;
  /** Notes what the part will be called when it is renamed; forced to the disk. */
  readonly note: (released: string) => Promise<void>;
}

/** Whether bytes are chunk `index`, padding and all. */
export type IsChunk = (index: number, bytes: Uint8Array) => boolean;

/** A part that is open. Its owner closes it, releases it or discards it. */
export class PartFile {
  readonly #place: PartPlace;
  readonly #file: FileHandle;
  /** Its name in the folder, if it was renamed. */
  readonly #moved: string | undefined;
  #isOpen = true;

  private constructor(place: PartPlace, file: FileHandle, moved?: string) {
    this.#place = place;
    this.#file = file;
    this.#moved = moved;
  }

  /** The part, made if there is none. @throws what the file system says. */
  static async open(place: PartPlace): Promise<PartFile> {
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    const path = partPath(place);
    return new PartFile(place, await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, OWNER_ONLY));
  }

  /** What was renamed to `name` before a crash; undefined if there is no such file of that size: then it is another one. */
  static async openMoved(place: PartPlace, name: string): Promise<PartFile | undefined> {
    const path = join(place.folder, name);
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(ignoreAbsent);
    if (file === undefined) return undefined;
    const found = await file.stat();
    if (found.isFile() && found.size === place.layout.size) return new PartFile(place, file, path);
    await file.close();
    return undefined;
  }

  /**
   * The chunks that are whole and right. What is only padding counts once nothing else is missing: it is sent with
   * whatever is sent. A part that has its name already and is not whole is somebody's file now: it is let go.
   */
  async verified(isChunk: IsChunk): Promise<ChunkSet> {
    const { layout } = this.#place;
    const have = new ChunkSet(layout.total);
    const { size } = await this.#file.stat();
    const chunk = new Uint8Array(chunkLength(layout, 0));
    let isMissing = false;
    for (let index = 0; index < layout.total; index++) {
      const end = contentLength(layout, index);
      const isThere = index * layout.chunkBytes + end <= size;
      if (end === 0 ? !isMissing : isThere && (await this.#isGood(index, chunk, isChunk)))
        have.add(index);
      else isMissing = true;
    }
    return have;
  }

  /** Whether it has its name in the folder already. */
  async hasName(): Promise<boolean> {
    return this.#moved !== undefined || (await this.#file.stat()).nlink > 1;
  }

  /** Whether the disk has room for what is missing of `size` bytes, as far as it can be known. */
  async fits(size: number): Promise<boolean> {
    const { blocks } = await this.#file.stat();
    const { bavail, bsize } = await statfs(this.#place.partFolder);
    return size - blocks * 512 <= bavail * bsize;
  }

  /** The path under which it was released before a crash; undefined if it was not. */
  async releasedAs(): Promise<string | undefined> {
    if (this.#moved !== undefined) return this.#moved;
    const { ino, dev, nlink } = await this.#file.stat();
    if (nlink < 2) return undefined;
    const { folder } = this.#place;
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const found = await stat(join(folder, entry.name));
      if (found.ino === ino && found.dev === dev) return join(folder, entry.name);
    }
    return undefined;
  }

  /** Puts what chunk `index` holds of the file in its place. @throws what the file system says, ENOSPC for a full disk. */
  async write(index: number, content: Uint8Array): Promise<void> {
    const position = index * this.#place.layout.chunkBytes;
    let at = 0;
    while (at < content.length) {
      const rest = content.length - at;
      const { bytesWritten } = await this.#file.write(content, at, rest, position + at);
      at += bytesWritten;
    }
  }

  /** Cuts off what is behind the end, and forces all to the disk. */
  async complete(): Promise<void> {
    if (this.#moved !== undefined) return;
    await this.#file.truncate(this.#place.layout.size);
    await this.#file.sync();
  }

  /** The first bytes, for `judgeContent`. */
  async head(): Promise<Uint8Array> {
    const head = new Uint8Array(Math.min(CONTENT_HEAD_BYTES, this.#place.layout.size));
    await this.#file.read(head, 0, head.length, 0);
    return head;
  }

  /** All of it, piece by piece; each piece is valid until the next one is asked for. */
  async *content(): AsyncGenerator<Uint8Array> {
    const piece = new Uint8Array(SCAN_READ_BYTES);
    const { size } = this.#place.layout;
    for (let at = 0; at < size;) {
      const { bytesRead } = await this.#file.read(piece, 0, Math.min(piece.length, size - at), at);
      if (bytesRead === 0) throw new Error('the part became shorter');
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  }

  /**
   * Gives the file its name, or that name with a number if there is one of that name, in whatever case; nothing is ever
   * replaced. Resolves to its path when it is on the disk. @throws FileTransferError ERR_FILE_FOLDER after 999 names.
   */
  async release(name: string): Promise<string> {
    const { folder } = this.#place;
    const taken = new Set((await readdir(folder)).map(foldedName));
    for (let number = 1; number <= MAX_NUMBERED_NAMES; number++) {
      const wanted = number === 1 ? name : numberedName(name, number);
      if (taken.has(foldedName(wanted))) continue;
      if (!(await this.#isNamed(wanted))) continue;
      await syncFolder(folder);
      return join(folder, wanted);
    }
    throw new FileTransferError('ERR_FILE_FOLDER', `There are too many files called ${name}.`);
  }

  /** The sender knows that the file came: the part and what was known of it go; the file itself has its name. */
  async forget(): Promise<void> {
    await this.close();
    await unlink(partPath(this.#place)).catch(ignoreMissing);
    await unlink(recordPath(this.#place)).catch(ignoreMissing);
  }

  /** Puts the part where nobody may read it; gives its path. */
  async quarantine(): Promise<string> {
    const { partFolder, key } = this.#place;
    const path = join(partFolder, `${key}.found`);
    await this.#file.chmod(NOBODY);
    await rename(partPath(this.#place), path);
    await chmod(path, NOBODY);
    await this.forget();
    await syncFolder(partFolder);
    return path;
  }

  /** Lets go of the file; what came stays. May be called again. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
  }

  async #isNamed(wanted: string): Promise<boolean> {
    const { folder, note } = this.#place;
    const [from, to] = [partPath(this.#place), join(folder, wanted)];
    const linked = await isLinked(from, to);
    if (linked !== 'no-links') return linked;
    await note(wanted);
    return isMoved(from, to);
  }

  async #isGood(index: number, chunk: Uint8Array, isChunk: IsChunk): Promise<boolean> {
    const { layout } = this.#place;
    const end = contentLength(layout, index);
    const { bytesRead } = await this.#file.read(chunk, 0, end, index * layout.chunkBytes);
    const whole = chunk.subarray(0, chunkLength(layout, index));
    whole.fill(0, end);
    return bytesRead === end && isChunk(index, whole);
  }
}

/** Where the part is. */
export const partPath = ({ partFolder, key }: Pick<PartPlace, 'partFolder' | 'key'>): string =>
  join(partFolder, `${key}.part`);

/** Where it stands what it is of. */
export const recordPath = ({ partFolder, key }: Pick<PartPlace, 'partFolder' | 'key'>): string =>
  join(partFolder, `${key}.json`);

/** Forces the names in a folder to the disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  await folder.sync().finally(() => folder.close());
}

/** A file that is not there, or a link. */
function ignoreAbsent(error: unknown): undefined {
  if (!['ENOENT', 'ELOOP'].includes((error as { readonly code?: string }).code ?? '')) throw error;
}

function ignoreMissing(error: unknown): void {
  if ((error as { readonly code?: string }).code !== 'ENOENT') throw error;
}

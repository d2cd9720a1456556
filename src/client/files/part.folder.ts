/*
 * The folder for files and what is not finished in it.
 */
import { constants } from 'node:fs';
import { access, lstat, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { ChunkLayout } from './chunk-layout.js';
import { PartFile, partPath, recordPath, syncFolder, type PartPlace } from './part.file.js';
import { FileTransferError } from './transfer-error.js';

const PART_FOLDER = '.sallyport';
const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
/** Who has not sent the rest within this time will not. */
const KEPT_MS = 30 * 86_400_000;

/** What stands beside a part: for people who wonder what it is. */
export interface PartRecord {
  /** Fingerprint of the sender: at the next start he is told that this endpoint is back. */
  readonly from: string;
  readonly name: string;
  readonly size: number;
  /** What it is called in the folder, if it was about to be renamed. */
  readonly released?: string;
}

/** A folder that takes files. */
export class PartFolder {
  readonly #folder: string;
  readonly #partFolder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#partFolder = join(folder, PART_FOLDER);
  }

  /**
   * Makes what is missing, and lets go of parts that were left 30 days ago.
   * @throws FileTransferError ERR_FILE_FOLDER if the folder of parts is a link, or another's.
   */
  static async open(folder: string, nowMs: number): Promise<PartFolder> {
    const opened = new PartFolder(resolve(folder));
    await mkdir(opened.#partFolder, { recursive: true, mode: OWNER_ONLY_FOLDER });
    const found = await lstat(opened.#partFolder);
    const isOwn = process.getuid === undefined || found.uid === process.getuid();
    if (!found.isDirectory() || !isOwn || (found.mode & 0o077) !== 0)
      throw new FileTransferError(
        'ERR_FILE_FOLDER',
        `${opened.#partFolder} must be a folder that only its owner may use.`,
      );
    await opened.#forgetOld(nowMs);
    return opened;
  }

  /** Whether a part of this key was begun: the person has accepted it then. */
  async has(key: string): Promise<boolean> {
    return isThere(recordPath({ partFolder: this.#partFolder, key }));
  }

  /**
   * The part with this key, new or as it was left. A part that has its name in the folder already, and is not what it
   * should be, was changed by its owner: then there is a new one. @throws what the file system says.
   */
  async part(key: string, layout: ChunkLayout, record: PartRecord): Promise<PartFile> {
    const place = this.#place(key, layout, record);
    const { released } = (await readRecord(recordPath(place))) ?? {};
    // The name of a folder's entry, whatever the record says.
    const moved =
      released === undefined || (await isThere(partPath(place)))
        ? undefined
        : await PartFile.openMoved(place, basename(released));
    if (moved !== undefined) return moved;
    await this.#write(key, record);
    return PartFile.open(place);
  }

  /** A new part in the place of one that cannot be used. */
  async renew(
    part: PartFile,
    key: string,
    of: { readonly layout: ChunkLayout; readonly record: PartRecord },
  ): Promise<PartFile> {
    const place = this.#place(key, of.layout, of.record);
    await part.close();
    if (await isThere(partPath(place))) await unlink(partPath(place));
    await this.#write(key, of.record);
    return PartFile.open(place);
  }

  /** What was begun and is not finished. Records that cannot be read are left out. */
  async unfinished(): Promise<readonly PartRecord[]> {
    const names = (await readdir(this.#partFolder)).filter((name) => name.endsWith('.json'));
    const records = await Promise.all(
      names.map((name) => readRecord(join(this.#partFolder, name))),
    );
    return records.filter((record) => record !== undefined);
  }

  /** What is in quarantine stays until somebody looks. */
  async #forgetOld(nowMs: number): Promise<void> {
    for (const name of await readdir(this.#partFolder)) {
      const path = join(this.#partFolder, name);
      const { mtimeMs } = await lstat(path);
      const isOurs = name.endsWith('.part') || name.endsWith('.json') || name.endsWith('.new');
      if (isOurs && nowMs - mtimeMs > KEPT_MS) await unlink(path);
    }
  }

  #place(key: string, layout: ChunkLayout, record: PartRecord): PartPlace {
    const note = (released: string) => this.#write(key, { ...record, released });
    return { folder: this.#folder, partFolder: this.#partFolder, key, layout, note };
  }

  async #write(key: string, record: PartRecord): Promise<void> {
    const path = recordPath({ partFolder: this.#partFolder, key });
    const beside = `${path}.new`;
    await unlink(beside).catch(() => undefined);
    const { O_WRONLY, O_CREAT, O_EXCL } = constants;
    const file = await open(beside, O_WRONLY | O_CREAT | O_EXCL, OWNER_ONLY);
    try {
      await file.writeFile(JSON.stringify({ v: 1, ...record }));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await syncFolder(this.#partFolder);
  }
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function readRecord(path: string): Promise<PartRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is PartRecord =>
  typeof value === 'object' &&
  value !== null &&
  'from' in value &&
  typeof value.from === 'string' &&
  'name' in value &&
  typeof value.name === 'string' &&
  'size' in value &&
  typeof value.size === 'number' &&
  (!('released' in value) || typeof value.released === 'string');

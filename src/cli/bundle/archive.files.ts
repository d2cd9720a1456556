/*
 * Reading a bundle from disk, front to back and in pieces: an archive of a gigabyte needs no more memory than a small one.
 * Nothing is written before the signature holds, and what is written is worth nothing before `readBundle` says so.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  FILE_MODE,
  MANIFEST_FILE,
  MAX_MANIFEST_BYTES,
  SIGNATURE_BYTES,
  SIGNATURE_FILE,
  isOlder,
  openManifest,
  type BundleManifest,
  type BundleRefusal,
} from './manifest.js';
import { TAR_BLOCK_BYTES, encodeTarHeader, tarEnd, tarPadding } from './tar-header.js';

const PIECE_BYTES = 1 << 16;

/** How an archive is judged. */
export interface BundleTrust {
  readonly signers: readonly KeyObject[];
  /** The release that is installed: an older one is refused. */
  readonly installed?: string | undefined;
}

/** What was found: the manifest, or the refusal and where. */
export type BundleVerdict =
  | { readonly manifest: BundleManifest; readonly manifestBytes: Buffer }
  | { readonly refusal: BundleRefusal; readonly at: string };

/** A refusal on its way out of nested reads. */
class Refused extends Error {
  constructor(
    readonly refusal: BundleRefusal,
    readonly at: string,
  ) {
    super(refusal);
  }
}

/**
 * Judges the archive at `path`; with `into` its files are written below that folder meanwhile, which must not be used
 * unless a manifest comes back. @throws what opening and writing files throws
 */
export async function readBundle(
  path: string,
  trust: BundleTrust,
  into?: string,
): Promise<BundleVerdict> {
  const file = await open(path, 'r');
  try {
    return await new BundleReader(file, trust).read(into);
  } catch (error) {
    if (error instanceof Refused) return { refusal: error.refusal, at: error.at };
    throw error;
  } finally {
    await file.close();
  }
}

class BundleReader {
  readonly #piece = Buffer.alloc(PIECE_BYTES);

  constructor(
    private readonly file: FileHandle,
    private readonly trust: BundleTrust,
  ) {}

  async read(into: string | undefined): Promise<BundleVerdict> {
    const first = await this.#take(TAR_BLOCK_BYTES, 'no-bundle', MANIFEST_FILE);
    const manifestBytes = await this.#manifestBytes(first);
    const second = await this.#take(TAR_BLOCK_BYTES, 'unsigned', SIGNATURE_FILE);
    if (sizeIn(second, SIGNATURE_FILE) !== SIGNATURE_BYTES)
      throw new Refused('unsigned', SIGNATURE_FILE);
    const signature = await this.#take(SIGNATURE_BYTES, 'cut-short', SIGNATURE_FILE);
    const manifest = openManifest(manifestBytes, signature, this.trust.signers);
    if (typeof manifest === 'string') throw new Refused(manifest, MANIFEST_FILE);
    const { installed } = this.trust;
    if (installed !== undefined && isOlder(manifest.version, installed))
      throw new Refused('older-version', manifest.version);
    // Only now is it known which time the two headers have to show.
    requireHeader(first, MANIFEST_FILE, manifestBytes.length, manifest);
    requireHeader(second, SIGNATURE_FILE, SIGNATURE_BYTES, manifest);
    await this.#padding(SIGNATURE_BYTES, SIGNATURE_FILE);
    for (const entry of manifest.files) await this.#entry(entry, manifest, into);
    await this.#end();
    return { manifest, manifestBytes };
  }

  async #manifestBytes(header: Buffer): Promise<Buffer> {
    const size = sizeIn(header, MANIFEST_FILE);
    if (size === undefined || size === 0 || size > MAX_MANIFEST_BYTES)
      throw new Refused('no-bundle', MANIFEST_FILE);
    const bytes = await this.#take(size, 'cut-short', MANIFEST_FILE);
    await this.#padding(size, MANIFEST_FILE);
    return bytes;
  }

  async #entry(
    { path, size, sha256 }: BundleManifest['files'][number],
    manifest: BundleManifest,
    into: string | undefined,
  ): Promise<void> {
    requireHeader(await this.#take(TAR_BLOCK_BYTES, 'cut-short', path), path, size, manifest);
    const target = into === undefined ? undefined : await newFile(join(into, path));
    const hash = createHash('sha256');
    try {
      for (let left = size; left > 0;) {
        const piece = await this.#nextPiece(Math.min(left, PIECE_BYTES), path);
        hash.update(piece);
        await target?.writeFile(piece);
        left -= piece.length;
      }
      await target?.sync();
    } finally {
      await target?.close();
    }
    if (hash.digest('hex') !== sha256) throw new Refused('changed', path);
    await this.#padding(size, path);
  }

  /** At most `length` bytes, in a buffer that the next call overwrites. */
  async #nextPiece(length: number, at: string): Promise<Buffer> {
    const { bytesRead } = await this.file.read(this.#piece, 0, length);
    if (bytesRead === 0) throw new Refused('cut-short', at);
    return this.#piece.subarray(0, bytesRead);
  }

  /** Exactly `length` bytes, in a buffer of their own. */
  async #take(length: number, refusal: BundleRefusal, at: string): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    for (let taken = 0; taken < length;) {
      const { bytesRead } = await this.file.read(bytes, taken, length - taken);
      if (bytesRead === 0) throw new Refused(refusal, at);
      taken += bytesRead;
    }
    return bytes;
  }

  async #padding(size: number, at: string): Promise<void> {
    const padding = await this.#take(tarPadding(size), 'cut-short', at);
    if (padding.some((byte) => byte !== 0)) throw new Refused('changed', at);
  }

  async #end(): Promise<void> {
    const end = await this.#take(tarEnd().length, 'cut-short', 'the end');
    if (!end.equals(tarEnd())) throw new Refused('trailing-bytes', 'the end');
    const { bytesRead } = await this.file.read(this.#piece, 0, 1);
    if (bytesRead > 0) throw new Refused('trailing-bytes', 'the end');
  }
}

/** The size in a header of an entry `path`; undefined if it is none of that. */
function sizeIn(header: Buffer, path: string): number | undefined {
  const name = header.subarray(0, header.indexOf(0)).toString('latin1');
  const digits = header.subarray(124, 135).toString('latin1');
  return name === path && /^[0-7]{11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** A header can be written in one way only. */
function requireHeader(
  header: Buffer,
  path: string,
  size: number,
  { created }: BundleManifest,
): void {
  const expected = encodeTarHeader({ path, size, mode: FILE_MODE, mtime: created });
  if (!header.equals(expected)) throw new Refused('changed', path);
}

async function newFile(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  return open(path, 'wx', FILE_MODE);
}

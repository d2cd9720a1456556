/*
 * A file that is to be sent: read twice, once for the hashes of the manifest and once as the channel takes it.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import {
  chunkLayout,
  chunkLength,
  contentLength,
  isFileSize,
  type ChunkLayout,
} from './chunk-layout.js';
import { CONTENT_HEAD_BYTES } from './file-content.js';
import { safeFileName } from './file-name.js';
import { CHUNK_HASH_BYTES, chunkHash } from './manifest.js';
import { FileTransferError } from './transfer-error.js';

/** An open file. Its owner closes it. */
export class SourceFile {
  readonly name: string;
  readonly layout: ChunkLayout;
  readonly #file: FileHandle;

  private constructor(file: FileHandle, name: string, size: number) {
    this.#file = file;
    this.name = name;
    this.layout = chunkLayout(size);
  }

  /** @throws FileTransferError ERR_FILE_SOURCE for what is no plain file that can be read; ERR_FILE_REFUSED too-large. */
  static async open(path: string, name = basename(path)): Promise<SourceFile> {
    // A pipe without a writer would never open.
    const { O_RDONLY, O_NONBLOCK } = constants;
    const file = await open(path, O_RDONLY | O_NONBLOCK).catch((cause: unknown) => {
      throw new FileTransferError('ERR_FILE_SOURCE', `${path} cannot be read.`, 'source', {
        cause,
      });
    });
    try {
      const stat = await file.stat();
      if (!stat.isFile())
        throw new FileTransferError('ERR_FILE_SOURCE', `${path} is no plain file.`, 'source');
      if (!isFileSize(stat.size))
        throw new FileTransferError('ERR_FILE_REFUSED', 'Files have at most 32 GiB.', 'too-large');
      return new SourceFile(file, safeFileName(name), stat.size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Its first bytes, for `judgeContent`. */
  async head(): Promise<Uint8Array> {
    const head = new Uint8Array(Math.min(CONTENT_HEAD_BYTES, this.layout.size));
    await this.#fill(head, 0);
    return head;
  }

  /** The hashes of all chunks, one behind the other. @throws FileTransferError ERR_FILE_SOURCE if it became shorter. */
  async hashes(backend: CryptoBackend, signal?: AbortSignal): Promise<Uint8Array> {
    const { total } = this.layout;
    const hashes = new Uint8Array(total * CHUNK_HASH_BYTES);
    // One is hashed while the other one is read.
    const length = chunkLength(this.layout, 0);
    let [free, used] = [new Uint8Array(length), new Uint8Array(length)];
    let ahead = this.#whole(0, used);
    for (let index = 0; index < total; index++) {
      signal?.throwIfAborted();
      const whole = await ahead;
      if (index + 1 < total) ahead = this.#whole(index + 1, free);
      [free, used] = [used, free];
      // It is awaited in the next round; until then a failure is not an unhandled one.
      ahead.catch(() => undefined);
      backend.hash('SHA256', [whole], chunkHash(hashes, index));
    }
    return hashes;
  }

  /** Fills `content` with what chunk `index` holds of the file. @throws as `hashes`. */
  async read(index: number, content: Uint8Array): Promise<void> {
    await this.#fill(content, index * this.layout.chunkBytes);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** Chunk `index` with its padding, in `buffer`. */
  async #whole(index: number, buffer: Uint8Array): Promise<Uint8Array> {
    const end = contentLength(this.layout, index);
    const whole = buffer.subarray(0, chunkLength(this.layout, index));
    await this.read(index, whole.subarray(0, end));
    return whole.fill(0, end);
  }

  async #fill(bytes: Uint8Array, position: number): Promise<void> {
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await this.#file
        .read(bytes, at, bytes.length - at, position + at)
        .catch((cause: unknown) => {
          const text = 'The file could not be read to its end.';
          throw new FileTransferError('ERR_FILE_SOURCE', text, 'source', { cause });
        });
      if (bytesRead === 0)
        throw new FileTransferError('ERR_FILE_SOURCE', 'The file became shorter.', 'file-changed');
      at += bytesRead;
    }
  }
}

/*
 * The sending side of one offer, without disk and network.
 */
import { equalBytes } from '../../protocol/bytes.js';
import type { CryptoContext } from '../../protocol/key-store.js';
import type { RandomBytes } from '../../protocol/session/path-proofs.js';
import { ChunkCipher } from './chunk-cipher.js';
import { CHUNK_HEADER_BYTES, chunkLength, contentBytes, contentLength } from './chunk-layout.js';
import { ChunkSet } from './chunk-set.js';
import { emptyChunkMessage, encodeFileMessage, OFFER_ID_BYTES } from './file-message.js';
import { chunkHash, encodeManifest, FILE_KEY_BYTES, type Manifest } from './manifest.js';

/** One offer of a file. Each has its own id and key, also when the same file is offered again. */
export class OutgoingFile {
  readonly id: Uint8Array;
  readonly #context: CryptoContext;
  readonly #file: Omit<Manifest, 'fileKey'>;
  readonly #cipher: ChunkCipher;
  readonly #manifest: Uint8Array;
  #wanted: ChunkSet | undefined;

  constructor(context: CryptoContext, random: RandomBytes, file: Omit<Manifest, 'fileKey'>) {
    this.#context = context;
    this.#file = file;
    this.id = new Uint8Array(OFFER_ID_BYTES);
    random(this.id);
    const fileKey = context.keys.take(FILE_KEY_BYTES);
    try {
      random(fileKey);
      this.#cipher = new ChunkCipher(context, { fileKey, id: this.id, total: file.layout.total });
      this.#manifest = encodeManifest({ ...file, fileKey });
    } finally {
      context.keys.erase(fileKey);
    }
  }

  /** The message that offers the file; it holds the key, and `close` erases it. */
  get offer(): Uint8Array {
    return encodeFileMessage({ type: 'offer', id: this.id, manifest: this.#manifest });
  }

  /** What the receiver has not asked for, in bytes of the file; undefined before it accepted. */
  get hadBytes(): number | undefined {
    if (this.#wanted === undefined) return undefined;
    return contentBytes(this.#file.layout, this.#wanted.complement());
  }

  /** Takes the receiver's answer; false if it is none to this offer, or a second one. Never throws. */
  accepted(wanted: Uint8Array): boolean {
    if (this.#wanted !== undefined) return false;
    this.#wanted = ChunkSet.from(wanted, this.#file.layout.total);
    return this.#wanted !== undefined;
  }

  /** The first wanted chunk from `index` on. */
  next(index: number): number | undefined {
    return this.#wanted?.next(index);
  }

  /** A message for chunk `index`, and the room in it where its plaintext goes: zeros, which are its padding. */
  prepare(index: number): { readonly message: Uint8Array; readonly content: Uint8Array } {
    const { layout } = this.#file;
    const message = emptyChunkMessage(this.id, index, chunkLength(layout, index));
    const end = CHUNK_HEADER_BYTES + contentLength(layout, index);
    return { message, content: message.subarray(CHUNK_HEADER_BYTES, end) };
  }

  /** Seals a prepared message in its place; false, and nothing is sealed, if it is not what was offered. */
  seal(index: number, message: Uint8Array): boolean {
    const sealed = message.subarray(CHUNK_HEADER_BYTES);
    const hash = new Uint8Array(32);
    this.#context.backend.hash('SHA256', [sealed.subarray(0, sealed.length - 16)], hash);
    if (!equalBytes(hash, chunkHash(this.#file.hashes, index))) return false;
    this.#cipher.seal(index, sealed);
    return true;
  }

  /** Erases the key. May be called again. */
  close(): void {
    this.#cipher.close();
    this.#manifest.fill(0);
  }
}

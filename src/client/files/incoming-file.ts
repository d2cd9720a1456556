/*
 * The receiving side of one offer, without disk and network: which chunks are wanted, and whether what comes is them.
 */
import { allZero, equalBytes } from '../../protocol/bytes.js';
import type { CryptoContext } from '../../protocol/key-store.js';
import { ChunkCipher } from './chunk-cipher.js';
import { chunkLength, contentBytes, contentLength } from './chunk-layout.js';
import { ChunkSet } from './chunk-set.js';
import { encodeFileMessage } from './file-message.js';
import { chunkHash, type Manifest } from './manifest.js';

/** Why a chunk is not taken. A closed list: each is a metric label. Each ends the transfer: a session loses and mixes up nothing. */
export type ChunkRefusal =
  | 'chunk-unasked' // Nothing was accepted yet.
  | 'chunk-index' // There is no such chunk.
  | 'chunk-order' // It was taken or passed over before, or was not wanted.
  | 'chunk-length'
  | 'chunk-tag' // It was not sealed for this place of this offer.
  | 'chunk-hash' // It is not what the manifest promised.
  | 'chunk-padding'; // There is something behind the end of the file.

/** What became of an offer so far. */
export class IncomingFile {
  readonly id: Uint8Array;
  readonly manifest: Omit<Manifest, 'fileKey'>;
  readonly #context: CryptoContext;
  readonly #cipher: ChunkCipher;
  #plaintext = new Uint8Array();
  #wanted: ChunkSet | undefined;
  #next = 0;
  #bytes = 0;

  /** Copies what it keeps, and erases the file key in `manifest`. */
  constructor(context: CryptoContext, id: Uint8Array, manifest: Manifest) {
    const { fileKey, layout, name } = manifest;
    this.id = id.slice();
    this.manifest = { name, layout, hashes: manifest.hashes.slice() };
    this.#context = context;
    this.#cipher = new ChunkCipher(context, { fileKey, id, total: layout.total });
    fileKey.fill(0);
  }

  /** Bytes of the file that are verified. */
  get bytes(): number {
    return this.#bytes;
  }

  get isComplete(): boolean {
    return this.#wanted?.count === 0;
  }

  /** The message that asks for all chunks but those in `have`, which were verified. */
  accept(have: ChunkSet): Uint8Array {
    this.#wanted = have.complement();
    this.#bytes = contentBytes(this.manifest.layout, have);
    return encodeFileMessage({ type: 'accept', id: this.id, wanted: this.#wanted.bytes() });
  }

  /** Whether `bytes` are chunk `index` as the manifest promises it. */
  isChunk(index: number, bytes: Uint8Array): boolean {
    const hash = new Uint8Array(32);
    this.#context.backend.hash('SHA256', [bytes], hash);
    return equalBytes(hash, chunkHash(this.manifest.hashes, index));
  }

  /**
   * The part of the file that a chunk holds, a view that is valid until the next one, or why it is refused. A chunk
   * counts as had from then on.
   */
  take(index: number, sealed: Uint8Array): Uint8Array | ChunkRefusal {
    const { layout } = this.manifest;
    if (this.#wanted === undefined) return 'chunk-unasked';
    if (index >= layout.total) return 'chunk-index';
    if (index < this.#next || !this.#wanted.has(index)) return 'chunk-order';
    if (sealed.length !== chunkLength(layout, index) + 16) return 'chunk-length';
    const plaintext = this.#room(sealed.length - 16);
    if (!this.#cipher.open(index, sealed, plaintext)) return 'chunk-tag';
    if (!this.isChunk(index, plaintext)) return 'chunk-hash';
    const end = contentLength(layout, index);
    if (!allZero(plaintext, end, plaintext.length)) return 'chunk-padding';
    this.#next = index + 1;
    this.#wanted.delete(index);
    this.#bytes += end;
    return plaintext.subarray(0, end);
  }

  /** Erases the key. May be called again. */
  close(): void {
    this.#cipher.close();
  }

  /** One buffer serves all chunks: the last one may be shorter. */
  #room(length: number): Uint8Array {
    if (this.#plaintext.length < length) this.#plaintext = new Uint8Array(length);
    return this.#plaintext.subarray(0, length);
  }
}

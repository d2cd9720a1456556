/*
 * One offer of a file in one session, from the offer to the receiver's DONE. What happens comes in by calls; the work is
 * one loop that looks at the state and waits for news.
 */
import { judgeFile } from './file-permission.js';
import { encodeFileMessage } from './file-message.js';
import type { EndReason } from './end-reason.js';
import { contentLength } from './chunk-layout.js';
import type { OutgoingFile } from './outgoing-file.js';
import type { SourceFile } from './source.file.js';
import type { TransferHost, TransferPeer } from './transfer-host.js';
import type { GrantClaims } from '../../protocol/lease/grant.js';

/** How an attempt ended; `by` says who ended it. */
export type AttemptEnd =
  | { readonly type: 'done' }
  | { readonly type: 'ended'; readonly reason: EndReason; readonly by: 'peer' | 'self' }
  | { readonly type: 'session-ended' };

/** What an attempt is made of. */
export interface SendingParts {
  readonly host: Pick<TransferHost, 'grants'>;
  readonly peer: TransferPeer;
  readonly file: OutgoingFile;
  readonly source: SourceFile;
  /** Bytes of the file that the receiver has. */
  readonly progress: (bytes: number) => void;
}

/** One offer. */
export class SendingAttempt {
  readonly #parts: SendingParts;
  #end: AttemptEnd | undefined;
  #isOffered = false;
  #isDone = false;
  /** Of the file, that went in this attempt; and with what the receiver had before. */
  #bytes = 0;
  #allBytes = 0;
  #wake: () => void = () => undefined;

  constructor(parts: SendingParts) {
    this.#parts = parts;
  }

  get id(): Uint8Array {
    return this.#parts.file.id;
  }

  /** Whether anything of the file has reached the receiver in this attempt. */
  get hasProgress(): boolean {
    return this.#bytes > 0;
  }

  /** Offers and sends. @throws what reading the file throws; GatewayError for the grant. */
  async run(): Promise<AttemptEnd> {
    const { peer, file } = this.#parts;
    try {
      await peer.showGrant();
      await this.#offer();
      await this.#until(() => file.hadBytes !== undefined);
      this.rejudge();
      this.#had(file.hadBytes ?? 0);
      await this.#sendChunks();
      await this.#until(() => this.#isDone);
      return this.#end ?? { type: 'done' };
    } catch (error) {
      this.stop('file-changed');
      throw error;
    } finally {
      file.close();
    }
  }

  /** The receiver asks for chunks. */
  accepted(wanted: Uint8Array): void {
    if (!this.#parts.file.accepted(wanted)) this.stop('out-of-turn');
    this.#wake();
  }

  /** The receiver has the whole file. */
  done(): void {
    if (this.#parts.file.hadBytes === undefined) {
      this.stop('out-of-turn');
      return;
    }
    this.#isDone = true;
    this.#wake();
  }

  /** The receiver gave up. */
  ended(reason: EndReason): void {
    this.#over({ type: 'ended', reason, by: 'peer' });
  }

  sessionEnded(): void {
    this.#over({ type: 'session-ended' });
  }

  /** The channel takes messages again. */
  writable(): void {
    this.#wake();
  }

  /** Gives up and says why. */
  stop(reason: EndReason): void {
    if (this.#end !== undefined || this.#isDone) return;
    if (this.#isOffered)
      this.#parts.peer.post(encodeFileMessage({ type: 'end', id: this.id, reason }));
    this.#over({ type: 'ended', reason, by: 'self' });
  }

  /** Gives up if one of the two grants does not allow the file, or no longer. `own` is what this side may from now on. */
  rejudge(own?: GrantClaims): void {
    const { file, source, peer, host } = this.#parts;
    const named = { name: source.name, size: source.layout.size };
    const refusal = own && judgeFile(own, 'send', named);
    if (refusal !== undefined) this.stop(refusal);
    if (file.hadBytes === undefined) return;
    if (peer.grant === undefined) this.stop('no-grant');
    else if (!host.grants.holds(peer.grant)) this.stop('grant-ended');
    else {
      const theirs = judgeFile(peer.grant, 'receive', named);
      if (theirs !== undefined) this.stop(theirs);
    }
  }

  /** The message holds the key of the chunks: it is erased when the peer has it. */
  async #offer(): Promise<void> {
    const { offer } = this.#parts.file;
    this.#isOffered = true;
    await this.#put(offer, () => offer.fill(0));
  }

  /** While one chunk waits for the channel the next one is read: neither waits for the other. */
  async #sendChunks(): Promise<void> {
    const { file, source } = this.#parts;
    let ahead = this.#read(file.next(0));
    for (let read = await ahead; read !== undefined && !this.#isOver(); read = await ahead) {
      const { index, message } = read;
      ahead = this.#read(file.next(index + 1));
      // It is awaited below; until then a failure is not an unhandled one.
      ahead.catch(() => undefined);
      if (!file.seal(index, message)) {
        this.stop('file-changed');
        break;
      }
      const bytes = contentLength(source.layout, index);
      await this.#put(message, () => {
        this.#bytes += bytes;
        this.#had(bytes);
      });
    }
    // The file is closed when this has ended: no reading may be left.
    await ahead.catch(() => undefined);
  }

  /** Chunk `index` in a message, not sealed yet. @throws what reading the file throws */
  async #read(index: number | undefined) {
    if (index === undefined) return undefined;
    const { message, content } = this.#parts.file.prepare(index);
    await this.#parts.source.read(index, content);
    return { index, message };
  }

  #had(bytes: number): void {
    this.#allBytes += bytes;
    this.#parts.progress(this.#allBytes);
  }

  /** Waits while the channel is full: the disk is read no faster than the peer takes. */
  async #put(message: Uint8Array, acknowledged: () => void): Promise<void> {
    await this.#until(() => this.#parts.peer.offer(message, acknowledged));
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!this.#isOver() && !isSo())
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  #isOver(): boolean {
    return this.#end !== undefined;
  }

  #over(end: AttemptEnd): void {
    if (!this.#isDone) this.#end ??= end;
    this.#wake();
  }
}

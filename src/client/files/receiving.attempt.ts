/*
 * One offer of a contact, from its arrival to the file on the disk. Everything that touches the disk goes one after the
 * other.
 */
import type { GrantClaims } from '../../protocol/lease/grant.js';
import type { EndReason } from './end-reason.js';
import { encodeFileMessage } from './file-message.js';
import { judgeContent, judgeFile } from './file-permission.js';
import type { ChunkRefusal, IncomingFile } from './incoming-file.js';
import type { PartFile } from './part.file.js';
import type { IncomingName } from './transfer-events.js';
import type { TransferHost, TransferPeer } from './transfer-host.js';
import { ProgressMeter } from './transfer-progress.js';

/** What an attempt is made of. */
export interface ReceivingParts {
  readonly host: TransferHost;
  readonly peer: TransferPeer;
  readonly file: IncomingFile;
  readonly named: IncomingName;
  /** Of the part: what it is called on the disk. */
  readonly key: string;
  /** It is over, whatever came of it. */
  readonly over: () => void;
}

/** One offer. */
export class ReceivingAttempt {
  readonly #parts: ReceivingParts;
  readonly #meter: ProgressMeter;
  readonly #ended = new AbortController();
  #state: 'offered' | 'open' | 'finishing' | 'over' = 'offered';
  #part: PartFile | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(parts: ReceivingParts) {
    this.#parts = parts;
    this.#meter = new ProgressMeter(parts.named.size);
  }

  get key(): string {
    return this.#parts.key;
  }

  /** Aborted when it is over, whatever came of it. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Asks for what is missing. Nothing happens if it was answered before. */
  accept(): void {
    if (this.#state !== 'offered') return;
    this.#state = 'open';
    void this.#do(() => this.#begin());
  }

  /** Resolves when the chunk is written or refused. */
  chunk(index: number, sealed: Uint8Array): Promise<void> {
    return this.#do(() => this.#take(index, sealed));
  }

  /** The sender gave up; what came stays for another try. */
  ended(reason: EndReason): void {
    if (this.#close()) this.#tellEnd(reason);
  }

  sessionEnded(): void {
    if (this.#close()) this.#parts.host.emit('interrupted', this.#parts.named);
  }

  /** Gives up and says why. */
  stop(reason: EndReason): void {
    if (!this.#close()) return;
    this.#say('end', reason);
    this.#tellEnd(reason);
  }

  /** Gives up if one of the two grants does not allow the file, or no longer. `own` is what this side may from now on. */
  rejudge(own?: GrantClaims): void {
    const { peer, host, named } = this.#parts;
    const refusal = own && judgeFile(own, 'receive', named);
    if (refusal !== undefined) this.stop(refusal);
    else if (peer.grant === undefined) this.stop('no-grant');
    else if (!host.grants.holds(peer.grant)) this.stop('grant-ended');
    else {
      const theirs = judgeFile(peer.grant, 'send', named);
      if (theirs !== undefined) this.stop(theirs);
    }
  }

  async #begin(): Promise<void> {
    const { host, peer, file, named, key } = this.#parts;
    const { layout } = file.manifest;
    const folder = await host.folder();
    const record = { from: named.fingerprint, name: named.name, size: named.size };
    this.#part = await folder.part(key, layout, record);
    const isChunk = (index: number, bytes: Uint8Array) => file.isChunk(index, bytes);
    let have = await this.#part.verified(isChunk);
    if (have.count < layout.total && (await this.#part.hasName())) {
      // Its owner has changed it since: that file stays as it is, and this one comes anew.
      this.#part = await folder.renew(this.#part, key, { layout, record });
      have = await this.#part.verified(isChunk);
    }
    if (!(await this.#part.fits(layout.size))) {
      this.stop('disk-full');
      return;
    }
    await peer.showGrant();
    if (this.#isOver()) return;
    peer.post(file.accept(have));
    this.#tellProgress();
    if (file.isComplete) await this.#finish();
  }

  async #take(index: number, sealed: Uint8Array): Promise<void> {
    const { file } = this.#parts;
    if (this.#isOver()) return;
    const content = file.take(index, sealed);
    if (typeof content === 'string') {
      this.#refuse(content);
      return;
    }
    await this.#part?.write(index, content);
    if (index === 0 && !(await this.#isAllowedContent(content.subarray(0, 4_096)))) return;
    this.#tellProgress();
    // Not waited for: a scan may take longer than other files of this peer should wait.
    if (file.isComplete) void this.#finish().catch(this.#failed);
  }

  async #finish(): Promise<void> {
    const { host, file, named } = this.#parts;
    const part = this.#part;
    if (part === undefined || this.#isOver()) return;
    this.#state = 'finishing';
    await part.complete();
    if (!(await this.#isAllowedContent(await part.head()))) return;
    // The next offer of the same file goes on where a lost session left it.
    if (!(await this.#isClean(part)) || this.#isOver()) return;
    const path = (await part.releasedAs()) ?? (await part.release(named.name));
    await part.close();
    // Without a session the sender hears of it when he offers the file again.
    if (!this.#isOver()) this.#say('done');
    this.#state = 'over';
    this.#ended.abort();
    file.close();
    this.#parts.over();
    host.emit('received', named, path);
  }

  /** False if it was refused; then the part is gone. */
  async #isAllowedContent(head: Uint8Array): Promise<boolean> {
    const { host, peer, named } = this.#parts;
    const limits = [(await host.grants.own()).claims, peer.grant];
    const isAllowed = limits.every(
      (each) => each !== undefined && judgeContent(each, named.name, head) === undefined,
    );
    if (isAllowed) return true;
    const part = this.#part;
    this.stop('content-not-allowed');
    await part?.forget();
    return false;
  }

  /** Whether the scanner finds nothing, or none is asked for. Closed on failure. */
  async #isClean(part: PartFile): Promise<boolean> {
    const { host, named } = this.#parts;
    const { claims } = await host.grants.own();
    if (!claims.scanFiles && host.scanner === undefined) return true;
    const verdict = await host.scanner?.scan(part.content()).catch(() => undefined);
    if (verdict?.clean === true) return true;
    if (verdict === undefined) {
      this.stop('scan-failed');
      return false;
    }
    const path = await part.quarantine();
    if (!this.#close()) return false;
    this.#say('end', 'scan-found');
    host.emit('ended', named, 'scan-found', path);
    return false;
  }

  #refuse(reason: ChunkRefusal): void {
    this.#parts.host.emit('refused', reason);
    this.stop(reason === 'chunk-unasked' || reason === 'chunk-order' ? 'out-of-turn' : 'chunk');
  }

  #say(type: 'done'): void;
  #say(type: 'end', reason: EndReason): void;
  #say(type: 'done' | 'end', reason?: EndReason): void {
    const { peer, file } = this.#parts;
    const { id } = file;
    if (type === 'end' && reason) peer.post(encodeFileMessage({ type, id, reason }));
    if (type !== 'done') return;
    const part = this.#part;
    peer.post(encodeFileMessage({ type, id }), () => {
      void part?.forget().catch(() => undefined);
    });
  }

  #tellEnd(reason: EndReason): void {
    this.#parts.host.emit('ended', this.#parts.named, reason, undefined);
  }

  #tellProgress(): void {
    const { file, host, named } = this.#parts;
    const progress = this.#meter.at(file.bytes, host.clock.monotonicMs());
    if (progress !== undefined) host.emit('progress', named, progress);
  }

  #isOver(): boolean {
    return this.#state === 'over';
  }

  /** False if it was over before. */
  #close(): boolean {
    if (this.#isOver()) return false;
    this.#state = 'over';
    this.#ended.abort();
    this.#parts.file.close();
    void this.#do(async () => {
      await this.#part?.close();
    });
    this.#parts.over();
    return true;
  }

  #do(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch(this.#failed);
    return this.#work;
  }

  readonly #failed = (error: unknown): void => {
    const { code } = error as { readonly code?: string };
    if (code?.startsWith('ERR_GATEWAY') === true) this.stop('no-grant');
    else this.stop(FULL.includes(code ?? '') ? 'disk-full' : 'disk-failed');
  };
}

const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

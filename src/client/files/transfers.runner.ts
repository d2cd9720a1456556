/*
 * Files between this endpoint and its contacts, over the `file` channel of their sessions.
 */
import { EventEmitter } from 'node:events';
import { randomFillSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { chooseBackend } from '../../crypto/backend.chooser.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { KeyStore } from '../../protocol/key-store.js';
import type { Clock } from '../../runtime/clock.js';
import { systemClock } from '../../runtime/system.clock.js';
import type { FileScanner } from './clamd.scanner.js';
import type { FileClient, FileClientEvents } from './file-client.js';
import { judgeContent, judgeFile } from './file-permission.js';
import { GrantHolder } from './grant.holder.js';
import { OutgoingFile } from './outgoing-file.js';
import { PartFolder } from './part.folder.js';
import { PeerTransfers } from './peer.transfers.js';
import { SendingAttempt } from './sending.attempt.js';
import { SourceFile } from './source.file.js';
import { FileTransferError } from './transfer-error.js';
import type { AcceptFile, FileTransferEvents } from './transfer-events.js';
import type { TransferHost } from './transfer-host.js';
import { ProgressMeter, type TransferProgress } from './transfer-progress.js';

/** Keys of some hundred transfers at a time. */
const KEY_STORE_BYTES = 1 << 16;
const REVIEW_EVERY_MS = 1_000;
const RETRY_MS = 1_000;
const DEFAULT_RETRY_FOR_MS = 120_000;

/** What transfers are made of. */
export interface FileTransfersOptions {
  /** Where files go; made if it is not there. Parts are kept in `.sallyport` in it. */
  readonly folder: string;
  /**
   * Decides about each file that is offered; without it none is taken. Not asked again about a file that was accepted
   * and did not come to its end: that goes on by itself.
   */
  readonly accept?: AcceptFile;
  /** Asked before a file is released. Where the role asks for a scan and there is none, no file is taken. */
  readonly scanner?: FileScanner;
  readonly backend?: CryptoBackend;
  readonly clock?: Clock;
}

/** How a file is sent. */
export interface SendOptions {
  /** At most ten times a second, and once when all is there. */
  readonly progress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal;
  /** Instead of the last part of the path. */
  readonly name?: string;
  /** How long another session is tried for after one was lost, without any progress; 120,000 if nothing is said. */
  readonly retryForMs?: number;
}

/** A file that the receiver has verified and kept. */
export interface SentFile {
  readonly name: string;
  readonly size: number;
}

interface Sending {
  readonly peer: PeerTransfers;
  readonly source: SourceFile;
  readonly hashes: Uint8Array;
  readonly options: SendOptions;
}

/** The files of one client. Its owner closes it before the client. */
export class FileTransfers extends EventEmitter<FileTransferEvents> {
  readonly #client: FileClient;
  readonly #host: TransferHost;
  readonly #peers = new Map<string, PeerTransfers>();
  readonly #timer: NodeJS.Timeout;
  readonly #closing = new AbortController();
  readonly #heard: Heard = {
    session: (fingerprint, session) => {
      this.#peer(fingerprint).sessionBegan(session);
    },
    'session-ended': (fingerprint) => {
      this.#peers.get(fingerprint)?.sessionEnded();
    },
    message: (fingerprint, channel, bytes) => {
      if (channel === 'file') this.#message(this.#peer(fingerprint), bytes);
    },
    acknowledged: (fingerprint, channel, id) => {
      if (channel === 'file') this.#peers.get(fingerprint)?.acknowledged(id);
    },
    writable: (fingerprint, channel) => {
      if (channel === 'file') this.#peers.get(fingerprint)?.writable();
    },
    permissions: () => {
      this.#host.grants.forget();
      for (const peer of this.#peers.values()) void peer.review();
    },
  };

  constructor(client: FileClient, options: FileTransfersOptions) {
    super();
    this.#client = client;
    this.#host = this.#newHost(options);
    this.#timer = setInterval(() => {
      for (const peer of this.#peers.values()) void peer.review();
    }, REVIEW_EVERY_MS).unref();
    for (const name of HEARD) client.on(name, this.#heard[name]);
  }

  /**
   * Sends the file at `path`; resolves when the receiver has verified it and put it on the disk. A session that is lost
   * is opened again, and only what is missing goes again; the same after a crash of either side, when it is sent anew.
   * @throws FileTransferError; ContactError and GatewayError if there is no session to begin with; the signal's reason.
   */
  async send(fingerprint: string, path: string, options: SendOptions = {}): Promise<SentFile> {
    const source = await SourceFile.open(path, options.name);
    try {
      await this.#requireAllowed(source);
      const hashes = await source.hashes(this.#host.context.backend, options.signal);
      const peer = this.#peer(fingerprint);
      await this.#offerUntilDone({ peer, source, hashes, options });
      return { name: source.name, size: source.layout.size };
    } finally {
      await source.close();
    }
  }

  /** Tells those whose files are not finished that this endpoint is back: they offer again what they were sending. */
  async resume(): Promise<void> {
    const folder = await this.#host.folder();
    for (const { from } of await folder.unfinished())
      await this.#client.session(from).catch(() => undefined);
  }

  /** Gives up what is under way; what came stays for another time. May be called again. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new FileTransferError('ERR_FILE_CLOSED', 'The transfers were closed.'));
    clearInterval(this.#timer);
    for (const name of HEARD) this.#client.off(name, this.#heard[name]);
    for (const peer of this.#peers.values()) peer.close();
  }

  async #requireAllowed(source: SourceFile): Promise<void> {
    const { claims } = await this.#host.grants.own();
    const file = { name: source.name, size: source.layout.size };
    const reason =
      judgeFile(claims, 'send', file) ?? judgeContent(claims, file.name, await source.head());
    if (reason !== undefined)
      throw new FileTransferError(
        'ERR_FILE_REFUSED',
        'Your role does not allow this file.',
        reason,
      );
  }

  async #offerUntilDone(sending: Sending): Promise<void> {
    const { peer, source, options } = sending;
    const { clock } = this.#host;
    const retryForMs = options.retryForMs ?? DEFAULT_RETRY_FOR_MS;
    const meter = new ProgressMeter(source.layout.size);
    let untilMs: number | undefined;
    for (;;) {
      await this.#openSession(peer, untilMs, options.signal);
      const attempt = this.#attempt(sending, meter);
      const end = await this.#watched(attempt, peer, options.signal);
      if (end.type === 'done') return;
      if (end.type === 'ended') throw refused(end.reason, end.by);
      if (attempt.hasProgress || untilMs === undefined) untilMs = clock.monotonicMs() + retryForMs;
    }
  }

  #attempt({ peer, source, hashes, options }: Sending, meter: ProgressMeter): SendingAttempt {
    const { context, random, clock } = this.#host;
    const { name, layout } = source;
    return new SendingAttempt({
      host: this.#host,
      ...{ peer, source, file: new OutgoingFile(context, random, { name, layout, hashes }) },
      progress: (bytes) => {
        const progress = meter.at(bytes, clock.monotonicMs());
        if (progress !== undefined) options.progress?.(progress);
      },
    });
  }

  async #watched(attempt: SendingAttempt, peer: PeerTransfers, signal: AbortSignal | undefined) {
    const cancel = () => {
      attempt.stop('cancelled');
    };
    signal?.addEventListener('abort', cancel);
    try {
      const end = await peer.send(attempt);
      signal?.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      return end;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** `untilMs` is undefined at first: then there is one try, and its error is the caller's. */
  async #openSession(
    peer: PeerTransfers,
    untilMs: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      try {
        peer.sessionBegan(await this.#client.session(peer.fingerprint));
        return;
      } catch (cause) {
        if (untilMs === undefined) throw cause;
        const text = 'The session was lost, and there is no other. Send the file again later.';
        if (this.#host.clock.monotonicMs() >= untilMs)
          throw new FileTransferError('ERR_FILE_INTERRUPTED', text, 'interrupted', { cause });
      }
      await delay(RETRY_MS);
    }
  }

  /** The session is older than these transfers. */
  async #adopt(peer: PeerTransfers, bytes: Uint8Array): Promise<void> {
    const session = await this.#client.session(peer.fingerprint).catch(() => undefined);
    if (session === undefined) return;
    peer.sessionBegan(session);
    peer.received(bytes);
  }

  #peer(fingerprint: string): PeerTransfers {
    const known = this.#peers.get(fingerprint);
    if (known !== undefined) return known;
    const peer = new PeerTransfers(fingerprint, this.#host);
    this.#peers.set(fingerprint, peer);
    return peer;
  }

  #newHost(options: FileTransfersOptions): TransferHost {
    const { folder, scanner, accept = () => false, backend, clock = systemClock } = options;
    const client = this.#client;
    const chosen = backend ?? chooseBackend().backend;
    let opened: Promise<PartFolder> | undefined;
    return {
      context: { backend: chosen, keys: new KeyStore(KEY_STORE_BYTES) },
      random: (out) => {
        randomFillSync(out);
      },
      clock,
      grants: new GrantHolder({
        ask: (name, body) => client.request(name, body),
        leaseKeys: () => client.leaseKeys,
        verify: (key, message, signature) => chosen.ed25519Verify(key, message, signature),
        clock,
      }),
      folder: async () => {
        // A folder that cannot be used now is tried again at the next file.
        opened ??= PartFolder.open(folder, clock.now().getTime());
        return opened.catch((error: unknown) => {
          opened = undefined;
          throw error;
        });
      },
      scanner,
      accept,
      emit: (name, ...args) => {
        // The emitter's own type does not see that name and arguments belong together when both are generic.
        (this as EventEmitter).emit(name, ...args);
      },
    };
  }

  #message(peer: PeerTransfers, bytes: Uint8Array): void {
    if (peer.session !== undefined) peer.received(bytes);
    else void this.#adopt(peer, bytes);
  }
}

type Heard = {
  readonly [Name in keyof FileClientEvents]: (...args: FileClientEvents[Name]) => void;
};

const HEARD = [
  'session',
  'session-ended',
  'message',
  'acknowledged',
  'writable',
  'permissions',
] as const satisfies readonly (keyof Heard)[];

function refused(reason: string, by: 'peer' | 'self'): FileTransferError {
  const who = by === 'peer' ? 'The receiver' : 'This endpoint';
  return new FileTransferError('ERR_FILE_REFUSED', `${who} refused the file: ${reason}.`, reason);
}

/*
 * All transfers between this endpoint and one contact, and the `file` channel of their session: what comes is taken one
 * message after the other, and the channel is paused while the disk is behind.
 */
import { ChannelFullError } from '../../protocol/channels/channels.js';
import { toHex } from '../../protocol/bytes.js';
import type { GrantClaims } from '../../protocol/lease/grant.js';
import type { EndReason } from './end-reason.js';
import type { FileSession } from './file-client.js';
import { decodeFileMessage, encodeFileMessage, type FileMessage } from './file-message.js';
import { safeFileName } from './file-name.js';
import { askWhether } from './offer-question.js';
import { judgeFile } from './file-permission.js';
import type { OwnGrant } from './grant.holder.js';
import { IncomingFile } from './incoming-file.js';
import { decodeManifest, partKey, type Manifest } from './manifest.js';
import { ReceivingAttempt } from './receiving.attempt.js';
import type { AttemptEnd, SendingAttempt } from './sending.attempt.js';
import type { TransferHost, TransferPeer } from './transfer-host.js';

/** Messages that wait for the disk: the channel is paused above, and goes on below half of it. */
const MAX_WAITING_BYTES = 4 << 20;
/** Each holds a manifest of up to 1 MiB. */
const MAX_RECEIVING = 8;

interface Posted {
  readonly bytes: Uint8Array;
  readonly acknowledged: (() => void) | undefined;
}

/** The transfers with one contact. */
export class PeerTransfers implements TransferPeer {
  readonly fingerprint: string;
  readonly #host: TransferHost;
  readonly #sending = new Map<string, SendingAttempt>();
  readonly #receiving = new Map<string, ReceivingAttempt>();
  readonly #acknowledged = new Map<number, () => void>();
  #session: FileSession | undefined;
  #grant: GrantClaims | undefined;
  #shown: OwnGrant | undefined;
  #posted: readonly Posted[] = [];
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isTaking = false;
  #isPaused = false;

  constructor(fingerprint: string, host: TransferHost) {
    this.fingerprint = fingerprint;
    this.#host = host;
  }

  get grant(): GrantClaims | undefined {
    return this.#grant;
  }

  get session(): FileSession | undefined {
    return this.#session;
  }

  /** There is another session. */
  sessionBegan(session: FileSession): void {
    if (this.#session === session) return;
    this.sessionEnded();
    this.#session = session;
  }

  /** What was under way is over; the senders offer again. */
  sessionEnded(): void {
    this.#session = undefined;
    this.#grant = undefined;
    this.#shown = undefined;
    this.#posted = [];
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#isPaused = false;
    this.#acknowledged.clear();
    for (const attempt of this.#sending.values()) attempt.sessionEnded();
    for (const attempt of this.#receiving.values()) attempt.sessionEnded();
  }

  /** A message came on the channel. */
  received(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES && !this.#isPaused) {
      this.#isPaused = true;
      this.#session?.pause('file');
    }
    if (!this.#isTaking) void this.#takeAll();
  }

  acknowledged(id: number): void {
    const tell = this.#acknowledged.get(id);
    this.#acknowledged.delete(id);
    tell?.();
  }

  writable(): void {
    this.#flush();
    for (const attempt of this.#sending.values()) attempt.writable();
  }

  post(bytes: Uint8Array, acknowledged?: () => void): void {
    this.#posted = [...this.#posted, { bytes, acknowledged }];
    this.#flush();
  }

  offer(bytes: Uint8Array, acknowledged: () => void): boolean {
    return this.#posted.length === 0 && this.#send({ bytes, acknowledged });
  }

  async showGrant(): Promise<OwnGrant> {
    const own = await this.#host.grants.own();
    if (this.#session !== undefined && this.#shown?.token !== own.token) {
      this.#shown = own;
      this.post(encodeFileMessage({ type: 'grant', token: own.token }));
    }
    return own;
  }

  /** Carries out an attempt; it hears what concerns it until it ends. */
  async send(attempt: SendingAttempt): Promise<AttemptEnd> {
    const id = toHex(attempt.id);
    this.#sending.set(id, attempt);
    try {
      return await attempt.run();
    } finally {
      this.#sending.delete(id);
    }
  }

  /** Once a second: grants are renewed and looked at while anything is under way. */
  async review(): Promise<void> {
    const attempts = [...this.#sending.values(), ...this.#receiving.values()];
    if (attempts.length === 0 || this.#session === undefined) return;
    const own = await this.showGrant().catch(() => this.#shown);
    for (const attempt of attempts) attempt.rejudge(own?.claims);
  }

  /** Gives up everything. */
  close(): void {
    for (const attempt of this.#sending.values()) attempt.stop('cancelled');
    this.sessionEnded();
  }

  #flush(): void {
    while (this.#posted[0] !== undefined && this.#send(this.#posted[0]))
      this.#posted = this.#posted.slice(1);
  }

  #send({ bytes, acknowledged }: Posted): boolean {
    const session = this.#session;
    if (session?.isEstablished !== true) return false;
    try {
      const id = session.send('file', bytes);
      if (acknowledged !== undefined) this.#acknowledged.set(id, acknowledged);
      return true;
    } catch (error) {
      if (error instanceof ChannelFullError || !isStill(session)) return false;
      throw error;
    }
  }

  async #takeAll(): Promise<void> {
    this.#isTaking = true;
    for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
      await this.#take(bytes).catch(() => {
        this.#host.emit('refused', 'ERR_UNEXPECTED');
      });
      this.#waitingBytes = Math.max(0, this.#waitingBytes - bytes.length);
      if (this.#isPaused && this.#waitingBytes < MAX_WAITING_BYTES / 2) {
        this.#isPaused = false;
        if (this.#session?.isEstablished === true) this.#session.resume('file');
      }
    }
    this.#isTaking = false;
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const message = decodeFileMessage(bytes);
    if (typeof message === 'string') {
      this.#host.emit('refused', message);
      return;
    }
    if (message.type === 'grant') this.#shownBy(message.token);
    else if (message.type === 'offer') await this.#offered(message.id, message.manifest);
    else await this.#forAttempt(message);
  }

  #shownBy(token: Uint8Array): void {
    const deviceId = this.#session?.peer.device.keys.deviceId;
    if (deviceId === undefined) return;
    const claims = this.#host.grants.read(token, deviceId);
    if (typeof claims === 'string') {
      this.#host.emit('refused', `grant-${claims}`);
      return;
    }
    this.#grant = claims;
    for (const attempt of [...this.#sending.values(), ...this.#receiving.values()])
      attempt.rejudge();
  }

  /** What comes for an attempt that is over was on its way: nothing is said about it. */
  async #forAttempt(message: Exclude<FileMessage, { type: 'grant' | 'offer' }>): Promise<void> {
    const id = toHex(message.id);
    const [sending, receiving] = [this.#sending.get(id), this.#receiving.get(id)];
    switch (message.type) {
      case 'accept':
        sending?.accepted(message.wanted);
        return;
      case 'done':
        sending?.done();
        return;
      case 'chunk':
        await receiving?.chunk(message.index, message.sealed);
        return;
      case 'end':
        sending?.ended(message.reason);
        receiving?.ended(message.reason);
    }
  }

  async #offered(id: Uint8Array, bytes: Uint8Array): Promise<void> {
    const manifest = decodeManifest(bytes);
    if (typeof manifest === 'string') {
      this.#host.emit('refused', manifest);
      this.#decline(id, 'manifest');
      return;
    }
    const session = this.#session;
    const name = safeFileName(manifest.name);
    const reason = await this.#judgeOffer({ name, size: manifest.layout.size });
    if (this.#session !== session || session === undefined) return;
    const key = partKey(this.#host.context.backend, this.fingerprint, manifest);
    const refusal = reason ?? (this.#isBusy(id, key) ? 'busy' : undefined);
    if (refusal === undefined) {
      await this.#begin(id, { manifest, name, key });
      return;
    }
    manifest.fileKey.fill(0);
    this.#decline(id, refusal);
  }

  async #begin(
    id: Uint8Array,
    { manifest, name, key }: { manifest: Manifest; name: string; key: string },
  ): Promise<void> {
    const { host, fingerprint } = { host: this.#host, fingerprint: this.fingerprint };
    const named = { fingerprint, id: toHex(id), name, size: manifest.layout.size };
    const attempt = new ReceivingAttempt({
      host,
      peer: this,
      file: new IncomingFile(host.context, id, manifest),
      ...{ named, key },
      over: () => this.#receiving.delete(named.id),
    });
    this.#receiving.set(named.id, attempt);
    const isKnown = await host
      .folder()
      .then((folder) => folder.has(key))
      .catch(() => undefined);
    if (isKnown === undefined) attempt.stop('disk-failed');
    if (isKnown === true) attempt.accept();
    if (isKnown === false) void askWhether(host, attempt, named);
  }

  async #judgeOffer(file: { name: string; size: number }): Promise<EndReason | undefined> {
    const { grants, scanner } = this.#host;
    if (this.#grant === undefined) return 'no-grant';
    if (!grants.holds(this.#grant)) return 'grant-ended';
    const own = await grants.own().catch(() => undefined);
    if (own === undefined) return 'no-grant';
    if (own.claims.scanFiles && scanner === undefined) return 'scan-failed';
    return judgeFile(this.#grant, 'send', file) ?? judgeFile(own.claims, 'receive', file);
  }

  #isBusy(id: Uint8Array, key: string): boolean {
    const attempts = [...this.#receiving.values()];
    const isUnderWay = attempts.some((attempt) => attempt.key === key);
    return isUnderWay || this.#receiving.has(toHex(id)) || attempts.length >= MAX_RECEIVING;
  }

  #decline(id: Uint8Array, reason: EndReason): void {
    this.post(encodeFileMessage({ type: 'end', id, reason }));
  }
}

/** Asked anew: sending may have shown that it is over. */
const isStill = ({ isEstablished }: FileSession): boolean => isEstablished;

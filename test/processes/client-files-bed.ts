/*
 * Two endpoints with files and a session between them that is a pair of queues: all of src/client/files is real, with real
 * disks and real grants; gateway, relay and handshake are not there (client-files.spec.ts has them).
 */
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AskGateway } from '../../src/client/contacts/session-leases.js';
import type {
  FileClient,
  FileClientEvents,
  FileSession,
} from '../../src/client/files/file-client.js';
import {
  FileTransfers,
  type FileTransfersOptions,
} from '../../src/client/files/transfers.runner.js';
import type {
  AcceptFile,
  FileTransferEvents,
  OfferedFile,
} from '../../src/client/files/transfer-events.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { ChannelFullError } from '../../src/protocol/channels/channels.js';
import { toBase64url } from '../../src/protocol/lease/base64url.js';
import { issueGrant, type GrantClaims } from '../../src/protocol/lease/grant.js';
import { leaseKeyId } from '../../src/protocol/lease/ids.js';
import { until } from './relay-udp-endpoint.js';

const KEY_SEED = new Uint8Array(32).fill(9);
const PUBLIC_KEY = nodeBackend.ed25519PublicKey(KEY_SEED);
const KID = keyIdOf(PUBLIC_KEY);
const BUFFER_BYTES = 1 << 20;

function keyIdOf(key: Uint8Array): string {
  return leaseKeyId(key, (message) => {
    const hash = new Uint8Array(32);
    nodeBackend.hash('SHA256', [message], hash);
    return hash;
  });
}

/** What a role allows; the rest of a grant's claims is always the same. */
export type Allowed = Partial<GrantClaims>;

const ALL: Omit<GrantClaims, 'device' | 'exp'> = {
  ...{ v: 1, sendFiles: true, receiveFiles: true, maxFileBytes: 2 ** 40, fileTypes: '*' },
  ...{ scanFiles: false, startCalls: true, joinCalls: true, maxParticipants: 8 },
  ...{ recording: 'Forbidden', externalParticipants: 'Forbidden' },
};

type TellLoop = (
  session: LoopSession,
  name: 'message' | 'acknowledged' | 'writable',
  value: unknown,
) => void;

/** One half of a session. Messages reach the other half one by one, and are acknowledged when they did. */
export class LoopSession implements FileSession {
  isEstablished = true;
  readonly peer: FileSession['peer'];
  other: LoopSession | undefined;
  /** Looks at what comes and may change it; undefined: it is lost, and so is the session. */
  meddle: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes;
  readonly #tell: TellLoop;
  #waiting: { readonly id: number; readonly bytes: Uint8Array }[] = [];
  #isPaused = false;
  #next = 0;
  #buffered = 0;
  #isFull = false;
  /** Bytes of chunks and all else that went this way. */
  sentBytes = 0;
  mostBuffered = 0;

  constructor(deviceId: Uint8Array, tell: TellLoop) {
    this.peer = { device: { keys: { deviceId } } };
    this.#tell = tell;
  }

  send(_channel: 'file', bytes: Uint8Array): number {
    if (!this.isEstablished) throw new Error('the session is over');
    if (this.#isFull) throw new ChannelFullError('file');
    this.#buffered += bytes.length;
    this.mostBuffered = Math.max(this.mostBuffered, this.#buffered);
    this.#isFull = this.#buffered >= BUFFER_BYTES;
    this.sentBytes += bytes.length;
    const id = this.#next++;
    this.other?.take(id, bytes.slice());
    return id;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  take(id: number, bytes: Uint8Array): void {
    this.#waiting.push({ id, bytes });
    setImmediate(() => {
      this.#deliver();
    });
  }

  acknowledge(id: number, length: number): void {
    this.#buffered -= length;
    this.#tell(this, 'acknowledged', id);
    if (!this.#isFull || this.#buffered * 2 > BUFFER_BYTES) return;
    this.#isFull = false;
    this.#tell(this, 'writable', undefined);
  }

  #deliver(): void {
    while (!this.#isPaused && this.isEstablished) {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      this.#tell(this, 'message', this.meddle(message.bytes));
      this.other?.acknowledge(message.id, message.bytes.length);
    }
  }
}

/** A client of the loop: knows one contact. */
export class LoopClient<Session extends FileSession = LoopSession>
  extends EventEmitter<FileClientEvents>
  implements FileClient
{
  readonly leaseKeys = [
    { kid: KID, publicKey: toBase64url(PUBLIC_KEY), notBefore: 0, notAfter: 253_000_000_000_000 },
  ];
  request: AskGateway;
  current: Session | undefined;
  opened = 0;

  constructor(
    readonly name: string,
    readonly deviceId: Uint8Array,
    public allowed: Allowed,
    readonly open: () => void,
  ) {
    super();
    // The only request of transfers, and its answer.
    this.request = (() => Promise.resolve({ grant: this.grant(), expiresAt: 0 })) as never;
  }

  grant(): string {
    const exp = Math.floor(Date.now() / 1_000) + 600;
    const claims = { ...ALL, device: toBase64url(this.deviceId), exp, ...this.allowed };
    const sign = (seed: Uint8Array, message: Uint8Array) => nodeBackend.ed25519Sign(seed, message);
    return issueGrant(claims, { kid: KID, seed: KEY_SEED }, sign);
  }

  session = (): Promise<Session> => {
    if (this.current?.isEstablished !== true) this.open();
    return this.current === undefined
      ? Promise.reject(Object.assign(new Error('absent'), { code: 'ERR_CONTACT_ABSENT' }))
      : Promise.resolve(this.current);
  };

  tell<Name extends keyof FileClientEvents>(name: Name, ...args: FileClientEvents[Name]): void {
    // The emitter's own type does not see that name and arguments belong together when both are generic.
    (this as EventEmitter).emit(name, ...args);
  }
}

/** A question about an offer, and the answer that a test gives. */
export interface HeardOffer {
  readonly file: OfferedFile;
  readonly signal: AbortSignal;
  readonly answer: (isYes: boolean) => void;
}

/** What transfers have told and asked. */
export class HeardFiles {
  readonly offers: HeardOffer[] = [];
  readonly #events: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  #isWilling = false;

  /** What transfers are made with. */
  readonly accept: AcceptFile = (file, signal) =>
    new Promise((answer) => {
      this.offers.push({ file, signal, answer });
      if (this.#isWilling) answer(true);
    });

  listen(transfers: FileTransfers): void {
    for (const name of ['progress', 'received', 'ended', 'interrupted', 'refused'] as const)
      transfers.on(name, (...args: unknown[]) => this.#events.push({ name, args }));
  }

  /** Says yes to everything from now on. */
  beWilling(): void {
    this.#isWilling = true;
  }

  async offered(): Promise<HeardOffer> {
    await until('somebody is asked', () => this.offers.length > 0);
    return this.offers[0]!;
  }

  all<Name extends keyof FileTransferEvents>(name: Name): readonly FileTransferEvents[Name][] {
    return this.#events
      .filter((event) => event.name === name)
      .map(({ args }) => args as FileTransferEvents[Name]);
  }

  async heard<Name extends keyof FileTransferEvents>(
    name: Name,
  ): Promise<FileTransferEvents[Name]> {
    await until(`${name} is told`, () => this.all(name).length > 0);
    return this.all(name)[0]!;
  }
}

/** One endpoint of the loop. */
export interface LoopPerson {
  readonly client: LoopClient;
  readonly files: FileTransfers;
  readonly heard: HeardFiles;
  readonly folder: string;
}

/** How the two differ from people who may do everything. */
export interface LoopOptions {
  readonly alice?: Allowed;
  readonly bob?: Allowed;
  readonly bobsFiles?: Partial<FileTransfersOptions>;
}

/** Alice, who sends, and Bob, who accepts everything unless it is said otherwise. */
export class LoopBed {
  readonly alice: LoopPerson;
  readonly bob: LoopPerson;
  readonly #options: LoopOptions;

  private constructor(
    readonly folder: string,
    options: LoopOptions,
  ) {
    this.#options = options;
    this.alice = this.#person('alice', 1, options.alice ?? {}, {});
    this.bob = this.#person('bob', 2, options.bob ?? {}, options.bobsFiles ?? {});
  }

  static async make(options: LoopOptions = {}): Promise<LoopBed> {
    return new LoopBed(await mkdtemp(join(tmpdir(), 'sallyport-loop-')), options);
  }

  /** Bob says yes to everything from now on. */
  willing(): this {
    this.bob.heard.beWilling();
    return this;
  }

  /** Another endpoint of Bob with the same folder, as after a restart. */
  bobAgain(): LoopPerson {
    this.lose();
    this.bob.files.close();
    const person = this.#person('bob', 2, this.#options.bob ?? {}, this.#options.bobsFiles ?? {});
    Object.assign(this, { bob: person });
    return person;
  }

  /** The session ends on both sides. */
  lose(): void {
    for (const { client } of [this.alice, this.bob]) {
      if (client.current) client.current.isEstablished = false;
      client.current = undefined;
      client.tell('session-ended', 'peer');
    }
  }

  /** The names in Bob's folder, and in his folder of parts. */
  async bobsFolder(): Promise<readonly string[]> {
    return (await namesIn(this.bob.folder)).filter((name) => name !== '.sallyport');
  }

  get partFolder(): string {
    return join(this.bob.folder, '.sallyport');
  }

  async parts(): Promise<readonly string[]> {
    return namesIn(this.partFolder);
  }

  async stop(): Promise<void> {
    this.alice.files.close();
    this.bob.files.close();
    await rm(this.folder, { recursive: true });
  }

  #person(
    name: string,
    device: number,
    allowed: Allowed,
    options: Partial<FileTransfersOptions>,
  ): LoopPerson {
    const client = new LoopClient(name, new Uint8Array(16).fill(device), allowed, () => {
      this.#connect();
    });
    const folder = join(this.folder, name);
    const heard = new HeardFiles();
    const { accept } = heard;
    const files = new FileTransfers(client, { folder, accept, backend: nodeBackend, ...options });
    heard.listen(files);
    return { client, files, heard, folder };
  }

  #connect(): void {
    const [a, b] = [this.alice.client, this.bob.client];
    const half = (own: LoopClient, deviceId: Uint8Array) =>
      new LoopSession(deviceId, (session, name, value) => {
        if (own.current !== session) return;
        if (name === 'message') own.tell('message', 'peer', 'file', value as Uint8Array);
        if (name === 'acknowledged') own.tell('acknowledged', 'peer', 'file', value as number);
        if (name === 'writable') own.tell('writable', 'peer', 'file');
      });
    a.current = half(a, b.deviceId);
    b.current = half(b, a.deviceId);
    a.current.other = b.current;
    b.current.other = a.current;
    for (const client of [a, b]) {
      client.opened++;
      client.tell('session', 'peer', client.current!);
    }
  }
}

export const sha256 = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

const namesIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder).catch(() => [])).sort();

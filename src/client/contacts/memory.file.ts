/*
 * The second file of an endpoint: contacts, marks, revocations, sessions and pins of gateways, sealed under the same
 * passphrase as the identity. Written as a whole, at most a few times a second, each time durably.
 */
import { toBase64url, fromBase64urlText } from '../../protocol/lease/base64url.js';
import type { GatewayMemory, LearnedPins } from '../gateway/gateway.keeper.js';
import { IdentityError } from '../identity/identity-error.js';
import type { IdentityFile } from '../identity/identity.file.js';
import { readPrivateFile, writePrivateFile } from '../identity/private.file.js';
import { ContactBook } from './contact-book.js';
import { memoryPath, settleMemory } from './passphrase.change.js';
import {
  decodeMemory,
  encodeMemory,
  type GatewayRecord,
  type NotedIdentity,
} from './memory-record.js';

/** Changes within this time are one write. */
const SAVE_AFTER_MS = 200;

/** What an endpoint remembers. Changes are written by `save`, or by themselves a moment later (`changed`). */
export class EndpointMemory implements GatewayMemory {
  readonly book: ContactBook;
  readonly #file: IdentityFile;
  readonly #gateways = new Map<string, GatewayRecord>();
  #noted: NotedIdentity = { serial: 0, revocations: 0 };
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failed: unknown;

  private constructor(file: IdentityFile) {
    this.#file = file;
    this.book = new ContactBook(file.context.backend, file.identity.account);
  }

  /**
   * What was remembered, or nothing yet; `file` is locked from then on.
   * @throws IdentityError as IdentityFile.lock, readPrivateFile and IdentityFile.unseal.
   */
  static async open(file: IdentityFile): Promise<EndpointMemory> {
    file.lock();
    const memory = new EndpointMemory(file);
    await settleMemory(file);
    const bytes = await readPrivateFile(memoryPath(file.path)).catch(ifMissing);
    if (bytes === undefined) return memory;
    const plaintext = file.unseal('memory', bytes);
    const remembered = decodeMemory(plaintext, file.context.backend, memory.book);
    plaintext.fill(0);
    if (typeof remembered === 'string')
      throw new IdentityError(
        'ERR_IDENTITY_FILE_FORMAT',
        `${memoryPath(file.path)} is none of ours, or of a later version (${remembered}).`,
        'Move it away: contacts can be added again.',
        remembered,
      );
    for (const gateway of remembered.gateways) memory.#gateways.set(gateway.name, gateway);
    memory.#noted = remembered.identity ?? memory.#noted;
    return memory;
  }

  /** The identity file was newer at any time when this was written: somebody has put an older one back. */
  get isIdentityOlder(): boolean {
    const { serial, revocations } = notedOf(this.#file);
    return serial < this.#noted.serial || revocations < this.#noted.revocations;
  }

  session(name: string): Uint8Array | undefined {
    const session = this.#gateways.get(name)?.session;
    return session === undefined ? undefined : fromBase64urlText(session);
  }

  keepSession(name: string, token: Uint8Array | undefined): void {
    const { session: _session, ...rest } = this.#gateways.get(name) ?? { name };
    this.#gateways.set(name, token ? { ...rest, session: toBase64url(token) } : rest);
    this.changed();
  }

  learnedPins(name: string): LearnedPins | undefined {
    return this.#gateways.get(name)?.learned;
  }

  keepPins(name: string, { pins, serial, notAfter }: LearnedPins): void {
    const learned = { pins: [...pins], serial, notAfter };
    this.#gateways.set(name, { ...(this.#gateways.get(name) ?? { name }), learned });
    this.changed();
  }

  /** Something has changed; it is written within a moment. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      void this.save().catch((error: unknown) => {
        this.#failed = error;
      });
    }, SAVE_AFTER_MS);
  }

  /** Writes it now; resolves when it is on the disk. @throws what the file system says, also of an earlier write. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const failed = this.#failed;
    this.#failed = undefined;
    const write = this.#writing.then(() => this.#write());
    this.#writing = write.catch(() => undefined);
    await write;
    if (failed instanceof Error) throw failed;
  }

  async #write(): Promise<void> {
    const contacts = this.book.all;
    const revocations = contacts.flatMap(({ identity }) =>
      identity === undefined ? [] : this.book.revocations.of(identity),
    );
    const plaintext = encodeMemory(
      {
        gateways: [...this.#gateways.values()],
        identity: newest(this.#noted, notedOf(this.#file)),
      },
      contacts,
      revocations,
    );
    try {
      const sealed = this.#file.seal('memory', plaintext);
      await writePrivateFile(memoryPath(this.#file.path), sealed, 'replace');
    } finally {
      plaintext.fill(0);
    }
  }
}

function ifMissing(error: unknown): undefined {
  if (error instanceof IdentityError && error.code === 'ERR_IDENTITY_MISSING') return undefined;
  throw error;
}

/** Serials are Unix milliseconds: a number holds them. */
const notedOf = ({ identity }: IdentityFile): NotedIdentity => ({
  serial: Number(identity.binding.serial),
  revocations: identity.revocations.length,
});

const newest = (a: NotedIdentity, b: NotedIdentity): NotedIdentity => ({
  serial: Math.max(a.serial, b.serial),
  revocations: Math.max(a.revocations, b.revocations),
});

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
import { decodeMemory, encodeMemory, type GatewayRecord } from './memory-record.js';

/** Changes within this time are one write. */
const SAVE_AFTER_MS = 200;

/** Where an endpoint keeps what it remembers: beside its identity. */
export const memoryPath = (identityPath: string): string => `${identityPath}.memory`;

/** What an endpoint remembers. Changes are written by `save`, or by themselves a moment later (`changed`). */
export class EndpointMemory implements GatewayMemory {
  readonly book: ContactBook;
  readonly #file: IdentityFile;
  readonly #gateways = new Map<string, GatewayRecord>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failed: unknown;

  private constructor(file: IdentityFile) {
    this.#file = file;
    this.book = new ContactBook(file.context.backend, file.identity.account);
  }

  /** What was remembered, or nothing yet. @throws IdentityError as readPrivateFile and IdentityFile.unseal. */
  static async open(file: IdentityFile): Promise<EndpointMemory> {
    const memory = new EndpointMemory(file);
    const bytes = await readPrivateFile(memoryPath(file.path)).catch(ifMissing);
    if (bytes === undefined) return memory;
    const plaintext = file.unseal('memory', bytes);
    const gateways = decodeMemory(plaintext, file.context.backend, memory.book);
    plaintext.fill(0);
    if (typeof gateways === 'string')
      throw new IdentityError(
        'ERR_IDENTITY_FILE_FORMAT',
        `${memoryPath(file.path)} is none of ours, or of a later version (${gateways}).`,
        'Move it away: contacts can be added again.',
        gateways,
      );
    for (const gateway of gateways) memory.#gateways.set(gateway.name, gateway);
    return memory;
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
    const plaintext = encodeMemory([...this.#gateways.values()], contacts, revocations);
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

/*
 * An endpoint of a person: logged in at a gateway, reachable for contacts, with sessions to them.
 */
import { EventEmitter } from 'node:events';
import type { AnswerBody, RequestBody, RequestName } from '../../messages/requests.js';
import type { Welcome } from '../../messages/signaling.js';
import { systemClock } from '../../runtime/system.clock.js';
import { GatewayError } from '../gateway/gateway-error.js';
import { ClientCore } from './client.core.js';
import type { ClientEvents } from './client-events.js';
import type { ClientOptions } from './client-options.js';
import type { Contact, PathPolicy } from './contact-book.js';
import type { ContactSession } from './contact.session.js';
import { EndpointMemory } from './memory.file.js';

/** A client. After `close` nothing of it can be used again, and its keys are erased. */
export class Client extends EventEmitter<ClientEvents> {
  readonly #options: ClientOptions;
  readonly #memory: EndpointMemory;
  readonly #core: ClientCore;
  #closed = false;

  private constructor(options: ClientOptions, memory: EndpointMemory) {
    super();
    this.#options = options;
    this.#memory = memory;
    this.#core = new ClientCore(
      { ...options, clock: options.clock ?? systemClock },
      memory,
      (name, ...args) => {
        // The emitter's own type does not see that name and arguments belong together when both are generic.
        (this as EventEmitter).emit(name, ...args);
      },
    );
  }

  /** A client that is not connected yet. @throws IdentityError for what it remembers; GatewayError for the list. */
  static async open(options: ClientOptions): Promise<Client> {
    return new Client(options, await EndpointMemory.open(options.identity));
  }

  /** `sp1...` of this account. */
  get fingerprint(): string {
    return this.#options.identity.identity.fingerprint;
  }

  /** What the gateway said at the last login. */
  get welcome(): Welcome | undefined {
    return this.#core.welcome;
  }

  /** Public lease keys of the gateway: grants of peers are checked with these. */
  get leaseKeys(): Welcome['leaseKeys'] {
    return this.#core.welcome?.leaseKeys ?? [];
  }

  /**
   * Whether somebody has put an older identity file back since this endpoint was last open: revocations and a newer binding
   * are missing then, and were made for a reason. Both files put back cannot be told.
   */
  get isIdentityOlder(): boolean {
    return this.#memory.isIdentityOlder;
  }

  get isConnected(): boolean {
    return this.#core.keeper.isConnected;
  }

  get contacts(): readonly Contact[] {
    return this.#memory.book.all;
  }

  /**
   * Logs in and stays connected until `close`; resolves at the first welcome, when contacts can reach this endpoint.
   * @throws GatewayError ERR_GATEWAY_LOGIN with the reason when no further try is made; _AWAY when no gateway let this
   * endpoint in within 30 s: then the client goes on trying.
   */
  async connect(withinMs = 30_000): Promise<Welcome> {
    const welcome = this.#firstWelcome(withinMs);
    this.#core.start();
    return welcome;
  }

  /** Asks the gateway anything of messages/requests.ts. @throws GatewayError. */
  request<Name extends RequestName>(
    name: Name,
    body: RequestBody<Name>,
  ): Promise<AnswerBody<Name>> {
    return this.#core.keeper.request(name, body);
  }

  /** As Introductions.ask: introduces this account to another. */
  async ask(fingerprint: string): Promise<number> {
    return this.#changing(() => this.#core.introductions.ask(fingerprint));
  }

  /** As Introductions.accept. */
  async accept(fingerprint: string): Promise<void> {
    await this.#changing(() => this.#core.introductions.accept(fingerprint));
  }

  /** Hears nothing of it any more, and ends its sessions. */
  async block(fingerprint: string): Promise<void> {
    await this.#changing(() => this.#memory.book.add(fingerprint, 'blocked'));
  }

  /** Forgets a contact, and ends its sessions. */
  async remove(fingerprint: string): Promise<void> {
    await this.#changing(() => {
      this.#memory.book.remove(fingerprint);
    });
  }

  /** As ContactBook.rename. */
  async rename(fingerprint: string, name: string, replaces?: 'replaces'): Promise<void> {
    await this.#changing(() => {
      this.#memory.book.rename(fingerprint, name, replaces);
    });
  }

  /** Whether the contact may see this endpoint's addresses; it holds for sessions from now on. */
  async setPathPolicy(fingerprint: string, policy: PathPolicy): Promise<void> {
    await this.#changing(() => {
      this.#memory.book.setPathPolicy(fingerprint, policy);
    });
  }

  /** The number that both people compare. Takes some 10 ms. @throws ContactError ERR_CONTACT_UNKNOWN. */
  safetyNumber(fingerprint: string): string {
    return this.#memory.book.safetyNumber(fingerprint);
  }

  /** The person has compared the safety number; undo it with `unverify`. */
  async verify(fingerprint: string): Promise<void> {
    await this.#changing(() => {
      this.#memory.book.mark(fingerprint);
    });
  }

  async unverify(fingerprint: string): Promise<void> {
    await this.#changing(() => {
      this.#memory.book.unmark(fingerprint);
    });
  }

  /** The session with a contact, opened if there is none. @throws ContactError; GatewayError. */
  session(fingerprint: string): Promise<ContactSession> {
    this.#memory.book.require(fingerprint);
    return this.#core.link(fingerprint).open();
  }

  /** As Chats.send: gives the id of the message, of which `delivery` events tell. @throws as there; ContactError _UNKNOWN. */
  send(fingerprint: string, text: string): string {
    this.#memory.book.require(fingerprint);
    return this.#core.chats.send(fingerprint, text);
  }

  /** Ends sessions and the connection, writes what is remembered, and erases the keys. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#core.close();
    await this.#memory.save();
  }

  /** Carries out a change of the book and writes it before it resolves; also when something behind it failed. */
  async #changing<Result>(change: () => Result | Promise<Result>): Promise<Result> {
    try {
      return await change();
    } finally {
      await this.#core.bookChanged();
      await this.#memory.save();
    }
  }

  #firstWelcome(withinMs: number): Promise<Welcome> {
    return new Promise((resolve, reject) => {
      let last = 'no-answer';
      const away = (_gateway: string, why: string) => {
        last = why;
      };
      const done = (settle: () => void) => {
        clearTimeout(timer);
        this.off('away', away);
        this.off('connected', connected);
        this.off('stopped', stopped);
        settle();
      };
      const connected = (_gateway: string, welcome: Welcome) => {
        done(() => {
          resolve(welcome);
        });
      };
      const stopped = (reason: string) => {
        done(() => {
          reject(new GatewayError('ERR_GATEWAY_LOGIN', `The login ended: ${reason}.`, { reason }));
        });
      };
      const timer = setTimeout(() => {
        done(() => {
          const text = `No gateway let this endpoint in: ${last}.`;
          reject(new GatewayError('ERR_GATEWAY_AWAY', text, { reason: last }));
        });
      }, withinMs);
      this.on('away', away);
      this.on('connected', connected);
      this.on('stopped', stopped);
    });
  }
}

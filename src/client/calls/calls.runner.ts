/*
 * Calls of one client: frames of media on the `call` channel of its sessions, if the grant of this device allows them.
 * Frames that come are given out when this side may join calls, or has started one with that contact. The grant is this
 * side's own: the other side looks at its own.
 */
import { EventEmitter } from 'node:events';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import type { Clock } from '../../runtime/clock.js';
import type { Client } from '../contacts/client.runner.js';
import type { ClientEvents } from '../contacts/client-events.js';
import type { ContactSession } from '../contacts/contact.session.js';
import { GrantHolder } from '../files/grant.holder.js';
import { CallError } from './call-error.js';
import { judgeCall, type CallPart, type CallRefusal } from './call-permission.js';
import type { GrantClaims } from '../../protocol/lease/grant.js';

/** How often the grant is looked at while frames go or come. */
const REVIEW_EVERY_MS = 1_000;

/** What calls tell. */
export interface CallsEvents {
  /** A frame of a contact; `bytes` are the listener's. */
  frame: [fingerprint: string, bytes: Uint8Array];
  /** A frame was not given out. */
  refused: [fingerprint: string, reason: CallRefusal];
}

/** One call with one contact. */
export interface Call {
  readonly session: ContactSession;
  /** Sends a frame; what gets lost is not sent again. @throws CallError once this is no longer allowed; as ContactSession.send. */
  send(frame: Uint8Array): void;
}

/** The calls of a client. Its owner closes it before the client. */
export class Calls extends EventEmitter<CallsEvents> {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #grants: GrantHolder;
  readonly #started = new Set<string>();
  #own: GrantClaims | undefined;
  #reviewMs = 0;

  constructor(client: Client, backend: CryptoBackend, clock: Clock) {
    super();
    this.#client = client;
    this.#clock = clock;
    this.#grants = new GrantHolder({
      ask: (name, body) => client.request(name, body),
      leaseKeys: () => client.leaseKeys,
      verify: (key, message, signature) => backend.ed25519Verify(key, message, signature),
      clock,
    });
    client.on('session', this.#sessionBegan);
    client.on('session-ended', this.#sessionEnded);
    client.on('permissions', this.#rolesChanged);
    // Roles may have changed while nobody could tell.
    client.on('connected', this.#rolesChanged);
    client.on('message', this.#message);
  }

  /** Calls a contact. @throws CallError if the grant does not say startCalls; as Client.session. */
  start(fingerprint: string): Promise<Call> {
    return this.#begin(fingerprint, 'start');
  }

  /** Answers a contact's call. @throws CallError if the grant does not say joinCalls; as Client.session. */
  join(fingerprint: string): Promise<Call> {
    return this.#begin(fingerprint, 'join');
  }

  /** Gives out no more frames. */
  close(): void {
    this.#client.off('session', this.#sessionBegan);
    this.#client.off('session-ended', this.#sessionEnded);
    this.#client.off('permissions', this.#rolesChanged);
    this.#client.off('connected', this.#rolesChanged);
    this.#client.off('message', this.#message);
  }

  readonly #sessionBegan = (): void => {
    void this.#review();
  };

  readonly #sessionEnded = (fingerprint: string): void => {
    this.#started.delete(fingerprint);
  };

  readonly #rolesChanged = (): void => {
    this.#grants.forget();
    this.#own = undefined;
    void this.#review();
  };

  readonly #message = (...[fingerprint, channel, bytes]: ClientEvents['message']): void => {
    if (channel !== 'call') return;
    const part = this.#started.has(fingerprint) ? 'start' : 'join';
    const refusal = this.#refusal(part);
    if (refusal === undefined) this.emit('frame', fingerprint, bytes);
    else this.emit('refused', fingerprint, refusal);
  };

  async #begin(fingerprint: string, part: CallPart): Promise<Call> {
    await this.#review();
    this.#require(part);
    const session = await this.#client.session(fingerprint);
    if (part === 'start') this.#started.add(fingerprint);
    return {
      session,
      send: (frame) => {
        this.#require(part);
        session.send('call', frame);
      },
    };
  }

  #require(part: CallPart): void {
    const refusal = this.#refusal(part);
    if (refusal !== undefined) throw new CallError(refusal);
  }

  #refusal(part: CallPart): CallRefusal | undefined {
    if (this.#clock.monotonicMs() >= this.#reviewMs) void this.#review();
    const own = this.#own;
    return judgeCall(own !== undefined && this.#grants.holds(own) ? own : undefined, part);
  }

  /** A gateway that is away leaves the grant as it is, until its end. */
  async #review(): Promise<void> {
    this.#reviewMs = this.#clock.monotonicMs() + REVIEW_EVERY_MS;
    const own = await this.#grants.own().catch(() => undefined);
    if (own !== undefined) this.#own = own.claims;
  }
}

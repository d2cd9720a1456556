/*
 * Calls of one client: frames of media on the `call` channel of its sessions. Both sides show each other their grants on
 * the chat channel, which loses nothing, before the first frame goes and whenever one is renewed; frames that come are
 * given out while the grants of both allow the parts of their sides. An end of a grant, ten minutes at most, ends that.
 */
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import type { GrantClaims } from '../../protocol/lease/grant.js';
import type { Clock } from '../../runtime/clock.js';
import { ContactError } from '../contacts/contact-error.js';
import type { ContactSession } from '../contacts/contact.session.js';
import { GrantHolder, type GrantRefusal, type OwnGrant } from '../files/grant.holder.js';
import type { CallClient, CallClientEvents, CallSession } from './call-client.js';
import { CallError } from './call-error.js';
import { CallPeer } from './call-peer.js';
import { judgeCall, judgeFrame, type CallPart, type CallRefusal } from './call-permission.js';

/** How often grants are renewed and shown to those with whom there is a call, or was one in the session. */
const REVIEW_EVERY_MS = 1_000;
/** How often it is looked whether the peer has the grant, before the first frame. */
const LOOK_EVERY_MS = 20;

const NOT_STARTED = 'not-started';

/** What calls tell. */
export interface CallsEvents {
  /** A frame of a contact; `bytes` are the listener's. */
  frame: [fingerprint: string, bytes: Uint8Array];
  /** A frame was not given out, or a contact has shown something that is no grant of that device (`grant-...`). */
  refused: [fingerprint: string, reason: CallRefusal | `grant-${GrantRefusal}`];
}

/** One call with one contact. */
export interface Call<Session extends CallSession = ContactSession> {
  readonly session: Session;
  /** Sends a frame; what gets lost is not sent again. @throws CallError once this is no longer allowed; as ContactSession.send. */
  send(frame: Uint8Array): void;
}

/** The calls of a client. Its owner closes it before the client. */
export class Calls<Session extends CallSession = ContactSession> extends EventEmitter<CallsEvents> {
  readonly #client: CallClient<Session>;
  readonly #grants: GrantHolder;
  readonly #peers = new Map<string, CallPeer<Session>>();
  #own: OwnGrant | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #heard: Heard<Session> = {
    // Roles may have changed while nobody could tell.
    connected: () => {
      this.#rolesChanged();
    },
    permissions: () => {
      this.#rolesChanged();
    },
    session: (fingerprint, session) => {
      this.#peer(fingerprint, session);
      void this.#review();
    },
    'session-ended': (fingerprint) => {
      if (this.#peers.get(fingerprint)?.session.isEstablished === false)
        this.#peers.delete(fingerprint);
    },
    'call-grant': (session, token) => {
      void this.#shownBy(this.#peer(session.peer.fingerprint, session), token);
    },
    message: (fingerprint, channel, bytes) => {
      if (channel === 'call') this.#frame(fingerprint, bytes);
    },
    acknowledged: (fingerprint, channel, id) => {
      if (channel === 'chat') this.#peers.get(fingerprint)?.acknowledged(id);
    },
  };

  constructor(client: CallClient<Session>, backend: CryptoBackend, clock: Clock) {
    super();
    this.#client = client;
    this.#grants = new GrantHolder({
      ask: (name, body) => client.request(name, body),
      leaseKeys: () => client.leaseKeys,
      verify: (key, message, signature) => backend.ed25519Verify(key, message, signature),
      clock,
    });
    this.#timer = setInterval(() => {
      if ([...this.#peers.values()].some(({ isCalling }) => isCalling)) void this.#review();
    }, REVIEW_EVERY_MS).unref();
    for (const name of HEARD) client.on(name, this.#heard[name]);
  }

  /**
   * Calls a contact; resolves when its endpoint has this side's grant.
   * @throws CallError if the grant does not say startCalls; as Client.session.
   */
  start(fingerprint: string): Promise<Call<Session>> {
    return this.#begin(fingerprint, 'start');
  }

  /** Answers a contact's call, as `start`. @throws CallError if the grant does not say joinCalls; as Client.session. */
  join(fingerprint: string): Promise<Call<Session>> {
    return this.#begin(fingerprint, 'join');
  }

  /** Gives out no more frames. */
  close(): void {
    clearInterval(this.#timer);
    for (const name of HEARD) this.#client.off(name, this.#heard[name]);
  }

  async #begin(fingerprint: string, part: CallPart): Promise<Call<Session>> {
    await this.#review();
    this.#require(part);
    const session = await this.#client.session(fingerprint);
    const peer = this.#peer(fingerprint, session);
    if (part === 'start') peer.hasStarted = true;
    await this.#untilKnown(peer, part);
    return {
      session,
      send: (frame) => {
        this.#require(part);
        session.send('call', frame);
      },
    };
  }

  /** A grant that changes meanwhile is shown as well. */
  async #untilKnown(peer: CallPeer<Session>, part: CallPart): Promise<void> {
    for (;;) {
      this.#require(part);
      if (!peer.session.isEstablished)
        throw new ContactError('ERR_CONTACT_NO_SESSION', 'The session is over.');
      if (this.#own !== undefined) peer.show(this.#own);
      if (this.#own !== undefined && peer.knows(this.#own)) return;
      await delay(LOOK_EVERY_MS);
    }
  }

  #frame(fingerprint: string, bytes: Uint8Array): void {
    const peer = this.#peers.get(fingerprint);
    const grants = { own: this.#holding(this.#own?.claims), peer: this.#holding(peer?.grant) };
    // Who has started hears also the one who has started at the same time.
    const asCaller = peer?.hasStarted === true ? judgeFrame(grants, 'start') : NOT_STARTED;
    const asCalled = judgeFrame(grants, 'join');
    if (asCaller === undefined || asCalled === undefined) this.emit('frame', fingerprint, bytes);
    else this.emit('refused', fingerprint, asCaller === NOT_STARTED ? asCalled : asCaller);
  }

  #require(part: CallPart): void {
    const refusal = judgeCall(this.#holding(this.#own?.claims), part);
    if (refusal !== undefined) throw new CallError(refusal);
  }

  #holding(claims: GrantClaims | undefined): GrantClaims | undefined {
    return claims !== undefined && this.#grants.holds(claims) ? claims : undefined;
  }

  #rolesChanged(): void {
    this.#grants.forget();
    this.#own = undefined;
    void this.#review();
  }

  /** A gateway that is away leaves the grant as it is, until its end. */
  async #review(): Promise<void> {
    const own = await this.#grants.own().catch(() => undefined);
    if (own === undefined) return;
    this.#own = own;
    for (const peer of this.#peers.values()) if (peer.isCalling) peer.show(own);
  }

  /** What does not hold takes the place of what did: who shows it has nothing better. An answer is this side's grant. */
  async #shownBy(peer: CallPeer<Session>, token: Uint8Array): Promise<void> {
    const { fingerprint, device } = peer.session.peer;
    const claims = this.#grants.read(token, device.keys.deviceId);
    peer.grant = typeof claims === 'string' ? undefined : claims;
    if (typeof claims === 'string') this.emit('refused', fingerprint, `grant-${claims}`);
    else await this.#review();
  }

  #peer(fingerprint: string, session: Session): CallPeer<Session> {
    const known = this.#peers.get(fingerprint);
    if (known?.session === session) return known;
    const peer = new CallPeer(session);
    this.#peers.set(fingerprint, peer);
    return peer;
  }
}

type Heard<Session extends CallSession> = {
  readonly [Name in keyof CallClientEvents<Session>]: (
    ...args: CallClientEvents<Session>[Name]
  ) => void;
};

const HEARD = [
  'connected',
  'permissions',
  'session',
  'session-ended',
  'call-grant',
  'message',
  'acknowledged',
] as const satisfies readonly (keyof CallClientEvents<CallSession>)[];

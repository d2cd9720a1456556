/*
 * One connection with its login: challenge, login, second factor, welcome; then requests, answers and notices.
 */
import type { AnswerBody, RequestBody, RequestName } from '../../messages/requests.js';
import type { FactorProof } from '../../messages/fields.js';
import type { FromEndpoint, LoginRefusal, ToEndpoint, Welcome } from '../../messages/signaling.js';
import type { Clock } from '../../runtime/clock.js';
import { GatewayError } from './gateway-error.js';
import type { GatewayPlace } from './gateway-place.js';
import { GatewayLink, type LinkEnd, type LinkOpen } from './gateway.link.js';
import { loginOf, type LoginSigner } from './login.js';
import { readFromGateway, readNotice, type Notice } from './signaling-reader.js';
import { Unanswered } from './unanswered.js';

/** From the open socket to the welcome, without the time that a person takes for a second factor. */
const LOGIN_WITHIN_MS = 10_000;
/** A person looks for a key or a telephone. */
const SECOND_FACTOR_WITHIN_MS = 120_000;
export const REQUEST_WITHIN_MS = 10_000;
const EXPIRE_EVERY_MS = 250;

/** The second factors that the gateway takes now. */
export type SecondFactorWanted = Omit<Extract<ToEndpoint, { type: 'second-factor' }>, 'type'>;

/** Asks the person for a second factor; undefined gives up. Called again after a wrong one. */
export type ProveSecondFactor = (wanted: SecondFactorWanted) => Promise<FactorProof | undefined>;

/** Why a connection is over: what the network did, or why the login was refused. */
export type ConnectionEnd =
  | { readonly how: 'link'; readonly why: LinkEnd }
  | {
      readonly how: 'refused';
      readonly why: LoginRefusal;
      readonly retryAfterSeconds: number | undefined;
    };

/** What a connection is made of. */
export interface ConnectionParts {
  readonly place: GatewayPlace;
  readonly signer: LoginSigner;
  readonly clock: Clock;
  readonly session: Uint8Array | undefined;
  readonly invite: string | undefined;
  readonly proveSecondFactor: ProveSecondFactor | undefined;
  readonly events: ConnectionEvents;
}

/** What a connection tells. After `ended` nothing comes. */
export interface ConnectionEvents {
  welcome(welcome: Welcome): void;
  notice(notice: Notice): void;
  ended(end: ConnectionEnd): void;
}

/** One connection to one gateway, from the dial on. */
export class GatewayConnection {
  readonly place: GatewayPlace;
  readonly #parts: ConnectionParts;
  readonly #link: GatewayLink;
  readonly #unanswered = new Unanswered();
  #open: LinkOpen | undefined;
  #state: 'dialling' | 'challenged' | 'second-factor' | 'in' | 'over' = 'dialling';
  #deadlineMs = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ConnectionParts) {
    this.place = parts.place;
    this.#parts = parts;
    this.#link = new GatewayLink(
      parts.place,
      {
        open: (open) => {
          this.#open = open;
          this.#deadlineMs = this.#now() + LOGIN_WITHIN_MS;
          this.#timer = setInterval(() => {
            this.#tick();
          }, EXPIRE_EVERY_MS);
        },
        text: (text) => {
          this.#take(text);
        },
        ended: (why) => {
          this.#end({ how: 'link', why });
        },
      },
      () => parts.clock.now().getTime(),
    );
  }

  /** Whether the login is over and requests may go. */
  get isIn(): boolean {
    return this.#state === 'in';
  }

  /** The key of the leaf, which signs pin updates. */
  get leafKey(): LinkOpen['leafKey'] | undefined {
    return this.#open?.leafKey;
  }

  /**
   * Asks the gateway; gives the body of its answer.
   * @throws GatewayError ERR_GATEWAY_REFUSED, _DEADLINE (10 s, or `withinMs`), _AWAY or _BUSY.
   */
  async request<Name extends RequestName>(
    name: Name,
    body: RequestBody<Name>,
    withinMs = REQUEST_WITHIN_MS,
  ): Promise<AnswerBody<Name>> {
    if (!this.isIn) throw new GatewayError('ERR_GATEWAY_AWAY', 'No gateway is connected now.');
    if (!this.#link.hasRoom)
      throw new GatewayError('ERR_GATEWAY_BUSY', 'The network takes no more requests now.');
    return new Promise((resolve, reject) => {
      const id = this.#unanswered.add(name, this.#now() + withinMs, (answer) => {
        if (answer instanceof GatewayError) reject(answer);
        else resolve(answer);
      });
      // Every request body is an object; the type of all of them together does not say so.
      this.#send({ type: 'request', id, name, body: body as Record<string, unknown> });
    });
  }

  /** Ends the connection. May be called again. */
  close(): void {
    this.#link.close();
  }

  #take(text: string): void {
    const message = readFromGateway(text);
    if (typeof message === 'string' || !this.#handle(message)) this.#link.close('wrong-message');
  }

  /** False if the message has no place in this state. */
  #handle(message: ToEndpoint): boolean {
    switch (message.type) {
      case 'challenge':
        return this.#state === 'dialling' && this.#login(message);
      case 'second-factor':
        return this.#askSecondFactor(message);
      case 'welcome':
        return this.#enter(message);
      case 'refused':
        return this.#refused(message);
      case 'answer':
        return this.isIn && this.#unanswered.answer(message);
      case 'notice':
        return this.isIn && this.#notice(message);
    }
  }

  #login({ challenge }: Extract<ToEndpoint, { type: 'challenge' }>): boolean {
    const { place, signer, session, invite } = this.#parts;
    const exporter = place.viaIngress ? 'none' : this.#open?.exporter;
    if (exporter === undefined) return false;
    const login = loginOf(signer, { host: place.host, challenge, exporter, session, invite });
    if (login === undefined) return false;
    this.#state = 'challenged';
    this.#send(login);
    return true;
  }

  #askSecondFactor({
    type: _type,
    ...wanted
  }: Extract<ToEndpoint, { type: 'second-factor' }>): boolean {
    if (this.#state !== 'challenged' && this.#state !== 'second-factor') return false;
    this.#state = 'second-factor';
    this.#deadlineMs = this.#now() + SECOND_FACTOR_WITHIN_MS;
    const asked = this.#parts.proveSecondFactor?.(wanted) ?? Promise.resolve(undefined);
    asked.then(
      (proof) => {
        if (proof !== undefined && this.#state === 'second-factor')
          this.#send({ type: 'second-factor', proof });
        else this.#giveUp();
      },
      () => {
        this.#giveUp();
      },
    );
    return true;
  }

  /** The person has no second factor at hand: trying again without being asked would lock the account. */
  #giveUp(): void {
    this.#end({ how: 'refused', why: 'no-second-factor', retryAfterSeconds: undefined });
  }

  #enter(welcome: Welcome): boolean {
    if (this.#state !== 'challenged' && this.#state !== 'second-factor') return false;
    this.#state = 'in';
    this.#deadlineMs = Infinity;
    this.#parts.events.welcome(welcome);
    return true;
  }

  #refused({ reason, retryAfterSeconds }: Extract<ToEndpoint, { type: 'refused' }>): boolean {
    if (this.#state === 'in') return false;
    this.#end({ how: 'refused', why: reason, retryAfterSeconds });
    return true;
  }

  #notice({ name, body }: Extract<ToEndpoint, { type: 'notice' }>): boolean {
    const notice = readNotice(name, body);
    if (notice !== undefined) this.#parts.events.notice(notice);
    return notice !== undefined;
  }

  #tick(): void {
    const nowMs = this.#now();
    this.#unanswered.expire(nowMs);
    if (nowMs >= this.#deadlineMs) this.#link.close('no-answer');
  }

  #end(end: ConnectionEnd): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    clearInterval(this.#timer);
    this.#link.close();
    this.#unanswered.endAll();
    this.#parts.events.ended(end);
  }

  #send(message: FromEndpoint): void {
    this.#link.send(JSON.stringify(message));
  }

  #now(): number {
    return this.#parts.clock.monotonicMs();
  }
}

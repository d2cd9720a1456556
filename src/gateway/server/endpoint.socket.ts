/*
 * One WebSocket of an endpoint: it logs in within deadlines, then asks. What it may cost is bounded: messages and frames
 * per second, requests at one time, bytes that wait for a reader who does not read, and how long all of it may take.
 */
import type { NoticeBody, NoticeName } from '../../messages/notices.js';
import {
  CLOSE_CODES,
  type CloseName,
  type EndpointRequest,
  type FromEndpoint,
  type LoginRefusal,
  type ToEndpoint,
} from '../../messages/signaling.js';
import { TokenBucket } from '../../runtime/source-limiter.js';
import type { Caller } from '../caller.js';
import type { LoginConversation, LoginFacts, LoginStep } from '../rooms.js';
import { StorageUnavailable } from '../store.js';
import { answerRequest, refusal } from './answering.js';
import type { End } from './metrics.js';
import { isSilent, LIMITS, sessionEnd } from './connection-limits.js';
import { MessageOutlet, type Wire } from './message.outlet.js';
import { readFromEndpoint, type MessageRefusal } from './message-reader.js';
import type { EndpointHost } from './endpoint-host.js';
import type { EndpointWebSocket, WebSocketEvents } from './endpoint-web.socket.js';
import type { HeldConnection } from './open-connections.js';
import { Turn } from './turn.js';

type State = 'login' | 'open' | 'ended';

/** A connection from its upgrade to its end. */
export class EndpointSocket implements HeldConnection, WebSocketEvents {
  readonly id: string;
  readonly openedAtMs: number;
  readonly address: string;
  /** Until it is in. */
  #login: LoginConversation | undefined;
  private readonly socket: EndpointWebSocket;
  readonly #outlet: MessageOutlet;
  readonly #messages = new TokenBucket();
  readonly #frames = new TokenBucket();
  /** Requests that wait for their answers; most are answered at once. */
  #pending: Set<number> | undefined;
  #state: State = 'login';
  #caller: Caller | undefined;
  #isBusy = false;
  #loginMessages = 0;
  /** When the next message of the login has to be there, monotonic. */
  #loginUntilMs: number;
  #overLimit = 0;
  /** When a message came last, monotonic: what idle means. */
  #heardMs: number;
  /** When anything came last, monotonic: what silent means. */
  #aliveMs: number;
  #pingedMs: number;
  #end: End | undefined;

  constructor(
    id: string,
    wire: Wire,
    facts: LoginFacts,
    private readonly host: EndpointHost,
  ) {
    const now = host.clock.monotonicMs();
    // A text that was put together of pieces holds all of them.
    this.id = Buffer.from(id).toString('latin1');
    this.address = facts.address;
    this.openedAtMs = now;
    this.#heardMs = now;
    this.#aliveMs = now;
    this.#pingedMs = now;
    this.#loginUntilMs = now + LIMITS.firstMessageMs;
    this.socket = wire.socket;
    this.#outlet = new MessageOutlet(wire);
    const login = (this.#login = host.begin(facts));
    wire.socket.listen(this);
    this.#send(login.first);
  }

  /** Throws before the login: nobody has it then but this file. */
  get caller(): Caller {
    if (!this.#caller) throw new Error('the connection is not logged in');
    return this.#caller;
  }

  notify<Name extends NoticeName>(name: Name, body: NoticeBody<Name>): boolean {
    if (this.#state !== 'open' || !this.#outlet.isOpen) return false;
    if (this.#outlet.isFull) {
      this.host.counters.undelivered.inc();
      this.close('too-slow');
      return false;
    }
    this.#send({ type: 'notice', name, body });
    return true;
  }

  close(why: CloseName): void {
    if (this.#state === 'ended') return;
    this.#finish(why);
    this.socket.close(CLOSE_CODES[why], why);
    // Whoever does not read takes no farewell either.
    setTimeout(() => {
      this.socket.terminate();
    }, LIMITS.farewellMs).unref();
  }

  /** Looks at deadlines; to be called every second. `unixMs` decides about sessions, the monotonic clock about the rest. */
  tick(nowMs: number, unixMs: number): void {
    if (this.#state === 'ended') return;
    if (this.#outlet.isStuck(nowMs)) this.#drop('too-slow');
    else if (this.#state === 'login') {
      if (nowMs >= this.#loginUntilMs && !this.#isBusy) this.#refuseLogin('too-slow');
    } else if (this.#isSessionOver(nowMs, unixMs)) this.close('session-ended');
    else if (isSilent(this.#aliveMs, nowMs)) this.#drop('silent');
    else if (nowMs - this.#pingedMs >= LIMITS.pingEveryMs) {
      this.#pingedMs = nowMs;
      this.socket.ping();
    }
  }

  received(bytes: Buffer, isBinary: boolean): void {
    if (this.#state === 'ended') return;
    this.host.counters.messages.inc('in');
    const now = this.host.clock.monotonicMs();
    this.#aliveMs = now;
    const read = isBinary
      ? { refused: 'binary' as const }
      : readFromEndpoint(bytes.toString('utf8'));
    if ('refused' in read) this.#refuseMessage(read.refused);
    else if (this.#state === 'login') this.#loginMessage(read.message);
    else if (read.message.type === 'request') this.#request(read.message, now);
    else this.#refuseMessage('out-of-turn');
  }

  pinged(payload: Buffer): void {
    if (this.#isFrameAllowed()) this.socket.pong(payload);
  }

  ponged(): void {
    this.#isFrameAllowed();
  }

  failed(): void {
    this.#end ??= 'protocol';
  }

  closed(): void {
    this.#finish('client');
  }

  /** Another caller from now on: the same one after a step-up. */
  become(caller: Caller): void {
    this.#caller = caller;
  }

  #isFrameAllowed(): boolean {
    this.#aliveMs = this.host.clock.monotonicMs();
    if (this.#frames.take(LIMITS.frames, this.#aliveMs)) return true;
    this.close('too-many');
    return false;
  }

  #refuseMessage(reason: MessageRefusal): void {
    this.host.counters.refusedMessages.inc({ reason });
    this.close('bad-message');
  }

  #loginMessage(message: FromEndpoint): void {
    this.#loginMessages += 1;
    // The answer to the last message is not there yet, or it never ends.
    const login = this.#login;
    const isTooMuch = this.#isBusy || this.#loginMessages > LIMITS.loginMessages;
    if (isTooMuch || login === undefined || message.type === 'request') {
      this.#refuseMessage('out-of-turn');
      return;
    }
    this.#isBusy = true;
    login
      .receive(message)
      .then(
        (step) => {
          this.#loginStep(step);
        },
        (error: unknown) => {
          if (!(error instanceof StorageUnavailable)) this.host.failed('login', error);
          this.#refuseLogin('unavailable', LIMITS.retryAfterSeconds);
        },
      )
      .finally(() => {
        this.#isBusy = false;
      });
  }

  #loginStep(step: LoginStep): void {
    if (this.#state !== 'login') return;
    if ('caller' in step) {
      const refused = this.host.admit(step.caller);
      if (refused) this.#refuseLogin(refused);
      else this.#open(step.caller, step.send);
      return;
    }
    this.#send(step.send);
    if ('refused' in step) this.close('login-refused');
    this.#loginUntilMs = this.host.clock.monotonicMs() + LIMITS.nextMessageMs;
  }

  #refuseLogin(reason: LoginRefusal, retryAfterSeconds?: number): void {
    if (this.#state !== 'login') return;
    this.#send({
      type: 'refused',
      reason,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
    this.close(reason === 'too-slow' ? 'too-slow' : 'login-refused');
  }

  #open(caller: Caller, welcome: ToEndpoint): void {
    this.#caller = caller;
    this.#state = 'open';
    this.#login = undefined;
    this.#heardMs = this.host.clock.monotonicMs();
    this.#send(welcome);
    this.host.opened(this);
  }

  #request(request: EndpointRequest, nowMs: number): void {
    const unixMs = this.host.clock.now().getTime();
    if (this.#isSessionOver(nowMs, unixMs)) {
      this.close('session-ended');
      return;
    }
    this.#heardMs = nowMs;
    this.host.heard(this, unixMs);
    if (!this.#isWithinRate(nowMs)) this.#tooMany(request.id);
    else if (this.#pending?.has(request.id) === true) this.#refuseMessage('out-of-turn');
    else this.#answer(request, unixMs);
  }

  #isWithinRate(nowMs: number): boolean {
    const count = this.host.messagesPerSecond();
    if (this.#messages.take({ count, perMs: 1_000 }, nowMs)) {
      return (this.#pending?.size ?? 0) < LIMITS.pendingRequests;
    }
    this.#overLimit += 1;
    return false;
  }

  #tooMany(id: number): void {
    // It was told often enough.
    if (this.#overLimit > LIMITS.refusedRequests) this.close('too-many');
    else this.#send(refusal(id, { refused: 'too-many', retryAfterSeconds: 1 }));
  }

  #answer(request: EndpointRequest, unixMs: number): void {
    const context = new Turn(this, this.caller, unixMs);
    const answer = answerRequest(request, context, this.host.answering);
    if (answer instanceof Promise) void this.#answerLater(request.id, answer);
    else if (this.#state === 'open') this.#send(answer);
  }

  async #answerLater(id: number, answer: Promise<ToEndpoint>): Promise<void> {
    const pending = (this.#pending ??= new Set());
    pending.add(id);
    const message = await answer;
    pending.delete(id);
    if (pending.size === 0) this.#pending = undefined;
    if (this.#state === 'open') this.#send(message);
  }

  #isSessionOver(nowMs: number, unixMs: number): boolean {
    return sessionEnd(this.caller, nowMs - this.#heardMs, this.host.idleTimeoutSeconds()) <= unixMs;
  }

  #send(message: ToEndpoint): void {
    if (!this.#outlet.isOpen) return;
    this.host.counters.messages.inc('out');
    if (message.type === 'answer') {
      const code = 'refused' in message ? message.refused.code : 200;
      this.host.counters.requests.inc(code);
    }
    this.#outlet.send(JSON.stringify(message));
  }

  /** Ends without a farewell: nobody would read it. */
  #drop(end: End): void {
    this.#finish(end);
    this.socket.terminate();
  }

  #finish(end: End): void {
    if (this.#state === 'ended') return;
    const wasOpen = this.#state === 'open';
    this.#state = 'ended';
    this.host.counters.ends.inc({ reason: this.#end ?? end });
    this.host.ended(this, wasOpen);
  }
}

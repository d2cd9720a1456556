/*
 * The bus over NATS. Two subjects below `sallyport.UID.`: `all`, read by every replica, and `to.REPLICA` for answers.
 * Delivery is what NATS core gives: at most once, nothing stored.
 */
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/log.js';
import type { Metrics } from '../../runtime/metrics.js';
import { toBase64url } from '../../protocol/lease/base64url.js';
import type { Bus, BusAnswer, BusMessage } from '../bus.js';
import type { GatewaySettings } from '../settings.js';
import { decodeFrame, encodeFrame, FRAME_VERSION, type BusFrame } from './bus-frames.js';
import { busMetrics, type BusMetrics } from './bus-metrics.js';
import { splitMessage } from './bus-schemas.js';
import { refuseOpenCredentials } from './credentials.file.js';
import { createInProcessBus, REPLICA_BYTES } from './in-process.bus.js';
import { busSubjects, natsServers, type BusSubjects } from './nats-servers.js';
import { NatsLink } from './nats.link.js';
import { PendingAsks, type AnswerBody } from './pending-asks.js';
import { HERE_EVERY_MS, Replicas } from './replicas.js';

/** What a bus is made from. */
export interface BusOptions {
  /** UID of the gateway: its replicas have the same one, other gateways another. */
  readonly uid: string;
  readonly clock: Clock;
  /** Cryptographically random bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * The bus that the settings ask for. It does not wait for NATS: `connected` says whether it is there.
 * @throws ActionableError when the settings name a server without TLS, or others may read the credentials
 */
export function createBus(settings: GatewaySettings['bus'], options: BusOptions): Bus {
  if (settings.type === 'InProcess') return createInProcessBus(options.random);
  if (settings.credentialsFile !== undefined) refuseOpenCredentials(settings.credentialsFile);
  return new NatsBus(settings, options);
}

type NatsSettings = Extract<GatewaySettings['bus'], { type: 'NATS' }>;
type Handler = Parameters<Bus['onMessage']>[0];

class NatsBus implements Bus {
  readonly replica: string;
  readonly #subjects: BusSubjects;
  readonly #replicas = new Replicas();
  readonly #asks = new PendingAsks();
  readonly #metrics: BusMetrics;
  readonly #link: NatsLink;
  readonly #here: NodeJS.Timeout;
  readonly #clock: Clock;
  #handle: Handler = () => undefined;

  constructor(settings: NatsSettings, { uid, clock, random, metrics, log }: BusOptions) {
    this.replica = toBase64url(random(REPLICA_BYTES));
    this.#clock = clock;
    this.#subjects = busSubjects(uid);
    this.#metrics = busMetrics(metrics, () => this.#replicas.live(this.#now()).length + 1);
    this.#link = new NatsLink({
      servers: natsServers(settings.servers),
      ...(settings.credentialsFile === undefined
        ? {}
        : { credentialsFile: settings.credentialsFile }),
      ...(settings.caFile === undefined ? {} : { caFile: settings.caFile }),
      subjects: [this.#subjects.everybody, this.#subjects.to(this.replica)],
      onMessage: (bytes) => {
        this.#receive(bytes);
      },
      onState: (connected) => {
        this.#stateChanged(connected);
      },
      log,
      fraction: () => (random(1)[0] ?? 0) / 256,
    });
    this.#here = setInterval(() => {
      if (this.connected) this.#announce('here');
    }, HERE_EVERY_MS);
  }

  get connected(): boolean {
    return this.#link.connected;
  }

  onMessage(handle: Handler): void {
    this.#handle = handle;
  }

  tell(message: BusMessage): void {
    for (const part of splitMessage(message))
      this.#send(this.#subjects.everybody, { ...this.#head(), kind: 'tell', message: part });
  }

  async ask(message: BusMessage, timeoutMs: number): Promise<BusAnswer> {
    const [answer] = await this.#ask(message, timeoutMs, true);
    return answer;
  }

  askAll(message: BusMessage, timeoutMs: number): Promise<readonly AnswerBody[]> {
    return this.#ask(message, timeoutMs, false);
  }

  async close(): Promise<void> {
    clearInterval(this.#here);
    if (this.connected) this.#announce('gone');
    this.#asks.endAll();
    await this.#link.close();
  }

  #ask(message: BusMessage, timeoutMs: number, firstOnly: boolean): Promise<readonly AnswerBody[]> {
    const replicas = this.#replicas.live(this.#now());
    if (!this.connected || replicas.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const end = (answers: readonly AnswerBody[]) => {
        clearTimeout(timer);
        resolve(answers);
      };
      const id = this.#asks.begin({ type: message.type, replicas, firstOnly }, end);
      const timer = setTimeout(() => {
        if (id !== undefined) this.#asks.end(id);
      }, timeoutMs);
      if (id === undefined) {
        this.#metrics.sent('full');
        end([]);
      } else if (
        !this.#send(this.#subjects.everybody, { ...this.#head(), kind: 'ask', id, message })
      )
        this.#asks.end(id);
    });
  }

  #receive(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (typeof frame === 'string') {
      this.#metrics.received(frame);
      return;
    }
    // What a replica sends before it is stopped still counts.
    const heard = frame.kind === 'gone' ? 'known' : this.#replicas.heard(frame.from, this.#now());
    if (heard === 'too-many') this.#metrics.received('too-many-replicas');
    else this.#take(frame);
    if (heard === 'new') this.#announce('here');
  }

  #take(frame: BusFrame): void {
    switch (frame.kind) {
      case 'answer':
        this.#metrics.received(this.#asks.answer(frame.id, frame.from, frame.body));
        return;
      case 'gone':
        this.#replicas.gone(frame.from);
        this.#asks.gone(frame.from);
        break;
      case 'tell':
        void this.#handled(frame);
        break;
      case 'ask':
        void this.#answer(frame);
        break;
      case 'here':
    }
    this.#metrics.received('taken');
  }

  async #answer(frame: Extract<BusFrame, { kind: 'ask' }>): Promise<void> {
    const body = await this.#handled(frame);
    this.#send(this.#subjects.to(frame.from), {
      ...this.#head(),
      kind: 'answer',
      id: frame.id,
      ...(body === undefined ? {} : { body }),
    });
  }

  async #handled(frame: Extract<BusFrame, { kind: 'ask' | 'tell' }>): Promise<BusAnswer> {
    try {
      return await this.#handle(frame.message, frame.from);
    } catch {
      // A room that fails has nothing to say; its own log says why.
      this.#metrics.received('handler-failed');
      return undefined;
    }
  }

  #send(subject: string, frame: BusFrame): boolean {
    const bytes = encodeFrame(frame);
    const outcome = typeof bytes === 'string' ? bytes : this.#link.send(subject, bytes);
    this.#metrics.sent(outcome);
    return outcome === 'sent';
  }

  #announce(kind: 'here' | 'gone'): void {
    this.#send(this.#subjects.everybody, { ...this.#head(), kind });
  }

  #stateChanged(connected: boolean): void {
    if (connected) {
      this.#announce('here');
      return;
    }
    this.#replicas.clear();
    this.#asks.endAll();
  }

  #head = () => ({ v: FRAME_VERSION, from: this.replica }) as const;
  #now = () => this.#clock.monotonicMs();
}

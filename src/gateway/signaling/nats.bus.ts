/*
 * The bus over NATS. Two subjects below `sallyport.UID.`: `all`, read by every replica, and `to.REPLICA` for answers.
 * Delivery is what NATS core gives: at most once, nothing stored. What no replica has tagged is not taken.
 */
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/log.js';
import type { Metrics } from '../../runtime/metrics.js';
import { toBase64url } from '../../protocol/lease/base64url.js';
import type { Bus, BusAnswer, BusMessage } from '../bus.js';
import type { GatewaySettings } from '../settings.js';
import {
  decodeFrame,
  encodeFrame,
  FRAME_VERSION,
  MAX_FRAME_BYTES,
  type BusFrame,
} from './bus-frames.js';
import { busMetrics, type BusMetrics } from './bus-metrics.js';
import { splitMessage } from './bus-schemas.js';
import { TAGGED_HEAD_BYTES, tagged, untagged, type BusKey } from './bus-tag.js';
import { refuseOpenCredentials } from './credentials.file.js';
import { FrameOrder } from './frame-order.js';
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
  /** Keys that all replicas have, as they are now: the first one tags, each is believed (busKeys). */
  readonly keys: () => readonly BusKey[];
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
  readonly #order = new FrameOrder();
  readonly #metrics: BusMetrics;
  readonly #link: NatsLink;
  readonly #here: NodeJS.Timeout;
  readonly #clock: Clock;
  readonly #keys: BusOptions['keys'];
  #handle: Handler = () => undefined;
  #joined: () => void = () => undefined;
  #sent = 0;

  constructor(settings: NatsSettings, { uid, clock, random, keys, metrics, log }: BusOptions) {
    this.replica = toBase64url(random(REPLICA_BYTES));
    this.#clock = clock;
    this.#keys = keys;
    this.#subjects = busSubjects(uid);
    this.#metrics = busMetrics(metrics, () => this.replicas);
    this.#link = new NatsLink({
      servers: natsServers(settings.servers),
      ...(settings.credentialsFile === undefined
        ? {}
        : { credentialsFile: settings.credentialsFile }),
      ...(settings.caFile === undefined ? {} : { caFile: settings.caFile }),
      subjects: [this.#subjects.everybody, this.#subjects.to(this.replica)],
      onMessage: (bytes, subject) => {
        this.#receive(bytes, subject);
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

  get replicas(): number {
    return this.#replicas.live(this.#now()).length + 1;
  }

  get areAllHeard(): boolean {
    return this.connected && this.#replicas.areAllHeard(this.#now());
  }

  onMessage(handle: Handler): void {
    this.#handle = handle;
  }

  onJoin(joined: () => void): void {
    this.#joined = joined;
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

  #receive(bytes: Uint8Array, subject: string): void {
    const frame = this.#read(bytes, subject);
    if (typeof frame === 'string') {
      this.#metrics.received(frame);
      return;
    }
    // What a replica sends before it is stopped still counts.
    const heard = frame.kind === 'gone' ? 'known' : this.#replicas.heard(frame.from, this.#now());
    if (heard === 'too-many') this.#metrics.received('too-many-replicas');
    else this.#take(frame);
    if (heard !== 'new') return;
    this.#announce('here');
    this.#joined();
  }

  #read(bytes: Uint8Array, subject: string) {
    // Before anything is computed: a stranger's bytes cost no more than this.
    if (bytes.length > MAX_FRAME_BYTES + TAGGED_HEAD_BYTES) return 'too-long';
    const body = untagged(this.#keys(), subject, bytes);
    if (typeof body === 'string') return body;
    const frame = decodeFrame(body);
    if (typeof frame === 'string') return frame;
    const isNew = this.#order.take(`${frame.from} ${subject}`, frame, this.#unixMs());
    return isNew ? frame : 'replayed';
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
    const outcome = typeof bytes === 'string' ? bytes : this.#sendTagged(subject, bytes);
    this.#metrics.sent(outcome);
    return outcome === 'sent';
  }

  #sendTagged(subject: string, frame: Uint8Array) {
    const [key] = this.#keys();
    return key === undefined ? 'no-key' : this.#link.send(subject, tagged(key, subject, frame));
  }

  #announce(kind: 'here' | 'gone'): void {
    this.#send(this.#subjects.everybody, { ...this.#head(), kind });
  }

  #stateChanged(connected: boolean): void {
    if (connected) {
      this.#announce('here');
      return;
    }
    this.#replicas.clear(this.#now());
    this.#asks.endAll();
  }

  #head = () =>
    ({ v: FRAME_VERSION, from: this.replica, n: ++this.#sent, at: this.#unixMs() }) as const;
  #now = () => this.#clock.monotonicMs();
  #unixMs = () => this.#clock.now().getTime();
}

/*
 * What both loops of the packet worker do alike: take messages of the main thread, let time pass, say what happened.
 */
import { randomBytes } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import { DropLog } from './drop-log.js';
import { QUEUED_TO_TLS } from './fallback-port.js';
import { FallbackLink } from './fallback.link.js';
import type { FromPacketWorker, PacketWorkerStart, ToPacketWorker } from './packet-messages.js';
import { PacketRelay } from './packet-relay.js';
import { STATISTIC } from './statistics.js';

const SECRET_BYTES = 32;

/** The relay in its thread. */
export class PacketHost {
  readonly relay: PacketRelay;
  readonly statistics: Float64Array;
  readonly control: Int32Array;
  /** The link to the thread that ends TLS, once there is one. */
  link: FallbackLink | undefined;
  /** Set by the message `stop`: the loop ends. */
  stopped = false;
  /** Called when a link was made, by the loop that has events. */
  onLink: (link: FallbackLink) => void = () => undefined;
  readonly #dropLog: DropLog;
  #draining = false;
  #saidDrained = false;
  #lastPassMs: number | undefined;

  constructor(
    readonly port: MessagePort,
    readonly start: PacketWorkerStart,
  ) {
    this.statistics = new Float64Array(start.statistics);
    this.control = new Int32Array(start.control);
    const now = performance.now();
    this.#dropLog = new DropLog(this.statistics, now);
    this.relay = new PacketRelay({
      start,
      statistics: this.statistics,
      secrets: { udp: randomBytes(SECRET_BYTES), tcp: randomBytes(SECRET_BYTES) },
      seed: randomBytes(4).readInt32LE(),
      now,
      unixMs: () => Date.now(),
    });
  }

  /** Tells the main thread. */
  tell(message: FromPacketWorker): void {
    this.port.postMessage(message);
  }

  /** Does what the main thread says. */
  take(message: ToPacketWorker<MessagePort>): void {
    switch (message.kind) {
      case 'configure':
        this.relay.configure(message.configuration);
        return;
      case 'revoke':
        this.relay.revoke(message.gateway, message.jti, message.kids);
        return;
      case 'drain':
        this.#draining = true;
        this.relay.drain(message.deadline);
        return;
      case 'fallback':
        this.#connect(message.port, message.queued);
        return;
      case 'stop':
        this.stopped = true;
    }
  }

  /** Begins a pass of the loop; `busy`: more datagrams wait than are taken. Gives the monotonic time. */
  begin(busy: boolean): number {
    const now = performance.now();
    this.relay.begin(now, busy);
    this.relay.tick(now);
    this.#measure(now);
    this.#say(now);
    return now;
  }

  /** Sends what a pass has queued. */
  end(): void {
    this.relay.path.flush();
    this.link?.flush();
  }

  /** The loop is about to sleep: the time until it wakes is no lag. */
  pause(): void {
    this.#lastPassMs = undefined;
  }

  #connect(port: MessagePort, queued: SharedArrayBuffer): void {
    this.link?.close();
    this.link = new FallbackLink(port, queued, QUEUED_TO_TLS);
    this.relay.path.fallback = this.link;
    this.onLink(this.link);
  }

  #measure(now: number): void {
    const lag = this.#lastPassMs === undefined ? 0 : now - this.#lastPassMs;
    this.#lastPassMs = now;
    if (lag > (this.statistics[STATISTIC.loop_lag_ms] ?? 0))
      this.statistics[STATISTIC.loop_lag_ms] = lag;
  }

  #say(now: number): void {
    const dropped = this.#dropLog.take(now);
    if (dropped)
      this.tell({ kind: 'log', level: 'info', message: 'datagrams dropped', fields: dropped });
    if (this.#draining && !this.#saidDrained && this.relay.size === 0) {
      this.#saidDrained = true;
      this.tell({ kind: 'drained' });
    }
  }
}

import { Channels, type ChannelEvents } from '../../src/protocol/channels/channels.js';
import type { CallMode } from '../../src/protocol/channels/plaintext-size.js';
import { Link, type LinkSettings } from './link.js';

/** IPv4 or IPv6, UDP, relay header, datagram header and tag. */
const WIRE_OVERHEAD_BYTES = 80;

type Side = 0 | 1;

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

/** Two endpoints' channels and the path between them in virtual time: no clock, no socket, the same in each run. */
export class SimulatedPath {
  readonly ends: readonly [Channels, Channels];
  nowMs = 0;
  /** Whether everything gets lost that is sent now. */
  isDead = false;
  /** How long datagrams that are not full stood in the bottleneck's queue, at most. */
  maxSmallQueuedMs = 0;
  maxQueuedMs = 0;
  readonly datagrams: [number, number] = [0, 0];
  readonly refusals: string[] = [];
  readonly #links: readonly [Link, Link];
  readonly #heap: Event[] = [];
  readonly #wakeAtMs: [number, number] = [Infinity, Infinity];
  readonly #out = new Uint8Array(1180);

  constructor(
    links: readonly [LinkSettings, LinkSettings],
    events: readonly [ChannelEvents, ChannelEvents],
    callMode: CallMode = 'wideband',
  ) {
    this.#links = [new Link(links[0]), new Link(links[1])];
    this.ends = [new Channels(events[0], { callMode }), new Channels(events[1], { callMode })];
  }

  /** Calls `run` at `atMs`. */
  at(atMs: number, run: () => void): void {
    push(this.#heap, { atMs, run });
  }

  /** Lets `side` send what it has: after `send` or `resume` from outside. */
  pump(side: Side): void {
    const end = this.ends[side];
    for (;;) {
      const length = end.nextPlaintext(this.nowMs, this.#out);
      if (length === 0) break;
      this.#transmit(side, this.#out.slice(0, length));
    }
    const deadline = end.nextDeadlineMs(this.nowMs);
    // A sleeper wakes after its deadline, never before.
    const wakeAtMs = Math.max(deadline, this.nowMs + 0.01);
    if (wakeAtMs >= this.#wakeAtMs[side]) return;
    this.#wakeAtMs[side] = wakeAtMs;
    this.at(wakeAtMs, () => {
      if (this.#wakeAtMs[side] !== wakeAtMs) return;
      this.#wakeAtMs[side] = Infinity;
      this.pump(side);
    });
  }

  /** Goes on until `done` or `untilMs`. */
  run(untilMs: number, done: () => boolean = () => false): void {
    while (!done()) {
      const event = this.#heap[0];
      if (!event || event.atMs > untilMs) {
        this.nowMs = untilMs;
        return;
      }
      pop(this.#heap);
      this.nowMs = event.atMs;
      event.run();
    }
  }

  #transmit(from: Side, plaintext: Uint8Array): void {
    const passage = this.#links[from].offer(this.nowMs, plaintext.length + WIRE_OVERHEAD_BYTES);
    this.datagrams[from]++;
    this.maxQueuedMs = Math.max(this.maxQueuedMs, passage.queuedMs);
    if (plaintext.length < 1180)
      this.maxSmallQueuedMs = Math.max(this.maxSmallQueuedMs, passage.queuedMs);
    if (passage.arrivesAtMs === undefined || this.isDead) return;
    const to: Side = from === 0 ? 1 : 0;
    this.at(passage.arrivesAtMs, () => {
      const refusal = this.ends[to].onPlaintext(plaintext, this.nowMs);
      if (refusal) this.refusals.push(refusal);
      this.pump(to);
    });
  }
}

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]!.atMs <= event.atMs) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop();
  if (heap.length === 0 || !last) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]!.atMs < heap[child]!.atMs) child++;
    if (heap[child]!.atMs >= last.atMs) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}

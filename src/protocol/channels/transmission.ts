import { ACK_DELAY_UNITS_PER_MS, readU16 } from './frame.js';
import { Pacer } from './pacer.js';
import { PathModel } from './path-model.js';
import { RoundTrip } from './round-trip.js';
import { SentPackets, type SegmentFates } from './sent-packets.js';

/** IPv4 20 or IPv6 40, UDP 8, relay header 20, datagram header 16, tag 16: what the path carries beside a plaintext. */
const OVERHEAD_BYTES = 80;
/** Input goes even when bulk fills what may be in flight: this much more. */
const INPUT_RESERVE_BYTES = 64 * 1260;
/** A path move may take 5 s (architecture, 5): probes keep coming often enough to notice its end. */
const MAX_PROBE_DELAY_MS = 1_000;
/** RFC 9002, section 7.6: so many probe timeouts in a row are no single loss. */
const PERSISTENT_PROBES = 3;

/** How urgent the reliable segments of a packet are. */
export type Urgency = 'input' | 'bulk';

/** When packets may go, when they are lost and when to ask again: everything about sending but what is sent. */
export class Transmission {
  readonly packets: SentPackets;
  readonly path = new PathModel();
  #roundTrip = new RoundTrip();
  readonly #pacer = new Pacer();
  #timeouts = 0;
  #probesDue = 0;
  #waitingSinceMs = Infinity;
  /** Packets before this one went on another path, or before a silence: their times say nothing of this one. */
  #firstHere = 0;

  #acknowledgedAtMs = 0;

  constructor(fates: SegmentFates) {
    this.packets = new SentPackets({
      ...fates,
      acknowledged: (packet, sentAtMs) => {
        if (packet >= this.#firstHere)
          this.path.arrived(packet, this.#acknowledgedAtMs - sentAtMs, this.#acknowledgedAtMs);
      },
    });
  }

  /** Whether a probe goes now, whatever pacing and the limit in flight say. */
  get probeDue(): boolean {
    return this.#probesDue > 0 && this.packets.hasRoom;
  }

  /** Smoothed round-trip time, for the application's display. */
  get roundTripMs(): number {
    return this.#roundTrip.smoothedMs;
  }

  /** Whether the limit in flight lets a packet of this urgency go; pacing apart. */
  hasWindow(urgency: Urgency): boolean {
    const reserve = urgency === 'input' ? INPUT_RESERVE_BYTES : 0;
    return this.packets.hasRoom && this.packets.inFlightBytes < this.path.inFlightLimit + reserve;
  }

  /** When pacing lets bulk go; not after `nowMs` if now. */
  bulkAtMs(nowMs: number): number {
    return this.#pacer.readyAtMs(nowMs, this.path.pacingRate);
  }

  /** A numbered plaintext of `bytes` goes with these segments; `bulk` if more waits behind it. */
  sentNumbered(
    bytes: number,
    segments: readonly number[],
    at: { nowMs: number; bulk: boolean },
  ): void {
    const size = bytes + OVERHEAD_BYTES;
    this.path.sent(this.packets.next, at);
    this.packets.record(at.nowMs, size, segments);
    this.#pacer.spend(size, at.nowMs, this.path.pacingRate);
    if (this.#probesDue > 0) this.#probesDue--;
    this.#waitingSinceMs = at.nowMs;
  }

  /** A plaintext goes that is not acknowledged: bulk makes room for it. */
  sentUnnumbered(bytes: number, nowMs: number): void {
    this.#pacer.spend(bytes + OVERHEAD_BYTES, nowMs, this.path.pacingRate);
  }

  /** Takes the ACK frame at `at`, whose largest packet was sent. */
  acknowledge(bytes: Uint8Array, at: number, nowMs: number): void {
    this.#acknowledgedAtMs = nowMs;
    const outcome = this.packets.acknowledge(bytes, at);
    if (outcome.largestSentAtMs !== undefined && outcome.largest >= this.#firstHere) {
      const delayMs = readU16(bytes, at + 1) / ACK_DELAY_UNITS_PER_MS;
      const rttMs = Math.max(0.01, nowMs - outcome.largestSentAtMs);
      // The delay is the peer's word: never below the least time that the path was seen to take (RFC 9002, 5.3).
      const adjustedMs = Math.max(rttMs - delayMs, Math.min(rttMs, this.path.minRttMs), 0.01);
      this.#roundTrip.sample(adjustedMs);
      this.path.sample(outcome.largest, adjustedMs, nowMs);
    }
    if (outcome.bytes > 0) {
      this.#timeouts = 0;
      this.#probesDue = 0;
      this.#waitingSinceMs = nowMs;
    }
    this.path.lost(this.packets.detectLosses(nowMs, this.#roundTrip.lossDelayMs));
    this.path.acknowledged(outcome.bytes, outcome.largest, { nowMs, next: this.packets.next });
  }

  /** Carries out what is due by time; `unconfirmed` if the peer's application has not everything that was sent. */
  onTime(nowMs: number, unconfirmed: boolean): void {
    if (nowMs >= this.packets.lossAtMs(this.#roundTrip.lossDelayMs))
      this.path.lost(this.packets.detectLosses(nowMs, this.#roundTrip.lossDelayMs));
    if (nowMs < this.probeAtMs(unconfirmed)) return;
    this.#timeouts++;
    this.#waitingSinceMs = nowMs;
    this.#probesDue = this.packets.inFlightBytes > 0 ? 2 : 1;
    if (this.#timeouts === PERSISTENT_PROBES) {
      this.packets.loseAll();
      this.#startAnew();
    }
    this.packets.repeatOldest();
  }

  /** When the next loss or probe is due; Infinity if nothing waits. */
  deadlineMs(unconfirmed: boolean): number {
    return Math.min(
      this.packets.lossAtMs(this.#roundTrip.lossDelayMs),
      this.probeAtMs(unconfirmed),
    );
  }

  /** RFC 9002, section 6.2, from the newest packet or the last acknowledgement. */
  probeAtMs(unconfirmed: boolean): number {
    if (this.packets.inFlightBytes === 0)
      return unconfirmed ? this.#waitingSinceMs + MAX_PROBE_DELAY_MS : Infinity;
    const once = this.#roundTrip.probeDelayMs;
    const delayMs = Math.min(once * 2 ** Math.min(this.#timeouts, 10), MAX_PROBE_DELAY_MS);
    return this.#waitingSinceMs + Math.max(once, delayMs);
  }

  /** The session moved to another path: nothing known of the old one holds (RFC 9000, section 9.4). */
  pathChanged(onItsWay: 'arrives' | 'lost'): void {
    if (onItsWay === 'lost') this.packets.loseAll();
    this.#roundTrip = new RoundTrip();
    this.#timeouts = 0;
    this.#startAnew();
  }

  #startAnew(): void {
    this.#firstHere = this.packets.next;
    this.path.forget();
  }
}

/*
 * Congestion control by a model of the path, in the manner of BBR: what the bottleneck carries, and how long the empty
 * path takes. Loss is no sign of congestion unless it is heavy, so 2 % of random loss costs 2 %. Unlike BBR it never
 * fills a queue to find the rate: input and call frames share the path and may wait 20 ms at most.
 *
 * The rate is found with trains. For some milliseconds packets go faster than the rate believed (gain), few enough
 * that even on a path that carries no more they add PROBE_QUEUE_MS of queue. One round trip later:
 *   the round-trip times at the train's end are like those before it    the path carries more: the rate grows
 *   they rose                                                           it does not; the search goes on gently
 * After each train the rate is lowered for a round trip by what the train may have left behind. A queue that stands
 * for BRAKE_SAMPLES samples, whoever made it, is drained the same way, and the rate falls to what was delivered.
 */

import { LossRate } from './loss-rate.js';

/** Bytes per millisecond before anything is known: 32 full datagrams in 100 ms. */
const INITIAL_RATE = 400;
/** One datagram of the smallest size in 10 ms. */
const MIN_RATE = 30;
const STARTUP = { gain: 2, growth: 1.5 } as const;
const CRUISE = { gain: 1.25, growth: 1.15 } as const;
/** What a train may add to the queue of a path that is full already. */
const PROBE_QUEUE_MS = 8;
const MIN_TRAIN_PACKETS = 8;
const FULL_PACKET_BYTES = 1260;
/** A rise of the round-trip time below this is noise on any path. */
const MIN_RISE_MS = 1.5;
const BRAKE_QUEUE_MS = 5;
const BRAKE_SAMPLES = 16;
/** How long the least round-trip time counts: a path may change under us. */
const MIN_RTT_WINDOW_MS = 20_000;
/** So often the queue is drained on purpose, so that the empty path is seen. */
const DRAIN_EVERY_MS = 8_000;
const DRAIN_MS = 12;
/** In flight beyond the path's own content: ACK delays, jitter, and bursts. */
const HEADROOM_MS = 20;
const HEADROOM_BYTES = 16 * FULL_PACKET_BYTES;
/** RFC 9002, section 7.2: so much goes before anything came back. */
const INITIAL_WINDOW_BYTES = 10 * FULL_PACKET_BYTES;
const IDLE_MS = 2_000;

type Phase = 'idle' | 'train' | 'verdict' | 'drain';

export class PathModel {
  #rate = INITIAL_RATE;
  #starting = true;
  #failures = 0;
  #minRtt = Infinity;
  #minRttBefore = Infinity;
  #windowEndsMs = -Infinity;
  #mean = 0;
  #deviation = 0;
  readonly #recent = new Float64Array(BRAKE_SAMPLES);
  #recentCount = 0;
  #recentAtMs = -Infinity;
  #freshFrom = 0;

  #phase: Phase = 'idle';
  #phaseEndsMs = -Infinity;
  #phaseGain = 1;
  #trainFirst = 0;
  #trainLast = 0;
  #meanBefore = 0;
  #verdictAtMs = Infinity;
  #trainMean = 0;
  #trainSamples = 0;
  #cruiseUntilRound = 0;
  #drainedAtMs = -Infinity;

  #round = 0;
  #roundEndsWith = 0;
  #roundStartMs = 0;
  #roundBytes = 0;
  #roundLost = 0;
  readonly #losses = new LossRate();
  #limited = false;
  #delivery = INITIAL_RATE;
  #lastSentMs = -Infinity;

  /** In bytes per millisecond. */
  get pacingRate(): number {
    return this.#rate * this.#phaseGain;
  }

  /** What the bottleneck is believed to carry, in bytes per millisecond. */
  get rate(): number {
    return this.#rate;
  }

  /** How many bytes may be on their way. */
  get inFlightLimit(): number {
    if (!Number.isFinite(this.minRttMs)) return INITIAL_WINDOW_BYTES;
    return this.#rate * (1.25 * this.minRttMs + HEADROOM_MS) + HEADROOM_BYTES;
  }

  /** The least round-trip time of the last 20 to 40 seconds; Infinity before the first. */
  get minRttMs(): number {
    return Math.min(this.#minRtt, this.#minRttBefore);
  }

  /** `packet` goes. `bulk` says that more waits behind it: only then a train says anything. */
  sent(packet: number, at: { nowMs: number; bulk: boolean }): void {
    if (at.nowMs - this.#lastSentMs > IDLE_MS) this.#wake(packet, at.nowMs);
    this.#lastSentMs = at.nowMs;
    if (!at.bulk) this.#limited = true;
    if (this.#phase === 'idle' && at.bulk) this.#maybeStartTrain(packet, at.nowMs);
    if (this.#phase !== 'train') return;
    this.#trainLast = packet;
    const enough = packet - this.#trainFirst + 1 >= MIN_TRAIN_PACKETS;
    if (!at.bulk) this.#enter('idle', 1, Infinity);
    else if (enough && at.nowMs >= this.#phaseEndsMs) this.#endTrain();
  }

  /** An acknowledgement's largest packet took `rttMs`, the peer's delay taken off: what the queue is judged by. */
  sample(packet: number, rttMs: number, nowMs: number): void {
    if (this.#drainedAtMs === -Infinity) this.#drainedAtMs = nowMs;
    this.#updateMinRtt(rttMs, nowMs);
    if (packet < this.#freshFrom || this.#phase === 'drain') return;
    // What an endpoint that was not scheduled reads late, it reads at once: that is one sample, not a standing queue.
    if (nowMs - this.#recentAtMs < 0.5) return;
    this.#recentAtMs = nowMs;
    this.#recent[this.#recentCount++ % BRAKE_SAMPLES] = rttMs;
  }

  /** `packet` is acknowledged after `elapsedMs`, the peer's delay included: what trains are judged by. */
  arrived(packet: number, elapsedMs: number, nowMs: number): void {
    const judging = this.#phase === 'train' || this.#phase === 'verdict';
    if (judging && packet >= this.#trainFirst) {
      this.#judge(packet, elapsedMs, nowMs);
      return;
    }
    const weight = this.#mean === 0 ? 1 : 1 / 32;
    if (weight < 1) this.#deviation += (Math.abs(elapsedMs - this.#mean) - this.#deviation) / 32;
    this.#mean += (elapsedMs - this.#mean) * weight;
  }

  /** An acknowledgement of `bytes` came; `largest` is the largest packet in it, `next` the next one to be sent. */
  acknowledged(bytes: number, largest: number, at: { nowMs: number; next: number }): void {
    this.#roundBytes += bytes;
    if (largest >= this.#roundEndsWith) this.#endRound(at.next, at.nowMs);
    if (this.#phase === 'drain') {
      if (at.nowMs < this.#phaseEndsMs) return;
      // Samples of packets sent before now still show the queue that was drained.
      this.#freshFrom = at.next;
      this.#recentCount = 0;
      this.#enter('idle', 1, Infinity);
    }
    this.#maybeDrain(at.nowMs);
  }

  /** `bytes` were lost. */
  lost(bytes: number): void {
    this.#roundLost += bytes;
  }

  /** Nothing came back for several probes, or the path is another one: what was known holds no longer. */
  forget(): void {
    this.#rate = Math.min(this.#rate, INITIAL_RATE);
    this.#minRtt = this.#minRttBefore = Infinity;
    this.#windowEndsMs = this.#drainedAtMs = -Infinity;
    this.#recentCount = this.#mean = this.#deviation = 0;
    this.#searchAnew();
  }

  #updateMinRtt(rttMs: number, nowMs: number): void {
    if (nowMs >= this.#windowEndsMs) {
      this.#minRttBefore = this.#minRtt;
      this.#minRtt = rttMs;
      this.#windowEndsMs = nowMs + MIN_RTT_WINDOW_MS;
    }
    this.#minRtt = Math.min(this.#minRtt, rttMs);
  }

  #maybeStartTrain(packet: number, nowMs: number): void {
    if (!Number.isFinite(this.minRttMs) || this.#round < this.#cruiseUntilRound) return;
    const { gain } = this.#starting ? STARTUP : CRUISE;
    this.#trainFirst = packet;
    this.#verdictAtMs = Infinity;
    this.#trainSamples = 0;
    this.#meanBefore = this.#mean;
    this.#enter('train', gain, nowMs + PROBE_QUEUE_MS / (gain - 1));
  }

  #endTrain(): void {
    this.#enter('verdict', this.#drainGain(PROBE_QUEUE_MS), Infinity);
  }

  /** What to send at for one round trip, so that a queue of `queueMs` is gone after it. */
  #drainGain(queueMs: number): number {
    return Math.max(0.5, 1 - queueMs / Math.max(this.minRttMs, 2 * queueMs));
  }

  #judge(packet: number, elapsedMs: number, nowMs: number): void {
    if (this.#phase === 'verdict' && packet > this.#trainLast) {
      // The train's packets that jitter held back longest are the ones that show a queue: they are waited for.
      this.#verdictAtMs = Math.min(this.#verdictAtMs, nowMs + 4 * this.#deviation);
      if (nowMs < this.#verdictAtMs) return;
      if (this.#trainSamples < MIN_TRAIN_PACKETS / 2) this.#enter('idle', 1, Infinity);
      else this.#decide(this.#trainMean - this.#meanBefore, nowMs);
      return;
    }
    // Until the first packet of the train is back, the path before it is still being measured.
    if (this.#trainSamples === 0) [this.#meanBefore, this.#trainMean] = [this.#mean, elapsedMs];
    this.#trainSamples++;
    const weight = Math.min(1 / 3, Math.max(1 / 32, 4 / (this.#trainLast - this.#trainFirst + 1)));
    this.#trainMean += (elapsedMs - this.#trainMean) * weight;
  }

  #decide(riseMs: number, nowMs: number): void {
    const { growth } = this.#starting ? STARTUP : CRUISE;
    this.#mean = this.#meanBefore;
    const rose = riseMs > Math.max(MIN_RISE_MS, this.#deviation);
    if (!rose) {
      this.#rate *= growth;
      this.#failures = 0;
      this.#enter('idle', 1, Infinity);
      return;
    }
    this.#failures++;
    if (this.#failures >= 2) this.#starting = false;
    this.#cruiseUntilRound = this.#round + (this.#starting ? 1 : 4);
    this.#enter('drain', this.#drainGain(riseMs), nowMs + Math.min(this.minRttMs, 50));
  }

  #maybeDrain(nowMs: number): void {
    // Until the new path has answered nobody knows how long a round trip, and so a drain, takes.
    if (!Number.isFinite(this.minRttMs)) return;
    const queueMs = this.#standingQueueMs();
    const due = nowMs - this.#drainedAtMs > DRAIN_EVERY_MS;
    if (queueMs > BRAKE_QUEUE_MS) {
      if (!this.#limited) this.#lowerRate(0.7);
      this.#starting = false;
      this.#drain(queueMs, nowMs);
    } else if (due && this.#phase === 'idle') {
      this.#drain(DRAIN_MS, nowMs);
    }
  }

  /** The least of the newest samples, over the empty path: what no packet got around. */
  #standingQueueMs(): number {
    if (this.#recentCount < BRAKE_SAMPLES) return 0;
    let standing = Infinity;
    for (const rtt of this.#recent) standing = Math.min(standing, rtt);
    return standing - this.minRttMs;
  }

  /** For one round trip, and then until its effect is seen: samples of before must not brake again. */
  #drain(queueMs: number, nowMs: number): void {
    this.#drainedAtMs = nowMs;
    this.#cruiseUntilRound = this.#round + 2;
    this.#enter('drain', this.#drainGain(queueMs), nowMs + this.minRttMs + queueMs);
  }

  #lowerRate(least: number): void {
    this.#rate = Math.max(
      MIN_RATE,
      Math.min(this.#rate, Math.max(this.#delivery, least * this.#rate)),
    );
  }

  #endRound(next: number, nowMs: number): void {
    const elapsed = nowMs - this.#roundStartMs;
    if (elapsed > 0) this.#delivery = this.#roundBytes / elapsed;
    const isHeavy = this.#losses.judge(this.#roundBytes, this.#roundLost);
    if (isHeavy && !this.#limited) {
      this.#lowerRate(0.7);
      this.#starting = false;
    }
    this.#round++;
    this.#startRound(next, nowMs);
    this.#limited = false;
  }

  #startRound(next: number, nowMs: number): void {
    this.#roundEndsWith = next;
    this.#roundStartMs = nowMs;
    this.#roundBytes = 0;
    this.#roundLost = 0;
  }

  /** After a silence others may use the path: half of what was known, and the search from there. */
  #wake(next: number, nowMs: number): void {
    this.#rate = Math.max(Math.min(this.#rate, INITIAL_RATE), this.#rate / 2);
    this.#searchAnew();
    this.#startRound(next, nowMs);
  }

  #searchAnew(): void {
    this.#starting = true;
    this.#failures = this.#cruiseUntilRound = 0;
    this.#limited = true;
    this.#enter('idle', 1, Infinity);
  }

  #enter(phase: Phase, gain: number, endsMs: number): void {
    this.#phase = phase;
    this.#phaseGain = gain;
    this.#phaseEndsMs = endsMs;
  }
}

/** Before any sample (RFC 9002, section 6.2.2, asks for 333 ms): long enough not to repeat into most paths. */
const INITIAL_RTT_MS = 333;
/** Timers of a busy endpoint are late: what the peer may take on top of its ACK delay. */
const PEER_LATENESS_MS = 10;

/** A packet that was overtaken is told by the next ACK, which may wait: twice the peer's delay of 1 ms. */
const LATE_ACK_MS = 2;

/** The round-trip time of the path (RFC 9002, section 5), in milliseconds. */
export class RoundTrip {
  #latest = 0;
  #smoothed = INITIAL_RTT_MS;
  #variation = INITIAL_RTT_MS / 2;
  #measured = false;

  get smoothedMs(): number {
    return this.#smoothed;
  }

  get variationMs(): number {
    return this.#variation;
  }

  /** RFC 9002, section 5.3, with the peer's ACK delay already taken off. */
  sample(rttMs: number): void {
    this.#latest = rttMs;
    if (!this.#measured) {
      this.#measured = true;
      this.#smoothed = rttMs;
      this.#variation = rttMs / 2;
      return;
    }
    this.#variation += (Math.abs(this.#smoothed - rttMs) - this.#variation) / 4;
    this.#smoothed += (rttMs - this.#smoothed) / 8;
  }

  /** After this time a packet older than an acknowledged one is lost (RFC 9002, section 6.1.2), with room for jitter. */
  get lossDelayMs(): number {
    const rtt = Math.max(this.#smoothed, this.#latest);
    return Math.max(rtt * 1.125, rtt + 2 * this.#variation, 1) + LATE_ACK_MS;
  }

  /** After this time without any acknowledgement something is sent again (RFC 9002, section 6.2.1). */
  get probeDelayMs(): number {
    return this.#smoothed + Math.max(4 * this.#variation, 1) + PEER_LATENESS_MS;
  }
}

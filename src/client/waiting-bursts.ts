/*
 * Bursts for which the kernel had no room. They wait in order and go when it has; what does not fit here any more is
 * lost, as it would be on the network, and those above send it again.
 */

/** What became of a burst: `unsupported` if this kernel or route does not cut bursts, `full` if there is no room now. */
export type SegmentOutcome = 'sent' | 'full' | 'unsupported';

/** Where a burst goes: datagrams of `segment` bytes, the last may be shorter. */
export interface BurstTarget<Remote> {
  readonly remote: Remote;
  readonly segment: number;
}

/** Hands the first `length` bytes of `bytes` to the kernel. It may not keep them. */
export type SendBurst<Remote> = (
  bytes: Uint8Array,
  length: number,
  to: BurstTarget<Remote>,
) => SegmentOutcome;

/** 3 ms of a full gigabit: what waits longer is late. */
export const MAX_WAITING_BYTES = 384 * 1_024;

/** Sends bursts in order, some of them later. */
export class WaitingBursts<Remote> {
  readonly #send: SendBurst<Remote>;
  readonly #waiting: { readonly bytes: Uint8Array; readonly to: BurstTarget<Remote> }[] = [];
  #waitingBytes = 0;
  #dropped = 0;

  /** `send` does not say `unsupported` after it said `full`. */
  constructor(send: SendBurst<Remote>) {
    this.#send = send;
  }

  /** Datagrams for which there was no room here either. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether `retry` has something to do. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Sends a burst behind those that wait; `bytes` are the caller's again when it returns. */
  send(bytes: Uint8Array, length: number, to: BurstTarget<Remote>): 'taken' | 'unsupported' {
    const outcome = this.isWaiting ? 'full' : this.#send(bytes, length, to);
    if (outcome === 'full') this.#keep(bytes, length, to);
    return outcome === 'unsupported' ? 'unsupported' : 'taken';
  }

  /** Sends what waits, as far as there is room. */
  retry(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const outcome = this.#send(next.bytes, next.bytes.length, next.to);
      if (outcome === 'full') return;
      if (outcome === 'unsupported') this.#drop(next.bytes.length, next.to);
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes.length;
    }
  }

  #keep(bytes: Uint8Array, length: number, to: BurstTarget<Remote>): void {
    if (this.#waitingBytes + length > MAX_WAITING_BYTES) {
      this.#drop(length, to);
      return;
    }
    this.#waiting.push({ bytes: bytes.slice(0, length), to });
    this.#waitingBytes += length;
  }

  #drop(length: number, { segment }: BurstTarget<Remote>): void {
    this.#dropped += Math.ceil(length / segment);
  }
}

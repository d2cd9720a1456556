import { Burst, type BurstSink } from './burst.js';
import type { DatagramPath, PathKind } from './datagram-path.js';
import type { LeaseProof } from './lease-proof.js';
import type { RelayPath } from './relay-path.js';

const NOTHING = new Uint8Array(0);

/** A way straight to an address of the peer. */
export class DirectRoute implements DatagramPath {
  readonly kind = 'direct';
  readonly generation = 0;
  readonly #burst: Burst;
  #open = true;

  constructor(sink: BurstSink) {
    this.#burst = new Burst(NOTHING, sink);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  room(): Uint8Array {
    return this.#burst.room();
  }

  commit(length: number): void {
    this.#burst.commit(length);
  }

  flush(): void {
    this.#burst.flush();
  }

  /** Nothing goes on it any more. */
  close(): void {
    this.#open = false;
  }
}

/** The way through a relay: each datagram goes inside a FORWARD, on UDP or on TLS. It is open while the lease is proven. */
export class RelayRoute implements DatagramPath {
  readonly generation: number;
  readonly #admission: RelayPath;
  readonly #burst: Burst;

  constructor(
    readonly kind: Exclude<PathKind, 'direct'>,
    parts: {
      readonly admission: RelayPath;
      readonly lease: LeaseProof;
      readonly sink: BurstSink;
      readonly generation: number;
    },
  ) {
    this.generation = parts.generation;
    this.#admission = parts.admission;
    this.#burst = new Burst(parts.lease.forwardHeader(), parts.sink);
  }

  get isOpen(): boolean {
    return this.#admission.status === 'proven';
  }

  /** Asks the relay whether it still sees this endpoint at the address that was proven. */
  doubt(nowMs: number): void {
    this.#admission.check(nowMs);
  }

  room(): Uint8Array {
    return this.#burst.room();
  }

  commit(length: number): void {
    this.#burst.commit(length);
  }

  flush(): void {
    this.#burst.flush();
  }
}

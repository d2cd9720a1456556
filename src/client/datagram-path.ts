/** The ways to a peer, the best first. */
export const PATH_KINDS = ['direct', 'relay-udp', 'relay-tls'] as const;
/** One of PATH_KINDS; a metric label. */
export type PathKind = (typeof PATH_KINDS)[number];

/** A way on which session datagrams go. Compared by identity: one object for one way, as long as it is the same way. */
export interface DatagramPath {
  readonly kind: PathKind;
  /** Which of the endpoint's relays it leads through: 1 for the first, 2 for the one that it was given next; 0 for direct ways. */
  readonly generation: number;
  /** Whether datagrams may go on it now. */
  readonly isOpen: boolean;
  /** Room for the next datagram, at least 1,212 bytes, to be written in place; nothing goes before `commit`. */
  room(): Uint8Array;
  /** The first `length` bytes of `room` are a datagram: it goes with the next `flush` at the latest. */
  commit(length: number): void;
  /** Hands everything committed to the network. */
  flush(): void;
  /** The peer does not answer: whatever the way can look into by itself is due now. */
  doubt?(nowMs: number): void;
}

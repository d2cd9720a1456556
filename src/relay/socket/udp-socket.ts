/*
 * What the packet path sees of a socket, whichever implementation runs (udp-koffi.socket.ts, udp-dgram.socket.ts).
 */

/**
 * One datagram, or several of one source, of equal size but for the last, one behind the other (UDP_GRO, UDP_SEGMENT).
 * One object is used again and again: whoever gets it copies what it needs before returning.
 */
export interface Burst {
  bytes: Uint8Array;
  /** Where the first one begins. */
  at: number;
  /** Of all together. */
  length: number;
  /** Size of each but the last; not less than `length` if there is one only. */
  segment: number;
}

/** An empty burst, to be filled again and again. */
export const newBurst = (): Burst => ({
  bytes: new Uint8Array(0),
  at: 0,
  length: 0,
  segment: 0,
});

/** Takes what came from the address in `from` (six words, address.ts). */
export interface Receiver {
  receive(burst: Burst, from: Uint32Array): void;
}

/** A bound UDP socket. */
export interface UdpSocket {
  /** The bound port. */
  readonly port: number;
  /** Queues a burst to the address whose six words begin at `toAt`; the bytes are taken or copied before `flush` returns. */
  send(burst: Burst, to: Uint32Array, toAt: number): void;
  /** Sends what is queued. */
  flush(): void;
  close(): void;
}

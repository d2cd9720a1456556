/*
 * What the packet worker and the thread that ends TLS say to each other over a MessagePort. A TCP connection is an
 * address of its own family: the connection's number, given by the TLS thread, counting up from 1 and never used again.
 * The worker applies to it the same checks and limits as to UDP; the TLS thread knows no frames but their length.
 *
 * One message is one ArrayBuffer, transferred, that holds records one after the other:
 *
 * | offset | bytes | field                                             |
 * |--------|-------|---------------------------------------------------|
 * | 0      | 1     | kind: 1 OPEN, 2 FRAME, 3 CLOSE                    |
 * | 1      | 1     | zero                                              |
 * | 2      | 2     | length of the body                                |
 * | 4      | 4     | connection, 1 to 2^32-1                           |
 * | 8      | n     | body                                              |
 *
 * OPEN (TLS thread to worker): the peer's address, 16 bytes (IPv4 as ::ffff:a.b.c.d), and port, 2 bytes. It comes before
 * the first FRAME of a connection. FRAME (both ways): one relay frame without its TCP length prefix, at most 1,500 bytes.
 * CLOSE: empty. From the TLS thread: the connection is gone. From the worker: end it.
 *
 * Both queues are bounded by bytes under way, kept in a shared Int32Array `queued` (QUEUED_TO_TLS, QUEUED_TO_WORKER):
 * the sender adds the length of a message before it posts, the receiver subtracts it when it has taken the message.
 * Above MAX_QUEUED_BYTES the worker drops frames (`fallback-queue`) and the TLS thread stops reading from its sockets.
 */

/** Kinds of record. */
export const FALLBACK_KIND = { open: 1, frame: 2, close: 3 } as const;

/** Bytes before the body of a record. */
export const FALLBACK_RECORD_BYTES = 8;

/** Index in `queued` of the bytes on their way to the TLS thread. */
export const QUEUED_TO_TLS = 0;
/** Index in `queued` of the bytes on their way to the packet worker. */
export const QUEUED_TO_WORKER = 1;
/** Above this many bytes under way a sender stops: 4 MiB is 30 ms of a full gigabit. */
export const MAX_QUEUED_BYTES = 4 << 20;

/** One record; `body` is a view of the message that it was read from. */
export interface FallbackRecord {
  readonly kind: number;
  readonly connection: number;
  readonly body: Uint8Array;
}

/** Collects records into one message. Owned by one thread. */
export class FallbackWriter {
  #bytes = new Uint8Array(4_096);
  #length = 0;

  /** Bytes collected so far. */
  get length(): number {
    return this.#length;
  }

  /** Adds one record; copies `body`. @throws RangeError if it is longer than 65,535 bytes. */
  add(kind: number, connection: number, body: Uint8Array): void {
    const { length } = body;
    if (length > 0xffff) throw new RangeError(`a record of ${length} bytes exceeds 65535`);
    this.#reserve(FALLBACK_RECORD_BYTES + length);
    const start = this.#length;
    const header = new DataView(this.#bytes.buffer, start, FALLBACK_RECORD_BYTES);
    header.setUint8(0, kind);
    header.setUint8(1, 0);
    header.setUint16(2, length);
    header.setUint32(4, connection);
    this.#bytes.set(body, start + FALLBACK_RECORD_BYTES);
    this.#length += FALLBACK_RECORD_BYTES + length;
  }

  /** The records since the last call as a message to be transferred, or undefined if there are none. */
  take(): ArrayBuffer | undefined {
    if (this.#length === 0) return undefined;
    const message = this.#bytes.buffer.slice(0, this.#length);
    this.#length = 0;
    return message;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** The records of a message, in order. What is cut off at the end is left out: both ends are ours. */
export function* readFallback(message: ArrayBuffer): Generator<FallbackRecord> {
  const view = new DataView(message);
  let at = 0;
  while (at + FALLBACK_RECORD_BYTES <= message.byteLength) {
    const length = view.getUint16(at + 2);
    const body = at + FALLBACK_RECORD_BYTES;
    if (body + length > message.byteLength) return;
    yield {
      kind: view.getUint8(at),
      connection: view.getUint32(at + 4),
      body: new Uint8Array(message, body, length),
    };
    at = body + length;
  }
}

/*
 * One TLS connection of the fallback: cuts what comes into frames, writes frames that go out, and ends when it does not
 * prove a lease in time, when it is silent for too long, or when what comes is no frame. It holds at most one frame that
 * is not complete and MAX_WAITING_BYTES that the other side does not read.
 */
import type { TLSSocket } from 'node:tls';
import { frameType, RelayType } from '../../protocol/relay/header.js';
import { encodeStreamFrame, FrameSplitter } from '../../protocol/relay/stream.js';
import type { FallbackCounters, FallbackEnd } from './fallback-messages.js';

/** A connection on which no lease was proven ends after this long, like a session that stays half-open. */
export const UNPROVEN_MS = 30_000;
/** A session ends after 120 s without a packet; then its connection is of no use either. */
export const IDLE_MS = 150_000;
/** What a slow reader may leave waiting; beyond it frames are dropped, as a network drops datagrams. */
const MAX_WAITING_BYTES = 262_144;

/** What a connection tells. */
export interface ConnectionEvents {
  frame(connection: number, frame: Uint8Array): void;
  /** After the frames of one chunk. */
  chunk(connection: FallbackConnection): void;
  ended(connection: FallbackConnection): void;
  /** A lease was proven on it, once. */
  proven(connection: FallbackConnection): void;
}

/** A connection after its TLS handshake. */
export class FallbackConnection {
  readonly #splitter = new FrameSplitter();
  readonly #since: number;
  #heardMs: number;
  #proven = false;
  #end: FallbackEnd | undefined;
  #corked = false;
  #events: ConnectionEvents | undefined;
  /** Since the last check: looking at the clock for each chunk would cost more. */
  #isHeard = false;

  /** @param nowMs monotonic */
  constructor(
    readonly id: number,
    private readonly socket: TLSSocket,
    private readonly counters: FallbackCounters,
    nowMs: number,
  ) {
    this.#since = nowMs;
    this.#heardMs = nowMs;
    counters.add('connections');
  }

  /** Begins to read. */
  listen(events: ConnectionEvents): void {
    const { socket } = this;
    this.#events = events;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#read(chunk, events);
    });
    socket.on('error', () => {
      this.#end ??= 'error';
    });
    socket.on('end', () => {
      this.end(this.#proven ? 'closed' : 'unproven');
    });
    socket.on('close', () => {
      this.counters.add('connections', -1);
      if (this.#proven) this.counters.add('connections_proven', -1);
      this.counters.end(this.#end ?? (this.#proven ? 'closed' : 'unproven'));
      events.ended(this);
    });
  }

  /** Writes one frame, or drops it when the other side is too slow. The bytes are copied. */
  send(frame: Uint8Array): void {
    const { socket, counters } = this;
    if (socket.destroyed || !socket.writable) return;
    if (socket.writableLength > MAX_WAITING_BYTES) {
      counters.add('dropped');
      return;
    }
    if (!this.#proven && frameType(frame, 0, frame.length) === RelayType.proved) this.#prove();
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
    }
    socket.write(encodeStreamFrame(frame));
    counters.add('frames_out');
    counters.add('bytes_out', frame.length);
  }

  /** Lets go what `send` has collected: one record of TLS for many frames. */
  flush(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.socket.uncork();
  }

  /** Stops or goes on with reading. */
  pause(paused: boolean): void {
    if (paused) this.socket.pause();
    else this.socket.resume();
  }

  /** Ends it if its time is over. `nowMs` is monotonic. */
  check(nowMs: number): void {
    if (!this.#proven && nowMs - this.#since >= UNPROVEN_MS) this.end('unproven');
    else if (this.#isHeard) this.#heardMs = nowMs;
    else if (nowMs - this.#heardMs >= IDLE_MS) this.end('idle');
    this.#isHeard = false;
  }

  /** Ends it at once. */
  end(how: FallbackEnd): void {
    this.#end ??= how;
    this.socket.destroy();
  }

  #prove(): void {
    this.#proven = true;
    this.counters.add('connections_proven');
    this.#events?.proven(this);
  }

  #read(chunk: Buffer, events: ConnectionEvents): void {
    const { frames, refusal } = this.#splitter.push(chunk);
    const { counters } = this;
    this.#isHeard = true;
    counters.add('frames_in', frames.length);
    counters.add('bytes_in', chunk.length);
    for (const frame of frames) events.frame(this.id, frame);
    if (refusal) this.end(refusal);
    events.chunk(this);
  }
}

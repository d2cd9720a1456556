/*
 * One end of the port between the packet worker and the TLS thread: posts and takes messages (fallback-port.ts) and
 * keeps the account of the bytes under way.
 */
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import {
  FALLBACK_RECORD_BYTES,
  FallbackWriter,
  MAX_QUEUED_BYTES,
  QUEUED_TO_TLS,
  QUEUED_TO_WORKER,
  readFallback,
  type FallbackRecord,
} from './fallback-port.js';
import { wake } from '../socket/wake.eventfd.js';

/** What the TLS thread is started with; `port` has to be in its transfer list. */
export interface FallbackAttachment {
  readonly port: MessagePort;
  readonly queued: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly wakeFd?: number;
}

/** A new account for both directions. */
export const newQueued = (): SharedArrayBuffer =>
  new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);

/** One end of the port. */
export class FallbackLink {
  readonly #queued: Int32Array;
  readonly #writer = new FallbackWriter();

  /**
   * @param outgoing QUEUED_TO_TLS at the worker, QUEUED_TO_WORKER at the TLS thread
   * @param notify called after each posted message
   */
  constructor(
    private readonly port: MessagePort,
    queued: SharedArrayBuffer,
    private readonly outgoing: typeof QUEUED_TO_TLS | typeof QUEUED_TO_WORKER,
    private readonly notify: () => void = () => undefined,
  ) {
    this.#queued = new Int32Array(queued);
  }

  /** The end of the TLS thread, which wakes the worker after each message. */
  static forTlsThread(attachment: FallbackAttachment): FallbackLink {
    const control = new Int32Array(attachment.control);
    return new FallbackLink(attachment.port, attachment.queued, QUEUED_TO_WORKER, () => {
      wake(control, attachment.wakeFd);
    });
  }

  /** Whether the other end is too slow: the worker then drops, the TLS thread stops reading. */
  get isFull(): boolean {
    return Atomics.load(this.#queued, this.outgoing) + this.#writer.length > MAX_QUEUED_BYTES;
  }

  /** Collects one record, copying `body`; `flush` sends it. */
  add(kind: number, connection: number, body: Uint8Array): void {
    this.#writer.add(kind, connection, body);
  }

  /** Posts what was collected, if anything. */
  flush(): void {
    const message = this.#writer.take();
    if (!message) return;
    Atomics.add(this.#queued, this.outgoing, message.byteLength);
    this.port.postMessage(message, [message]);
    this.notify();
  }

  /** Calls `take` with each record of the messages that have come, without an event loop; false if there was none. */
  poll(take: (record: FallbackRecord) => void): boolean {
    let received = receiveMessageOnPort(this.port);
    const any = received !== undefined;
    while (received) {
      this.#takeMessage(received.message, take);
      received = receiveMessageOnPort(this.port);
    }
    return any;
  }

  /** Calls `take` with each record as messages come, and `after` at the end of each message. */
  listen(take: (record: FallbackRecord) => void, after: () => void = () => undefined): void {
    this.port.on('message', (message: unknown) => {
      this.#takeMessage(message, take);
      after();
    });
  }

  /** Ends the port for both sides. */
  close(): void {
    this.port.close();
  }

  #takeMessage(message: unknown, take: (record: FallbackRecord) => void): void {
    if (!(message instanceof ArrayBuffer) || message.byteLength < FALLBACK_RECORD_BYTES) return;
    Atomics.sub(this.#queued, 1 - this.outgoing, message.byteLength);
    for (const record of readFallback(message)) take(record);
  }
}

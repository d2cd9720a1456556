/*
 * The way to a relay over TLS 1.3 on 5349, for networks that drop UDP: the same frames, each after its length (u16). The
 * relay is known by the pin of its leaf; certificates of the system's roots mean nothing here.
 */
import { createHash } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { encodeStreamFrame, FrameSplitter } from '../protocol/relay/stream.js';
import { judgeLeaf, requirePins, type ExpectedLeaf } from './pin.js';
import type { TlsEnd, TlsRelay } from './relay-news.js';
import type { TlsConnection, TlsEvents } from './relay-ways.js';

/** Bytes that wait for a slow network; what comes above is lost, as it would be on UDP. */
const MAX_WAITING_BYTES = 1 << 20;
const CONNECT_WITHIN_MS = 5_000;

/** One connection. Nothing of ours goes out before the leaf was judged. */
export class TlsLink implements TlsConnection {
  readonly #socket: TLSSocket;
  readonly #events: TlsEvents;
  readonly #splitter = new FrameSplitter();
  #isOpen = false;
  #ended = false;

  /** `nowMs` is the wall clock's, for the dates of the leaf. @throws EndpointError ERR_ENDPOINT_PIN for bad pins. */
  constructor(relay: TlsRelay, events: TlsEvents, nowMs: () => number) {
    requirePins(relay.pins);
    this.#events = events;
    this.#socket = connect({
      host: relay.host,
      port: relay.port,
      minVersion: 'TLSv1.3',
      // No authority is asked: the leaf is judged below, by its pin, name and dates, before a byte is sent.
      ca: [],
      rejectUnauthorized: false,
      timeout: CONNECT_WITHIN_MS,
    });
    this.#socket.setNoDelay(true);
    this.#socket.once('secureConnect', () => {
      this.#judge(relay, nowMs());
    });
    this.#socket.on('data', (chunk: Uint8Array) => {
      this.#take(chunk);
    });
    this.#socket.on('timeout', () => {
      if (!this.#isOpen) this.#end('connection-lost');
    });
    this.#socket.on('error', () => {
      this.#end('connection-lost');
    });
    this.#socket.on('close', () => {
      this.#end('connection-lost');
    });
  }

  /** Sends the frames that lie side by side in the first `length` bytes, each of `segment` bytes but for the last. */
  send(bytes: Uint8Array, length: number, segment: number): void {
    if (!this.#isOpen || this.#socket.writableLength > MAX_WAITING_BYTES) return;
    this.#socket.cork();
    for (let at = 0; at < length; at += segment)
      this.#socket.write(encodeStreamFrame(bytes.subarray(at, Math.min(length, at + segment))));
    this.#socket.uncork();
  }

  /** Ends the connection after what was sent. */
  close(): void {
    this.#ended = true;
    this.#isOpen = false;
    this.#socket.end();
    this.#socket.unref();
  }

  #judge(expected: ExpectedLeaf, nowMs: number): void {
    const leaf = this.#socket.getPeerX509Certificate();
    const verdict =
      leaf === undefined
        ? 'leaf-not-pinned'
        : judgeLeaf(
            {
              pin: pinOf(leaf.publicKey.export({ format: 'der', type: 'spki' })),
              names: leaf.subjectAltName?.split(', ') ?? [],
              notBeforeMs: Date.parse(leaf.validFrom),
              notAfterMs: Date.parse(leaf.validTo),
            },
            expected,
            nowMs,
          );
    if (verdict !== 'ok') {
      this.#end(verdict);
      return;
    }
    this.#isOpen = true;
    this.#events.open();
  }

  #take(chunk: Uint8Array): void {
    if (!this.#isOpen) return;
    const { frames, refusal } = this.#splitter.push(chunk);
    for (const frame of frames) this.#events.frame(frame);
    if (refusal !== undefined) this.#end(refusal);
  }

  #end(end: TlsEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#isOpen = false;
    this.#socket.destroy();
    this.#events.ended(end);
  }
}

const pinOf = (spki: Uint8Array): string =>
  `sha256/${createHash('sha256').update(spki).digest('base64')}`;

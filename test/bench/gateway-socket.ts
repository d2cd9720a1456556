/*
 * A WebSocket client that costs the generator little, so that what is measured is the other side: frames are made before
 * they are needed, and of what comes only the headers are read. A server's frame (RFC 6455, section 5.2):
 *
 *   offset  bytes  field
 *   0       1      FIN and opcode
 *   1       1      length up to 125, or 126: 2 bytes of length follow, or 127: 8 do
 *   2       0|2|8  length
 *   ...            payload, not masked
 */
import { randomBytes } from 'node:crypto';
import type { TcpNetConnectOpts } from 'node:net';
import {
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { tlsTo, upgradeRequest } from '../processes/gateway-endpoint.js';

const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const END_OF_HEAD = '\r\n\r\n';
const WITHIN_MS = 30_000;

/** Where a server listens. */
export interface Place {
  readonly port: number;
  /** PEM of the authority of its certificate. */
  readonly ca: string;
  readonly context: SecureContext;
}

/** A place; its authority is read once for all connections. */
export const placeOf = (port: number, ca: string): Place => ({
  ...{ port, ca },
  context: createSecureContext({ ca, minVersion: 'TLSv1.3' }),
});

/** One of 4 million loopback addresses, so that limits per address see many clients. */
export const sourceAddress = (index: number): string =>
  `127.${1 + ((index >> 14) & 0x7f)}.${(index >> 7) & 0x7f}.${1 + (index & 0x7f)}`;

/** A masked frame. */
export function frame(payload: Uint8Array, opcode = TEXT): Buffer {
  const isLong = payload.length > 125;
  const head = Buffer.alloc(isLong ? 4 : 2);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (isLong ? 126 : payload.length);
  if (isLong) head.writeUInt16BE(payload.length, 2);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i & 3]!)]);
}

/** A masked frame of `text`. */
export const textFrame = (text: string): Buffer => frame(Buffer.from(text));

/** A connection. */
export class LoadSocket {
  /** Called for each text that nobody waits for, before `batch`; the bytes are valid during the call only. */
  message: (payload: Buffer) => void = () => undefined;
  /** Called when all texts of what came at once were given out. */
  batch: () => void = () => undefined;
  /** Whether the other side has ended it. */
  isClosed = false;
  #rest: Buffer = Buffer.alloc(0);
  #isOpen = false;
  #opened: (() => void) | undefined;
  #next: ((text: string) => void) | undefined;
  readonly #texts: string[] = [];
  #keeps = true;

  private constructor(readonly tls: TLSSocket) {
    tls.on('data', (chunk: Buffer) => {
      this.#data(chunk);
    });
    tls.on('close', () => {
      this.isClosed = true;
    });
  }

  /** Connects from the loopback address of `index` and asks for a WebSocket at `path`. */
  static async open(place: Place, index: number, path?: string): Promise<LoadSocket> {
    // node:tls hands it on to node:net; its type does not say so.
    const options: ConnectionOptions & Pick<TcpNetConnectOpts, 'localAddress'> = {
      secureContext: place.context,
      localAddress: sourceAddress(index),
    };
    const tls = await tlsTo(place, options);
    tls.setNoDelay(true);
    const socket = new LoadSocket(tls);
    tls.write(upgradeRequest({}, path));
    await socket.#within<undefined>('upgrade', (done) => {
      socket.#opened = () => {
        done(undefined);
      };
    });
    return socket;
  }

  /** The next text, also one that came before it was asked for. */
  async next(): Promise<string> {
    const waiting = this.#texts.shift();
    if (waiting !== undefined) return waiting;
    return this.#within('message', (done) => {
      this.#next = done;
    });
  }

  /** From now on texts go to `message`. */
  stream(): void {
    this.#keeps = false;
  }

  write(frames: Uint8Array): void {
    this.tls.write(frames);
  }

  /** Ends it at once. */
  cut(): void {
    this.tls.destroy();
  }

  #within<Result>(what: string, wait: (done: (result: Result) => void) => void): Promise<Result> {
    return new Promise((resolve, reject) => {
      const failed = () => {
        reject(new Error(`the server gives no ${what}`));
      };
      const timer = setTimeout(failed, WITHIN_MS);
      this.tls.once('close', failed);
      wait((result) => {
        clearTimeout(timer);
        this.tls.off('close', failed);
        resolve(result);
      });
    });
  }

  #data(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#isOpen && !this.#head()) return;
    let at = 0;
    for (;;) {
      const start = payloadAt(this.#rest, at);
      if (start === undefined) break;
      const end = start + payloadLength(this.#rest, at);
      if (end > this.#rest.length) break;
      this.#frame(this.#rest[at]! & 0xf, this.#rest.subarray(start, end));
      at = end;
    }
    this.#rest = this.#rest.subarray(at);
    this.batch();
  }

  /** Takes the answer to the upgrade off the front. */
  #head(): boolean {
    const end = this.#rest.indexOf(END_OF_HEAD);
    if (end < 0) return false;
    const status = this.#rest.toString('latin1', 0, 12);
    if (status !== 'HTTP/1.1 101') throw new Error(`the server says ${status}`);
    this.#rest = this.#rest.subarray(end + END_OF_HEAD.length);
    this.#isOpen = true;
    this.#opened?.();
    return true;
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === PING) this.write(frame(payload, PONG));
    else if (opcode === CLOSE) this.isClosed = true;
    else if (!this.#keeps) this.message(payload);
    else if (this.#next) {
      const next = this.#next;
      this.#next = undefined;
      next(payload.toString());
    } else this.#texts.push(payload.toString());
  }
}

/** Where the payload of the frame at `at` begins; undefined while its header is not there. */
function payloadAt(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < 2) return undefined;
  const length = bytes[at + 1]!;
  const start = at + (length < 126 ? 2 : length === 126 ? 4 : 10);
  return start > bytes.length ? undefined : start;
}

function payloadLength(bytes: Buffer, at: number): number {
  const length = bytes[at + 1]!;
  if (length < 126) return length;
  return length === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
}

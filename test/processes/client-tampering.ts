import { createSocket, type Socket } from 'node:dgram';
import { bound } from '../faults/udp-path.js';

const HEADER_BYTES = 20;
const FORWARD = 0x10;
/** Kind of a session datagram, behind its counter and the receiver's index. */
const KIND_OFFSET = HEADER_BYTES + 12;
const TRANSPORT = 4;

/** What a session datagram is for. */
export type DatagramKind = 'handshake' | 'transport';

/**
 * Stands where a relay should and passes on between it and any number of endpoints; may change what goes from one
 * endpoint to the other on the way.
 */
export class TamperingRelay {
  /** Whether the `nth` datagram of this kind from one endpoint, from 1, is to be changed. */
  changes: (kind: DatagramKind, nth: number) => boolean = () => false;
  /** How many were changed, by kind. */
  readonly changed: Record<DatagramKind, number> = { handshake: 0, transport: 0 };
  readonly #back = new Map<number, Promise<Socket>>();
  /** Datagrams by `KIND PORT`. */
  readonly #counts = new Map<string, number>();

  private constructor(
    private readonly front: Socket,
    private readonly relayPort: number,
  ) {
    front.on('message', (bytes, { port }) => void this.#toRelay(bytes, port));
  }

  static async open(relayPort: number): Promise<TamperingRelay> {
    const front = createSocket('udp4');
    await bound(front);
    return new TamperingRelay(front, relayPort);
  }

  get port(): number {
    return this.front.address().port;
  }

  async close(): Promise<void> {
    this.front.close();
    for (const socket of this.#back.values()) (await socket).close();
  }

  async #toRelay(bytes: Buffer, port: number): Promise<void> {
    let back = this.#back.get(port);
    if (back === undefined) this.#back.set(port, (back = this.#open(port)));
    (await back).send(this.#judged(bytes, port), this.relayPort, '127.0.0.1');
  }

  async #open(port: number): Promise<Socket> {
    const socket = createSocket('udp4');
    await bound(socket);
    socket.on('message', (bytes) => {
      this.front.send(bytes, port, '127.0.0.1');
    });
    return socket;
  }

  /** The same bytes, or with one bit of what is sealed in them flipped. */
  #judged(bytes: Buffer, port: number): Buffer {
    if (bytes[2] !== FORWARD) return bytes;
    const kind = bytes[KIND_OFFSET] === TRANSPORT ? 'transport' : 'handshake';
    const nth = (this.#counts.get(`${kind} ${port}`) ?? 0) + 1;
    this.#counts.set(`${kind} ${port}`, nth);
    if (!this.changes(kind, nth)) return bytes;
    this.changed[kind]++;
    // Of a handshake: in the Noise message behind token, index and length.
    const at = kind === 'transport' ? bytes.length - 1 : HEADER_BYTES + 50;
    bytes[at]! ^= 1;
    return bytes;
  }
}

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const BUFFER_BYTES = 4 << 20;

/** Which way a datagram goes. */
export type Direction = 'to-relay' | 'to-endpoint';

/** A datagram as it was seen. */
export interface Seen {
  readonly direction: Direction;
  readonly bytes: Buffer;
}

/** Gives the datagrams that go on in the place of one; the same one if nothing is to change. */
export type Tamper = (bytes: Buffer, direction: Direction) => readonly Uint8Array[];

/** Stands between one endpoint and the relay, keeps what goes through, and may change it. */
export class Recorder {
  readonly seen: Seen[] = [];
  tamper: Tamper = (bytes) => [bytes];
  #endpointPort = 0;

  private constructor(
    private readonly front: Socket,
    private readonly back: Socket,
    private readonly relayPort: number,
  ) {
    front.on('message', (bytes, { port }) => {
      this.#endpointPort = port;
      this.#pass(bytes, 'to-relay');
    });
    back.on('message', (bytes) => {
      this.#pass(bytes, 'to-endpoint');
    });
  }

  static async open(relayPort: number): Promise<Recorder> {
    const sockets = [0, 1].map(() =>
      createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES }),
    ) as [Socket, Socket]; // As many as there are numbers.
    for (const socket of sockets) {
      const listening = once(socket, 'listening');
      socket.bind(0, '127.0.0.1');
      await listening;
    }
    return new Recorder(...sockets, relayPort);
  }

  /** Where the endpoint is told that its relay is. */
  get port(): number {
    return this.front.address().port;
  }

  /** What an endpoint sent, or the relay. */
  datagrams(direction: Direction): Buffer[] {
    return this.seen.filter((one) => one.direction === direction).map(({ bytes }) => bytes);
  }

  /** Sends `bytes` as if they came through. */
  inject(bytes: Uint8Array, direction: Direction): void {
    if (direction === 'to-relay') this.back.send(bytes, this.relayPort, '127.0.0.1');
    else this.front.send(bytes, this.#endpointPort, '127.0.0.1');
  }

  close(): void {
    this.front.close();
    this.back.close();
  }

  #pass(bytes: Buffer, direction: Direction): void {
    this.seen.push({ direction, bytes });
    for (const each of this.tamper(bytes, direction)) this.inject(each, direction);
  }
}

/*
 * What a Service does for the replicas behind it: each connection goes to one that listens, in turn. Bytes pass as they
 * are, so TLS is between both ends.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One address of several ports on loopback. */
export class TcpService {
  /** The backends that connections go to now, by index; undefined: all. */
  only: readonly number[] | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #next = 0;

  private constructor(private readonly ports: readonly number[]) {
    this.#server = createServer((socket) => {
      this.#keep(socket);
      void this.#forward(socket);
    });
  }

  static async start(ports: readonly number[]): Promise<TcpService> {
    const service = new TcpService(ports);
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // It listens at a port, not at a path.
  }

  /** Ends it and every connection. */
  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  async #forward(from: Socket): Promise<void> {
    for (let tried = 0; tried < this.ports.length; tried++) {
      const at = this.#next++ % this.ports.length;
      if (this.only !== undefined && !this.only.includes(at)) continue;
      const to = connect(this.ports[at] ?? 0, '127.0.0.1');
      if (!(await connects(to))) continue;
      this.#keep(to);
      join(from, to);
      return;
    }
    from.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

const connects = (socket: Socket): Promise<boolean> =>
  once(socket, 'connect').then(
    () => true,
    () => false,
  );

/** Joins both; the end of one is the end of the other, after what it said has been handed on. */
function join(one: Socket, other: Socket): void {
  if (one.destroyed) other.destroy();
  one.pipe(other).pipe(one);
  one.on('close', () => {
    other.destroySoon();
  });
  other.on('close', () => {
    one.destroySoon();
  });
}

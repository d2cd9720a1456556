/*
 * Peers in a network namespace of their own: sends what it is told to, and tells what comes and from where. It is
 * started without a loader, so it imports nothing of the project and uses no syntax that has to be compiled.
 */
import { createSocket, type Socket } from 'node:dgram';

/** A datagram to be sent from `from`, which is `ADDRESS PORT`, to the relay at `to`. */
export interface PeerSends {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

/** A datagram that came to `at`, or the error that its socket got. */
export interface PeerHears {
  readonly at: string;
  readonly from: string;
  readonly bytes: Uint8Array;
}

const sockets = new Map<string, Socket>();

function socketAt(name: string): Socket {
  const known = sockets.get(name);
  if (known) return known;
  const [address, port] = name.split(' ');
  const socket = createSocket('udp4');
  socket.on('message', (bytes, remote) => {
    const from = `${remote.address} ${remote.port}`;
    process.send?.({ at: name, from, bytes } satisfies PeerHears);
  });
  socket.bind(Number(port), address);
  sockets.set(name, socket);
  return socket;
}

process.on('message', ({ from, to, bytes }: PeerSends) => {
  const [address, port] = to.split(' ');
  socketAt(from).send(bytes, Number(port), address);
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

/*
 * Whether the ports of a pod are free: two programs that share a port answer each other's probes, and both look ready by
 * turns.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Container } from './pods.js';

/** Gives the first port of a container that somebody else holds at `address` (`UDP port 3478 of 127.0.0.2`), or undefined. */
export async function heldPort(
  address: string,
  ports: NonNullable<Container['ports']>,
): Promise<string | undefined> {
  for (const { containerPort: port, protocol = 'TCP' } of ports) {
    const isHeld = await (protocol === 'UDP' ? udpIsHeld : tcpIsHeld)(address, port);
    if (isHeld) return `${protocol} port ${port} of ${address}`;
  }
  return undefined;
}

/** Other failures to bind are for the program itself to explain. */
const isHeldBy = (error: NodeJS.ErrnoException): boolean => error.code === 'EADDRINUSE';

function tcpIsHeld(host: string, port: number): Promise<boolean> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve) => {
    server.once('error', (error) => {
      resolve(isHeldBy(error));
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(false);
      });
    });
  });
}

function udpIsHeld(address: string, port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', (error) => {
      socket.close();
      resolve(isHeldBy(error));
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.close(() => {
        resolve(false);
      });
    });
  });
}

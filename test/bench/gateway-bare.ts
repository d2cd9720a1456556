/*
 * The least that a WebSocket server on node:tls and ws does. It takes the certificate as a message and answers with its
 * port. /forward/NUMBER/SIZE forwards each message as it came to the next of a ring of SIZE; /answer/NUMBER/SIZE answers
 * the sender as well, as the gateway's protocol demands; every other path is only held open.
 */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { SIGNALING_PATH } from '../../src/messages/signaling.js';

const ANSWER = JSON.stringify({ type: 'answer', id: 10, body: {} });

/** From the bench. */
export interface BareCertificate {
  readonly cert: string;
  readonly key: string;
}

const peers = new Map<string, WebSocket>();

function join(socket: WebSocket, path: string): void {
  const [, mode = '', number = '', size = ''] = path.slice(SIGNALING_PATH.length).split('/');
  const next = `${mode}/${(Number(number) + 1) % Number(size)}`;
  peers.set(`${mode}/${number}`, socket);
  socket.on('message', (bytes, isBinary) => {
    peers.get(next)?.send(bytes, { binary: isBinary });
    if (mode === 'answer') socket.send(ANSWER);
  });
}

process.on('message', ({ cert, key }: BareCertificate) => {
  const server = createServer({ cert, key, minVersion: 'TLSv1.3' });
  const webSockets = new WebSocketServer({ server, perMessageDeflate: false });
  webSockets.on('connection', (socket, { url }) => {
    socket.on('error', () => undefined);
    if (url === undefined || url === SIGNALING_PATH) socket.on('message', () => undefined);
    else join(socket, url);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    process.send?.({ port });
  });
});
process.on('disconnect', () => process.exit(0));

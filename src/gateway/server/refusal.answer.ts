import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long a peer may take to read a refusal. */
const READ_WITHIN_MS = 1_000;

/**
 * Answers a request with a status and nothing else, and ends the connection. What was sent comes back in no form; whoever
 * does not read the answer does not keep the connection.
 */
export function answerRefusal(
  socket: Duplex,
  status: number,
  headers: Readonly<Record<string, string | number>> = {},
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const lines = Object.entries({ Connection: 'close', 'Content-Length': 0, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  // An upgraded socket has no reader: what still comes must not wait for one.
  socket.resume();
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`, () => {
    setTimeout(() => socket.destroy(), READ_WITHIN_MS).unref();
  });
}

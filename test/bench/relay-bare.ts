/*
 * The least that a forwarder on node:dgram does: look the source up, send to its peer. No lease, no limit, no count.
 */
import { createSocket } from 'node:dgram';
import type { End } from './relay-load.js';

/** From the bench: which addresses belong together. */
export interface BarePairs {
  readonly pairs: readonly (readonly [End, End])[];
}

const peers = new Map<string, End>();
// Addresses are numbers already: the resolver would take a turn of the loop for each.
const socket = createSocket({
  type: 'udp4',
  recvBufferSize: 64 << 20,
  sendBufferSize: 64 << 20,
  lookup: (name, _options, done) => {
    done(null, name, 4);
  },
});
socket.on('message', (bytes, { address, port }) => {
  const peer = peers.get(`${address}:${port}`);
  if (peer) socket.send(bytes, peer.port, peer.address, () => undefined);
});
socket.bind(0, '127.0.0.1', () => {
  process.send?.({ kind: 'started', port: socket.address().port });
});
process.on('message', ({ pairs }: BarePairs) => {
  for (const [a, b] of pairs) {
    peers.set(`${a.address}:${a.port}`, b);
    peers.set(`${b.address}:${b.port}`, a);
  }
  process.send?.({ kind: 'paired' });
});
process.on('disconnect', () => process.exit(0));

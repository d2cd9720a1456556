/*
 * The thread that ends TLS. It holds the pool's leaf and no session; the packet worker holds sessions and no key.
 */
import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../runtime/errors.js';
import { FallbackLink } from '../packet/fallback.link.js';
import {
  FallbackCounters,
  type FallbackStart,
  type FromFallback,
  type ToFallback,
} from './fallback-messages.js';
import { FallbackServer } from './fallback.server.js';

if (!parentPort) throw new Error('the fallback is started by the relay, not by itself');
const port = parentPort;
const start = workerData as FallbackStart; // What FallbackThread gives it.
const counters = new FallbackCounters(new Float64Array(start.statistics));
counters.reset();
const server = new FallbackServer({
  link: FallbackLink.forTlsThread(start.attachment),
  counters,
  connections: new Int32Array(start.connections),
  seed: randomBytes(4).readInt32LE(),
  now: () => performance.now(),
});
let listening = false;

const tell = (message: FromFallback): void => {
  port.postMessage(message);
};

port.on('message', (message: ToFallback) => {
  if (message.kind === 'limits') server.limit(message);
  else if (message.kind === 'leaf') present(message.certificate, message.key);
  else stop();
});

function present(certificate: string, key: string): void {
  try {
    server.present(certificate, key);
  } catch (error) {
    // The text of an error of OpenSSL names no key material.
    tell({ kind: 'log', level: 'error', message: `leaf not taken: ${messageOf(error)}` });
    return;
  }
  if (listening) return;
  listening = true;
  server.listen(start.addresses, start.port).then(
    (ports) => {
      tell({ kind: 'ready', ports });
    },
    (error: unknown) => {
      tell({ kind: 'failed', problem: messageOf(error) });
    },
  );
}

function stop(): void {
  server.close();
  port.close();
}

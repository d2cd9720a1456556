/*
 * The packet worker: one thread that owns the UDP sockets and all sessions. No Nest, no TLS, no key that opens anything.
 * With koffi it is a loop that takes batches until there are none and then sleeps in poll(2); with node:dgram it is the
 * event loop.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BatchLoop } from './batch.loop.js';
import { EventLoop } from './event.loop.js';
import { NoKernelError } from '../../runtime/kernel.library.js';
import type { PacketWorkerStart } from './packet-messages.js';
import { PacketHost } from './packet.host.js';

if (!parentPort) throw new Error('the packet worker is started by the relay, not by itself');
const host = new PacketHost(parentPort, workerData as PacketWorkerStart); // What PacketThread gives it.

try {
  await listen(host);
} catch (error) {
  const problem = error instanceof Error ? error.message : String(error);
  host.tell({ kind: 'failed', problem });
}

async function listen(host: PacketHost): Promise<void> {
  const batches = openBatches(host);
  if (batches instanceof BatchLoop) {
    host.relay.ports = batches.ports;
    host.tell({ kind: 'ready', socket: 'koffi', ports: batches.ports, wakeFd: batches.wakeFd });
    batches.run();
    host.port.close();
    return;
  }
  const events = await EventLoop.open(host);
  host.relay.ports = events.ports;
  events.run();
  const { ports } = events;
  host.tell({ kind: 'ready', socket: 'dgram', ports, ...(batches && { fallbackReason: batches }) });
}

/** The loop with batches, or why there is none; empty if none was asked for. @throws if one was asked for by name. */
function openBatches(host: PacketHost): BatchLoop | string {
  if (host.start.socket === 'dgram') return '';
  try {
    return BatchLoop.open(host);
  } catch (error) {
    if (host.start.socket === 'koffi' || !(error instanceof NoKernelError)) throw error;
    return error.message;
  }
}

/*
 * The relay's packet worker in a process of its own, as src/bin has it but without gateway, TLS and health: what the
 * bench measures. It takes its configuration as a message and answers with its port and, when asked, its statistics.
 */
import { SILENT_LOGGER } from '../../src/runtime/log.js';
import type { PacketConfiguration, SocketKind } from '../../src/relay/packet/packet-messages.js';
import { PacketThread } from '../../src/relay/packet/packet.thread.js';
import type { StatisticsReading } from '../../src/relay/packet/statistics.js';

/** From the bench. */
export type ToRelayProcess =
  | {
      readonly kind: 'start';
      readonly relayId: string;
      readonly socket: SocketKind;
      readonly configuration: PacketConfiguration;
    }
  | { readonly kind: 'statistics' };

/** To the bench. */
export type FromRelayProcess =
  | { readonly kind: 'started'; readonly port: number; readonly socket: SocketKind }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'statistics'; readonly statistics: StatisticsReading };

let thread: PacketThread | undefined;

const tell = (message: FromRelayProcess): void => void process.send?.(message);

async function start(message: Extract<ToRelayProcess, { kind: 'start' }>): Promise<void> {
  const { relayId, socket, configuration } = message;
  const options = { relayId, socket, addresses: ['127.0.0.1'], port: 0 };
  thread = await PacketThread.start(options, SILENT_LOGGER);
  thread.configure(configuration);
  tell({ kind: 'started', port: thread.ports[0]!, socket: thread.socket });
}

process.on('message', (message: ToRelayProcess) => {
  if (message.kind === 'statistics') {
    if (thread) tell({ kind: 'statistics', statistics: thread.statistics() });
    return;
  }
  start(message).catch((error: unknown) => {
    tell({ kind: 'failed', problem: String(error) });
  });
});
// The bench has gone.
process.on('disconnect', () => process.exit(0));

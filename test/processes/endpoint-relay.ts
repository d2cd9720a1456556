/*
 * The packet worker as a process of its own, so that its memory can be read from outside. The first line of standard
 * input is what it is started and configured with; each further line is a command.
 */
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { PacketThread } from '../../src/relay/packet/packet.thread.js';
import { FallbackThread } from '../../src/relay/shell/fallback.thread.js';
import { SILENT_LOGGER } from '../../src/runtime/log.js';
import type { RelayCommand, RelayStart } from './endpoint-messages.js';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (event: string, more: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
};

const start = JSON.parse((await lines.next()).value as string) as RelayStart;
const typescript = { execArgv: ['--import', 'tsx'] };
const thread = await PacketThread.start(
  {
    relayId: start.relayId,
    addresses: start.addresses,
    port: 0,
    socket: start.socket,
    script: new URL('../../src/relay/packet/packet.worker.ts', import.meta.url),
    ...typescript,
  },
  SILENT_LOGGER,
);
thread.configure({
  ...start.configuration,
  leaseKeys: start.leaseKeys.map((key) => ({ ...key, publicKey: Uint8Array.from(key.publicKey) })),
});
const fallback = start.leaf && (await startFallback(start.leaf));
say('ready', {
  port: thread.ports[0],
  socket: thread.socket,
  fallbackPort: fallback?.ports[0],
});

/** TLS 1.3 with `leaf`; resolves when it listens. */
async function startFallback(leaf: { certificate: string; key: string }): Promise<FallbackThread> {
  const begun = new FallbackThread(
    {
      addresses: start.addresses,
      port: 0,
      script: new URL('../../src/relay/shell/fallback.worker.ts', import.meta.url),
      ...typescript,
      attach: () => thread.attachFallback(),
    },
    SILENT_LOGGER,
  );
  begun.tell({ kind: 'limits', perAddressPerMinute: 1_000, connections: 100 });
  begun.tell({ kind: 'leaf', ...leaf });
  for (let i = 0; i < 3_000 && begun.ports.length === 0; i++) await delay(10);
  return begun;
}

for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
  const command = JSON.parse(line.value) as RelayCommand;
  if (command.do === 'statistics') say('statistics', { statistics: thread.statistics() });
  if (command.do === 'revoke') {
    thread.revoke(command.gateway, command.jti, []);
    say('revoked');
  }
  if (command.do === 'stop') break;
}
await fallback?.stop();
await thread.stop();

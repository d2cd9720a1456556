/*
 * A replica in a process of its own, so that it can be killed: Bob is connected to it and listens at one token.
 * Its first message is where NATS is; it answers `ready` when Bob can be reached.
 */
import { anAccount } from '../identities.js';
import { aReplica, aToken } from '../signaling-bed.js';
import { aBus, until } from './bus-replicas.js';
import type { NatsServer } from './nats.js';

process.once('message', (nats: NatsServer) => {
  void listenAt(nats);
});

async function listenAt(nats: NatsServer): Promise<void> {
  const { bus } = aBus(nats);
  await until('the bus is connected', () => bus.connected);
  const replica = aReplica({ bus });
  await replica.ask(replica.connect(anAccount(20)), 'rendezvous.listen', { tokens: [aToken(1)] });
  process.send?.('ready');
}

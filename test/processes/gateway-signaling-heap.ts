/*
 * A process in which Alice finds Bob, introduces herself and sends him an envelope through signaling; then Bob ends his
 * connection while Alice stays. It writes a heap snapshot to the file of its first argument: what an intruder would find.
 * With `keep` as second argument it keeps Bob's name on purpose, to show that the search finds what is there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';
import { anAccount } from '../identities.js';
import {
  anIntroduction,
  aReplica,
  aToken,
  anEnvelope,
  base64url,
  nameOf,
  prekeyText,
  type TestReplica,
} from '../signaling-bed.js';

const [file, keep] = process.argv.slice(2);
const kept: unknown[] = [];

async function aDelivery({ connect, disconnect, ask }: TestReplica): Promise<void> {
  const [alice, bob] = [anAccount(10), anAccount(20)];
  const [a, b] = [connect(alice), connect(bob)];
  await ask(b, 'prekey.publish', { prekey: prekeyText(bob) });
  await ask(b, 'rendezvous.listen', { tokens: [aToken(1)] });
  const account = nameOf(bob);
  const device = base64url(bob.deviceId);
  await ask(a, 'contact.find', { account });
  await ask(a, 'contact.introduce', { account, device, envelope: anIntroduction(alice) });
  await ask(a, 'rendezvous.prekey', { token: aToken(1) });
  await ask(a, 'envelope.send', { token: aToken(1), envelope: anEnvelope() });
  if (keep === 'keep') kept.push(account);
  disconnect(b);
}

const replica = aReplica();
await aDelivery(replica);
await sleep(100);
writeHeapSnapshot(file);
// Read after the snapshot, so that neither is collected before it.
process.stdout.write(`${replica.open.length} open, ${kept.length} kept\n`);

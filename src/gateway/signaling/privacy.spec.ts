import { describe, expect, it } from '@jest/globals';
import { anAccount } from '../../../test/identities.js';
import {
  anIntroduction,
  aReplica,
  aToken,
  anEnvelope,
  base64url,
  nameOf,
  prekeyText,
  type TestReplica,
} from '../../../test/signaling-bed.js';
import type { BusMessage } from '../bus.js';
import type { Bus } from '../bus.js';

const alice = anAccount(10);
const bob = anAccount(20);
const TOKEN = aToken(1);

/** Whom a text or bytes belong to. Tokens are secrets of both, so they count for nobody. */
function personIn(value: unknown): 'alice' | 'bob' | undefined {
  const text =
    typeof value === 'string' ? value : value instanceof Uint8Array ? base64url(value) : '';
  for (const [name, account] of [['alice', alice] as const, ['bob', bob] as const])
    if (
      text.includes(nameOf(account)) ||
      text.includes(base64url(account.identity)) ||
      text.includes(base64url(account.deviceId))
    )
      return name;
  return undefined;
}

/** Everything that can be reached from `start` without passing through a collection that holds entries of many. */
function peopleBeyond(start: unknown): Set<string> {
  const people = new Set<string>();
  const seen = new Set<unknown>();
  const waiting: unknown[] = [start];
  for (let steps = 0; waiting.length > 0 && steps < 100_000; steps++) {
    const value = waiting.pop();
    if (seen.has(value)) continue;
    seen.add(value);
    const person = personIn(value);
    if (person !== undefined) people.add(person);
    if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
      waiting.push(...partsOf(value));
  }
  expect(waiting).toEqual([]);
  return people;
}

const partsOf = (value: object): unknown[] => [
  ...(value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : []),
  ...Reflect.ownKeys(value).map((key): unknown => Reflect.get(value, key)),
];

/** The entries of everything that signaling keeps. */
function entriesOf({ state }: TestReplica): unknown[] {
  return [
    ...state.listeners,
    ...state.finds.attempts,
    ...state.introductions.attempts,
    [TOKEN, state.table.find(TOKEN)],
  ];
}

/** Alice finds Bob, introduces herself, and sends him something. */
async function aDelivery(replica: TestReplica, to: 'here' | 'nowhere') {
  const { connect, ask } = replica;
  const a = connect(alice);
  if (to === 'here') {
    const b = connect(bob);
    await ask(b, 'prekey.publish', { prekey: prekeyText(bob) });
    await ask(b, 'rendezvous.listen', { tokens: [TOKEN] });
    b.notices.length = 0;
  }
  const account = nameOf(bob);
  await ask(a, 'contact.find', { account });
  const device = base64url(bob.deviceId);
  await ask(a, 'contact.introduce', { account, device, envelope: anIntroduction(alice) });
  await ask(a, 'rendezvous.prekey', { token: TOKEN });
  await ask(a, 'envelope.send', { token: TOKEN, envelope: anEnvelope() });
  // What was delivered is the connection's now: it has gone to the recipient.
  for (const one of replica.open) one.notices.length = 0;
}

describe('what signaling keeps after one account has written to another', () => {
  it('S46: has no entry from which both can be reached', async () => {
    const replica = aReplica();
    await aDelivery(replica, 'here');
    const entries = entriesOf(replica);
    expect(entries.length).toBe(5);
    for (const entry of entries) expect(peopleBeyond(entry).size).toBeLessThanOrEqual(1);
  });

  it('S46: names the recipient nowhere when he was absent', async () => {
    const replica = aReplica();
    await aDelivery(replica, 'nowhere');
    expect([...peopleBeyond(replica.state)]).toEqual(['alice']);
  });

  it('S48: has no time of a contact finer than five minutes', async () => {
    const replica = aReplica();
    await aDelivery(replica, 'here');
    const kept = JSON.stringify([...replica.state.finds.attempts]);
    expect(kept).not.toContain(String(replica.time.nowMs));
    expect(kept).toContain(`"step":${Math.floor(replica.time.nowMs / 300_000)}`);
  });

  it('has no label and no log line about whom', async () => {
    const replica = aReplica();
    await aDelivery(replica, 'here');
    const text = await replica.metrics.text();
    for (const secret of [nameOf(alice), nameOf(bob), TOKEN, '192.0.2.1'])
      expect(text).not.toContain(secret);
  });
});

describe('what the bus carries when one account writes to another at another replica', () => {
  it('S46: names no sender, but for a first contact: its envelope names the sender and stands beside the recipient', async () => {
    const carried: BusMessage[] = [];
    const bus: Bus = {
      replica: 'one',
      connected: true,
      replicas: 1,
      areAllHeard: true,
      onJoin: () => undefined,
      tell: (message) => carried.push(message),
      ask: (message) => {
        carried.push(message);
        return Promise.resolve(undefined);
      },
      askAll: (message) => {
        carried.push(message);
        return Promise.resolve([]);
      },
      onMessage: () => undefined,
      close: () => Promise.resolve(),
    };
    await aDelivery(aReplica({ bus }), 'nowhere');
    const people = carried.map((message) => [message.type, [...peopleBeyond(message)].sort()]);
    expect(people).toEqual([
      ['devices', ['bob']],
      ['introduce', ['alice', 'bob']],
      ['prekey', []],
      ['deliver', []],
    ]);
  });
});

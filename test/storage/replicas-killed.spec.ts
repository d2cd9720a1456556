import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Person } from '../processes/client-bed.js';
import { until } from './bus-replicas.js';
import { isLive, PeopleBed, Traffic } from './replicas-people.js';

/** How long clients of a replica that is gone may be without a gateway (architecture, 5). */
const BACK_WITHIN_MS = 5_000;
const LEASE_SECONDS = 60;

let bed: PeopleBed;
beforeAll(async () => {
  bed = await PeopleBed.start((settings) => ({
    ...settings,
    leases: { lifetimeSeconds: LEASE_SECONDS },
  }));
});
afterAll(async () => {
  await (bed as PeopleBed | undefined)?.stop(); // Undefined when it never started.
});

const connections = ({ heard }: Person): number => heard.all('connected').length;

/** Does something to the gateway, and waits until each of `people` has logged in anew; gives the slowest, in ms. */
async function backAfter(people: readonly Person[], act: () => Promise<void>): Promise<number> {
  const before = people.map(connections);
  const began = performance.now();
  await act();
  await until('everybody is back', () =>
    people.every((person, at) => connections(person) > (before[at] ?? 0)),
  );
  return performance.now() - began;
}

/** When the first lease of these people ends: their session has one of each. Unix milliseconds. */
async function expiryOfLeases(people: readonly Person[]): Promise<number> {
  const names = people.map(({ client }) => `'${client.fingerprint}'`).join();
  const { rows } = await bed.gateways.database.admin(
    `select min(expires_at)::float8 as expires, count(*)::int as count
     from sallyport.lease where account in (${names})`,
  );
  // What the query names.
  const [{ expires, count }] = rows as [{ readonly expires: number; readonly count: number }];
  expect(count).toBe(2);
  return expires;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('people of a gateway with three replicas', () => {
  it('are back within 5 s when theirs is killed, in the same session and without a lost text', async () => {
    const { gateways } = bed;
    const [alice, bob] = await bed.pair('killed', [0, 1]);
    const session = await alice.client.session(bob.client.fingerprint);
    const there = new Traffic(alice, bob, 20);
    const back = new Traffic(bob, alice, 20);
    await pause(1_000);
    const ms = await backAfter([alice], () => gateways.killReplica(0));
    expect(ms).toBeLessThan(BACK_WITHIN_MS);
    await pause(1_000);
    for (const traffic of [there, back]) {
      await traffic.end();
      expect(traffic.failed).toEqual([]);
      expect(traffic.shown).toEqual([...new Set(traffic.shown)]);
      expect(traffic.shown).toHaveLength(traffic.sent);
    }
    expect(session.end).toBeUndefined();
    // They went on with the session that the dead replica began.
    expect(
      alice.heard.all('connected').map(([, { session: token }]) => token === undefined),
    ).toEqual([false, true]);
    await gateways.startReplica(0);
    await gateways.joined();
  });

  it('find a relay also when the replica is killed at which it was registered', async () => {
    const { gateways } = bed;
    await isLive(gateways, 3);
    const at = [0, 1, 2].find((each) =>
      gateways.replica(each).stderr.includes('"relay registered"'),
    );
    await gateways.killReplica(at!);
    await isLive(gateways, 2);
    await gateways.startReplica(at!);
    await gateways.joined();
    await isLive(gateways, 3);
    const [alice, bob] = await bed.pair('moved', [0, 2]);
    const traffic = new Traffic(alice, bob, 20);
    await pause(500);
    await traffic.end();
    expect(alice.heard.all('path').map(([, kind]) => kind)).toContain('relay-udp');
  });

  it('notice nothing of a rolling restart but a new connection', async () => {
    const { gateways } = bed;
    const [alice, bob] = await bed.pair('rolling', [0, 1]);
    const session = await alice.client.session(bob.client.fingerprint);
    const there = new Traffic(alice, bob, 50);
    const back = new Traffic(bob, alice, 50);
    for (const at of [0, 1, 2]) {
      await gateways.endReplica(at);
      await gateways.startReplica(at);
      await gateways.joined();
    }
    for (const traffic of [there, back]) {
      await traffic.end();
      expect(traffic.failed).toEqual([]);
      expect(traffic.shown).toHaveLength(traffic.sent);
    }
    expect(session.end).toBeUndefined();
    for (const { client, heard } of [alice, bob]) {
      expect(client.isConnected).toBe(true);
      expect(new Set(heard.all('away').map(([, why]) => why))).toEqual(new Set(['gateway-ends']));
    }
    // Who came late would meet a newcomer: both are found again.
    const carol = await bed.person('rolling-carol');
    await carol.client.ask(alice.client.fingerprint);
    await alice.heard.heard('contact-asks');
  });

  it('S3: keep their relayed session when all replicas are killed, until its lease expires', async () => {
    const { gateways } = bed;
    await isLive(gateways, 3);
    const [alice, bob] = await bed.pair('alone', [1, 2]);
    const session = await alice.client.session(bob.client.fingerprint);
    const expires = await expiryOfLeases([alice, bob]);
    expect(expires - Date.now()).toBeGreaterThan((LEASE_SECONDS / 2) * 1_000);
    await Promise.all([0, 1, 2].map((at) => gateways.killReplica(at)));
    const traffic = new Traffic(alice, bob, 500);
    await pause(expires - Date.now() - 5_000);
    const shown = traffic.shown.length;
    expect(shown).toBeGreaterThan(LEASE_SECONDS / 2);
    expect(traffic.acknowledged.length).toBeGreaterThan(shown - 5);
    expect(session.end).toBeUndefined();
    await pause(expires - Date.now() + 3_000);
    const atTheEnd = traffic.shown.length;
    await pause(3_000);
    expect(traffic.shown).toHaveLength(atTheEnd);
    expect(traffic.sent).toBeGreaterThan(atTheEnd);
    expect(bob.client.isConnected).toBe(false);
  });
});

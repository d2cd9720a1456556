import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Clock } from '../../src/runtime/clock.js';
import { ClientBed, type Person } from './client-bed.js';
import { TamperingRelay } from './client-tampering.js';
import { pause, until } from './relay-udp-endpoint.js';

const FRAMES = 400;
const TEXTS = 20;
const HANDSHAKES = 20;
/** One of so many datagrams, or handshakes, is changed: 5 %. */
const ONE_OF = 20;
/** Times of endpoints pass so much faster, so that a handshake that fails and the report of it take seconds. */
const HASTE = 6;
/** Endpoints report once a minute. */
const REPORTED_WITHIN_MS = 90_000;
/** Both sides of the session of the test before. */
const REPORTED_BEFORE = 2;
const SUITE = 'suite="Noise_XX_25519_ChaChaPoly_BLAKE2s"';

const hasty: Clock = {
  now: () => new Date(),
  monotonicMs: () => HASTE * performance.now(),
};

let bed: ClientBed;
let relay: TamperingRelay;
beforeAll(async () => {
  bed = await ClientBed.start(1, ({ rateLimits, ...settings }) => ({
    ...settings,
    rateLimits: { ...rateLimits, liveLeasesPerAccount: 64 },
  }));
  const [real] = bed.relays;
  relay = await TamperingRelay.open(real!.process.port);
  const place = { id: real!.rid, region: 'europe', address: '127.0.0.1', port: relay.port };
  await bed.gatewayFolder.writeRelays([place]);
});
afterAll(async () => {
  await bed.stop();
  await relay.close();
});

/** How often a person was told that somebody changes what `peer` sends. */
const failuresOf = (person: Person, peer: Person): number =>
  person.heard
    .all('encryption-failure')
    .filter(([fingerprint]) => fingerprint === peer.client.fingerprint).length;

describe('two people of whose datagrams 5 % are changed on the way', () => {
  it('S154: get every text once, hear no changed frame, and are told of each change, by whose it was', async () => {
    const [alice, bob] = await bed.pair();
    const session = await alice.client.session(bob.client.fingerprint);
    const answering = await bob.client.session(alice.client.fingerprint);
    relay.changes = (kind, nth) => kind === 'transport' && nth % ONE_OF === 0;
    for (let i = 0; i < FRAMES; i++) {
      for (const each of [session, answering]) each.send('call', Buffer.alloc(100, 7));
      if (i % (FRAMES / TEXTS) === 0) alice.client.send(bob.client.fingerprint, `text ${i}`);
      await pause(5);
    }
    await until('the texts are there', () => bob.heard.all('text').length === TEXTS, 60_000);
    relay.changes = () => false;
    await until('each change is told', () => {
      const told = failuresOf(bob, alice) + failuresOf(alice, bob);
      return told === relay.changed.transport;
    });
    for (const [one, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      expect(failuresOf(one, other)).toBeGreaterThanOrEqual(FRAMES / ONE_OF);
      const frames = one.heard.all('message').filter(([, channel]) => channel === 'call');
      for (const [, , bytes] of frames) expect(Buffer.alloc(100, 7).equals(bytes)).toBe(true);
      expect(frames.length).toBeGreaterThan(FRAMES / 2);
    }
    expect([alice, bob].flatMap(({ heard }) => heard.all('session-ended'))).toEqual([]);
    session.close();
  });
});

describe('couples of whose handshakes 5 % are changed on the way', () => {
  /** Opens a session both ways by turns and ends it, so many times; both have heard of each. */
  async function meet([one, other]: readonly [Person, Person], times: number): Promise<void> {
    const bothTold = (event: 'session' | 'session-ended', count: number): boolean =>
      [one, other].every(({ heard }) => heard.all(event).length === count);
    for (let i = 1; i <= times; i++) {
      const [from, to] = i % 2 === 0 ? [one, other] : [other, one];
      const session = await from.client.session(to.client.fingerprint);
      await until('both have it', () => bothTold('session', i));
      session.close();
      await until('both have ended', () => bothTold('session-ended', i));
    }
  }

  it('S28, S154: have the others, and the gateway counts each as it ended', async () => {
    const [carol, dave] = await bed.pair({ clock: hasty });
    relay.changes = (kind) => kind === 'handshake';
    await expect(carol.client.session(dave.client.fingerprint)).rejects.toMatchObject({
      code: 'ERR_CONTACT_NO_SESSION',
    });
    expect(relay.changed.handshake).toBeGreaterThan(0);
    relay.changes = () => false;
    await meet(await bed.pair(), HANDSHAKES - 1);
    const counted = async (outcome: string): Promise<number> => {
      const { body } = await bed.gateway.page('/metrics');
      const series = `sallyport_handshakes_total{outcome="${outcome}",`;
      const of = body.split('\n').filter((line) => line.startsWith(series) && line.includes(SUITE));
      return of.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    const isReported = async (): Promise<boolean> =>
      (await counted('success')) >= REPORTED_BEFORE + 2 * (HANDSHAKES - 1);
    const end = Date.now() + REPORTED_WITHIN_MS;
    while (!(await isReported()) && Date.now() < end) await pause(500);
    expect(await counted('success')).toBe(REPORTED_BEFORE + 2 * (HANDSHAKES - 1));
    expect(await counted('failure')).toBe(2);
  });
});

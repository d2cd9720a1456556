import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GatewayProcess } from './gateway-process.js';
import { ClientBed, type Person } from './client-bed.js';
import { until } from './relay-udp-endpoint.js';

let bed: ClientBed;
let alice: Person;
let bob: Person;
beforeAll(async () => {
  bed = await ClientBed.start(2);
  [alice, bob] = await bed.pair();
});
afterAll(async () => {
  await bed.stop();
});

/** Sends `text` and waits until the sender knows that it was delivered, and until it was shown once. */
async function delivers(from: Person, to: Person, text: string): Promise<void> {
  const id = from.client.send(to.client.fingerprint, text);
  await to.heard.heard('text', (_from, shown) => shown === text);
  await from.heard.heard('delivery', (each) => each.id === id && each.state === 'delivered');
  expect(to.heard.all('text').filter(([, shown]) => shown === text)).toHaveLength(1);
}

describe('two people who have accepted each other', () => {
  it('S205: exchange texts through gateway and relay, and each learns that they were delivered', async () => {
    await delivers(alice, bob, 'well met');
    await delivers(bob, alice, 'by moonlight');
    expect(bob.heard.all('refused')).toEqual([]);
    expect(alice.heard.all('path').map(([, kind]) => kind)).toContain('relay-udp');
  });

  it('have one safety number, and the mark of one who has compared it', async () => {
    const number = alice.client.safetyNumber(bob.client.fingerprint);
    expect(number).toMatch(/^(\d{5} ){11}\d{5}$/);
    expect(bob.client.safetyNumber(alice.client.fingerprint)).toBe(number);
    await alice.client.verify(bob.client.fingerprint);
    expect(alice.client.contacts[0]).toMatchObject({ verified: true, keyChanged: false });
    expect(bob.client.contacts[0]).toMatchObject({ verified: false });
  });

  it('have input and call frames on the same session', async () => {
    const session = await alice.client.session(bob.client.fingerprint);
    session.send('input', Buffer.from('key down'));
    await bob.heard.heard(
      'message',
      (_from, channel, bytes) => `${channel} ${Buffer.from(bytes).toString()}` === 'input key down',
    );
    session.send('call', Buffer.alloc(100, 7));
    await bob.heard.heard('message', (_from, channel) => channel === 'call');
    expect(alice.heard.all('session')).toHaveLength(1);
  });

  it('end up in one session when both begin at the same time', async () => {
    (await alice.client.session(bob.client.fingerprint)).close();
    await bob.heard.heard('session-ended');
    await Promise.all([delivers(alice, bob, 'me first'), delivers(bob, alice, 'no, me')]);
    const [one, other] = await Promise.all([
      alice.client.session(bob.client.fingerprint),
      bob.client.session(alice.client.fingerprint),
    ]);
    expect(Buffer.from(one.sessionId)).toEqual(Buffer.from(other.sessionId));
  });

  it('S3: keep their session while the gateway is away, and are back within 5 s of its return', async () => {
    await bed.gateway.kill();
    await alice.heard.heard('away');
    await delivers(alice, bob, 'nobody at the desk');
    bed.gateway = await GatewayProcess.ready(bed.gatewayFolder);
    const ready = performance.now();
    while (alice.heard.all('connected').length === 1 || bob.heard.all('connected').length === 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(performance.now() - ready).toBeLessThan(5_000);
    await delivers(bob, alice, 'welcome back');
  });

  it('move to another relay when theirs drains, and lose nothing', async () => {
    const session = await alice.client.session(bob.client.fingerprint);
    const from = session.relayId;
    const relay = bed.relays.find(({ rid }) => rid === from)!;
    const registered = () => bed.gateway.stderr.split('"relay registered"').length - 1;
    await until('both relays are back as well', () => registered() === 2);
    relay.process.child.kill('SIGTERM');
    for (let i = 0; i < 40; i++) {
      await delivers(alice, bob, `on the way ${i}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(session.relayId).not.toBe(from);
    await relay.process.ended;
    await delivers(bob, alice, 'arrived');
    expect(session.end).toBeUndefined();
  });

  it('S205: are told at once when the other is not there, and nothing waits for him', async () => {
    await bob.client.close();
    await alice.heard.heard('session-ended');
    const began = performance.now();
    const id = alice.client.send(bob.client.fingerprint, 'anybody home?');
    const [delivery] = await alice.heard.heard(
      'delivery',
      (each) => each.id === id && each.state === 'failed',
    );
    expect(delivery.reason).toBe('ERR_CONTACT_ABSENT');
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('know each other again after a restart, with the mark and without an introduction', async () => {
    const again = await bed.client(bob.file);
    await again.client.connect();
    await delivers(again, alice, 'I am back');
    expect(alice.client.contacts[0]).toMatchObject({ verified: true, state: 'accepted' });
    expect(alice.heard.all('contact-asks')).toEqual([]);
  });
});

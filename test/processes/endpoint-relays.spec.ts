import { afterEach, describe, expect, it } from '@jest/globals';
import type { RelayAddresses } from '../../src/client/relay-news.js';
import {
  aMeeting,
  handed,
  overUdp,
  RelayProcess,
  startEndpoint,
  type Meeting,
  type Program,
} from './endpoint-bed.js';
import { aLeaf } from './endpoint-leaf.js';
import type { EndpointCommand } from './endpoint-messages.js';
import { TestGateway } from './relay-udp-bed.js';

type EndpointProgram = Program<EndpointCommand>;

const SECOND = 'edge/eu/1';

const gateway = new TestGateway();
const toEnd: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of toEnd.splice(0).reverse()) await end();
});

async function twoRelays() {
  const [first, second] = await Promise.all([
    aLeaf().then((leaf) => RelayProcess.start(gateway, { leaf })),
    aLeaf().then((leaf) => RelayProcess.start(gateway, { leaf, relayId: SECOND })),
  ]);
  toEnd.push(() => Promise.all([first.program.stop(), second.program.stop()]));
  return { first, second };
}

async function twoEndpoints(meeting: Meeting, relay: RelayAddresses) {
  const alice = startEndpoint(meeting, 'client', { relay });
  const bob = startEndpoint(meeting, 'server', { relay });
  toEnd.push(() => Promise.all([alice.stop(), bob.stop()]));
  await Promise.all([alice.next('established'), bob.next('established')]);
  return { alice, bob };
}

/** Gives both a lease for the second relay, which is at `relay`. */
function move(
  meeting: Meeting,
  relay: RelayAddresses,
  alice: EndpointProgram,
  bob: EndpointProgram,
) {
  const lease = (role: 'client' | 'server') =>
    handed(gateway.lease(meeting.session, role, { rid: SECOND }));
  alice.tell({ do: 'add-relay', relay, lease: lease('client') });
  bob.tell({ do: 'add-relay', relay, lease: lease('server') });
}

/** Sends `text` and waits until it came and is acknowledged. */
async function say(from: EndpointProgram, to: EndpointProgram, text: string): Promise<void> {
  from.tell({ do: 'text', text });
  expect(await to.next('text')).toMatchObject({ text });
  await from.next('acknowledged', ({ channel }) => channel === 'chat');
}

const news = (program: EndpointProgram, type: string, relayId: string) =>
  program.next('relay', (event) => event['type'] === type && event['relayId'] === relayId);

describe('two endpoints that get leases for a second relay', () => {
  it('go from TLS at the one to TLS at the other, and lose no message', async () => {
    const { first, second } = await twoRelays();
    const meeting = aMeeting(gateway);
    const { alice, bob } = await twoEndpoints(meeting, { tls: first.tls });
    await say(alice, bob, 'at the first');
    bob.tell({ do: 'file', bytes: 3_000_000 });
    move(meeting, { tls: second.tls }, alice, bob);
    await Promise.all([alice, bob].map((program) => news(program, 'left', 'edge/eu/0')));
    await say(alice, bob, 'at the second');
    expect(await alice.next('file')).toMatchObject({ bytes: 3_000_000 });
    await first.program.stop();
    await say(bob, alice, 'without the first');
  });

  it('go from UDP at the one to TLS at the other', async () => {
    const { first, second } = await twoRelays();
    const meeting = aMeeting(gateway);
    const { alice, bob } = await twoEndpoints(meeting, overUdp(first.port));
    await say(alice, bob, 'over UDP');
    move(meeting, { tls: second.tls }, alice, bob);
    await Promise.all([alice, bob].map((program) => news(program, 'left', 'edge/eu/0')));
    await say(bob, alice, 'over TLS');
  });
});

describe('an endpoint that its relay refuses', () => {
  it('goes on at another one, where the peer follows', async () => {
    const { first, second } = await twoRelays();
    const meeting = aMeeting(gateway);
    const { alice, bob } = await twoEndpoints(meeting, overUdp(first.port));
    await say(alice, bob, 'before');
    first.program.tell({
      ...{ do: 'revoke', gateway: gateway.name },
      jti: [meeting.leases.client.claims.jti],
    });
    await first.program.next('revoked');
    alice.tell({ do: 'rebind' });
    await news(alice, 'refused', 'edge/eu/0');
    bob.tell({ do: 'text', text: 'meanwhile' });
    move(meeting, overUdp(second.port), alice, bob);
    expect(await alice.next('text')).toMatchObject({ text: 'meanwhile' });
    await Promise.all([alice, bob].map((program) => news(program, 'left', 'edge/eu/0')));
    await say(alice, bob, 'after');
  });
});

describe('a lease for a relay that an endpoint does not have', () => {
  it('ERR_ENDPOINT_RELAY: is no renewal', async () => {
    const { first } = await twoRelays();
    const meeting = aMeeting(gateway);
    const { alice, bob } = await twoEndpoints(meeting, overUdp(first.port));
    const lease = handed(gateway.lease(meeting.session, 'client', { rid: SECOND }));
    alice.tell({ do: 'renew', lease });
    expect(await alice.next('error')).toMatchObject({ code: 'ERR_ENDPOINT_RELAY' });
    await say(alice, bob, 'still there');
  });
});

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  aMeeting,
  handed,
  overUdp,
  startEndpoint,
  type Meeting,
  type Program,
} from './endpoint-bed.js';
import type { EndpointCommand, Traffic } from './endpoint-messages.js';
import {
  directoryGateway,
  POD,
  POOL_IDENTITY,
  RelayFolder,
  RelayProcess,
  TestAuthority,
} from './relay-shell-bed.js';
import { aSession, TestGateway } from './relay-udp-bed.js';
import { Endpoint, pause } from './relay-udp-endpoint.js';

type EndpointProgram = Program<EndpointCommand>;

/** Twice what the later of the two needs on a busy machine. */
const DRAIN_SECONDS = 20;
/** More than the talk needs: at the limits a relay drops, and this is about what moving loses. */
const LIMITS = { slimit: 400_000, hlimit: 800_000 };
const CAPACITY = { maxSessions: 100, softKbpsPerSession: 400_000, hardKbpsPerSession: 800_000 };
const RELAYS = ['edge/eu/0', 'edge/eu/1'] as const;

const authority = new TestAuthority();
const gateway = new TestGateway();
const toEnd: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of toEnd.splice(0).reverse()) await end();
});

async function aRelay(pod: string): Promise<RelayProcess> {
  const folder = await RelayFolder.make();
  toEnd.push(() => folder.remove());
  await folder.writeSettings((settings) => ({
    ...{ ...settings, capacity: CAPACITY },
    drain: { seconds: DRAIN_SECONDS },
  }));
  await folder.writeDirectory([directoryGateway('edge/main', [gateway.key()])]);
  await folder.writeLeaf(authority.leaf(POOL_IDENTITY));
  const relay = await RelayProcess.run(folder, { pod });
  toEnd.push(() => relay.kill());
  await relay.answers(200, /^ready$/m);
  return relay;
}

async function twoEndpoints(meeting: Meeting, port: number) {
  const start = { relay: overUdp(port) };
  const alice = startEndpoint(meeting, 'client', start);
  const bob = startEndpoint(meeting, 'server', start);
  toEnd.push(() => Promise.all([alice.stop(), bob.stop()]));
  await Promise.all([alice.next('established'), bob.next('established')]);
  return { alice, bob };
}

/** What a program does that was told to move: it gets a lease for the second relay and takes it. */
async function moves(
  program: EndpointProgram,
  meeting: Meeting,
  to: { readonly role: 'client' | 'server'; readonly port: number; readonly afterMs: number },
): Promise<void> {
  const news = await program.next('relay', ({ type }) => type === 'move');
  expect(news['relayId']).toBe(RELAYS[0]);
  await pause(to.afterMs);
  const lease = gateway.lease(meeting.session, to.role, { ...LIMITS, rid: RELAYS[1] });
  program.tell({ do: 'add-relay', relay: overUdp(to.port), lease: handed(lease) });
}

async function trafficOf(program: EndpointProgram): Promise<Traffic> {
  program.tell({ do: 'traffic' });
  return (await program.next('traffic'))['traffic'] as Traffic; // What endpoint-process.ts prints.
}

/** What `from` said and what `to` has of it, once that is the same or 10 s have passed. */
async function compared(from: EndpointProgram, to: EndpointProgram) {
  const { sent } = await trafficOf(from);
  let { got } = await trafficOf(to);
  for (let i = 0; i < 100 && JSON.stringify(got) !== JSON.stringify(sent); i++) {
    await pause(100);
    ({ got } = await trafficOf(to));
  }
  return { sent, got };
}

/** Who takes over a UDP port, and what it is sent. */
async function aStranger(port: number): Promise<{ readonly socket: Socket; received: number }> {
  const stranger = { socket: createSocket('udp4'), received: 0 };
  stranger.socket.on('message', () => stranger.received++);
  stranger.socket.bind(port, '127.0.0.1');
  await once(stranger.socket, 'listening');
  toEnd.push(() => {
    stranger.socket.close();
  });
  return stranger;
}

describe('two endpoints that talk while their relay is stopped', () => {
  it.each([
    ['at once', 0, 0],
    ['one 3 s after the other', 0, 3_000],
  ])(
    'T19: move to another relay (%s) and lose nothing of chat, file and call; the first ends before its grace is over',
    async (_, alicesMs, bobsMs) => {
      const [first, second] = [await aRelay(POD), await aRelay('eu-relay-1')];
      const meeting = aMeeting(gateway, LIMITS);
      const { alice, bob } = await twoEndpoints(meeting, first.port);
      for (const program of [alice, bob]) program.tell({ do: 'talk' });
      await pause(1_000);

      const stoppedMs = performance.now();
      first.child.kill('SIGTERM');
      const moving = [
        moves(alice, meeting, { role: 'client', port: second.port, afterMs: alicesMs }),
        moves(bob, meeting, { role: 'server', port: second.port, afterMs: bobsMs }),
      ];
      await first.answers(200, /^draining$/m);
      const late = await Endpoint.open(first.port);
      const refused = await late.prove(gateway.lease(aSession(), 'client'));
      late.close();
      expect([refused[2], refused[37]]).toEqual([0x26, 18]);

      await Promise.all(moving);
      const left = ({ type, relayId }: Record<string, unknown>) =>
        type === 'left' && relayId === RELAYS[0];
      await Promise.all([alice.next('relay', left), bob.next('relay', left)]);
      expect(await first.ended).toBe(0);
      expect(performance.now() - stoppedMs).toBeLessThan(DRAIN_SECONDS * 1_000);
      const stranger = await aStranger(first.port);
      await pause(1_500);

      for (const program of [alice, bob]) program.tell({ do: 'quiet' });
      for (const { sent, got } of [await compared(alice, bob), await compared(bob, alice)]) {
        expect(sent.call).toBeGreaterThan(300);
        expect(sent.file).toBeGreaterThan(150);
        expect(got).toEqual(sent);
      }
      expect(stranger.received).toBe(0);
      const ended = [alice, bob].flatMap(({ events }) => events.filter((e) => e.event === 'ended'));
      expect(ended).toEqual([]);
      expect(await second.metric('sallyport_relay_sessions{state="open"}')).toBe(1);
    },
    90_000,
  );
});

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { KeyStore } from '../../src/protocol/key-store.js';
import { SessionHandshake } from '../../src/protocol/session/session-handshake.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { anAccount } from '../identities.js';
import {
  ALICE_SEED,
  aMeeting,
  BOB_SEED,
  overUdp,
  RelayProcess,
  startEndpoint,
  type Meeting,
  type Program,
} from './endpoint-bed.js';
import type { EndpointCommand } from './endpoint-messages.js';
import { Recorder } from './endpoint-recorder.js';
import { forward, headerOf, TestGateway } from './relay-udp-bed.js';

const PROVE = 0x22;
const FORWARD = 0x10;

const gateway = new TestGateway();
let relay: RelayProcess;
let recorders: Recorder[] = [];
let endpoints: Program<EndpointCommand>[] = [];
let strangers: Socket[] = [];

beforeAll(async () => {
  relay = await RelayProcess.start(gateway);
});
afterEach(async () => {
  await Promise.all(endpoints.map((endpoint) => endpoint.stop()));
  for (const recorder of recorders) recorder.close();
  for (const socket of strangers) socket.close();
  [recorders, endpoints, strangers] = [[], [], []];
});
afterAll(async () => {
  await relay.program.stop();
});

/** Alice and Bob, each behind a recorder. */
async function aPair(meeting: Meeting) {
  const [ofAlice, ofBob] = [await Recorder.open(relay.port), await Recorder.open(relay.port)];
  recorders.push(ofAlice, ofBob);
  const start = () => {
    const alice = startEndpoint(meeting, 'client', { relay: overUdp(ofAlice.port) });
    const bob = startEndpoint(meeting, 'server', { relay: overUdp(ofBob.port) });
    endpoints.push(alice, bob);
    return { alice, bob };
  };
  return { ofAlice, ofBob, start };
}

/** Alice and Bob with a session. */
async function aTalk() {
  const meeting = aMeeting(gateway);
  const { start, ...more } = await aPair(meeting);
  const { alice, bob } = start();
  await Promise.all([alice.next('established'), bob.next('established')]);
  return { ...more, alice, bob, meeting };
}

async function aStranger(): Promise<{ socket: Socket; heard: Buffer[] }> {
  const socket = createSocket('udp4');
  const heard: Buffer[] = [];
  socket.on('message', (bytes) => heard.push(bytes));
  const listening = once(socket, 'listening');
  socket.bind(0, '127.0.0.1');
  await listening;
  strangers.push(socket);
  return { socket, heard };
}

async function arrives(
  from: Program<EndpointCommand>,
  to: Program<EndpointCommand>,
  text: string,
): Promise<void> {
  from.tell({ do: 'text', text });
  expect(await to.next('text')).toMatchObject({ text });
  await from.next('acknowledged');
}

describe('a relay that puts its own keys between two endpoints', () => {
  /** Mallory's side of a handshake with one of the two: any peer is welcome. */
  const mallorysSide = (meeting: Meeting, role: 'initiator' | 'responder', binding: Uint8Array) =>
    new SessionHandshake<string, never>({
      backend: nodeBackend,
      keys: new KeyStore(),
      role,
      parties: {
        profile: 'Standard',
        sessionId: meeting.session,
        initiatorIdentity: anAccount(ALICE_SEED).identity,
        responderIdentity: anAccount(BOB_SEED).identity,
        token: meeting.token,
      },
      staticKey: anAccount(0x30).s,
      binding,
      localIndex: 7,
      judgePeer: () => 'ok',
      random: (out) => {
        crypto.getRandomValues(out);
      },
      nowMs: 0,
    });

  it.each([
    ['its own binding', () => [anAccount(0x30), anAccount(0x30)], 'binding-other-identity'],
    [
      'the bindings of the two',
      () => [anAccount(BOB_SEED), anAccount(ALICE_SEED)],
      'binding-other-static-key',
    ],
  ] as const)(
    'T2: and shows %s is refused by both, which raise it at once and find each other when it lets them',
    async (_, shown, reason) => {
      const meeting = aMeeting(gateway);
      const { ofAlice, ofBob, start } = await aPair(meeting);
      const [toAlice, toBob] = shown();
      const asBob = mallorysSide(meeting, 'responder', toAlice!.binding);
      const asAlice = mallorysSide(meeting, 'initiator', toBob!.binding);
      const wrap = (bytes: Uint8Array) => forward(meeting.session, bytes);
      const relayed = (handshake: SessionHandshake<string, never>, bytes: Buffer): Uint8Array[] => {
        if (bytes[2] !== FORWARD) return [bytes];
        handshake.receive(bytes.subarray(20), 'path', 0);
        const answer = handshake.datagramToSend(0);
        return answer === undefined ? [] : [wrap(answer.datagram)];
      };
      ofAlice.tamper = (bytes, direction) => {
        if (direction === 'to-endpoint') return bytes[2] === FORWARD ? [] : [bytes];
        if (bytes[2] !== FORWARD) return [bytes];
        for (const answer of relayed(asBob, bytes)) ofAlice.inject(answer, 'to-endpoint');
        return [];
      };
      ofBob.tamper = (bytes, direction) => {
        if (direction === 'to-endpoint') return bytes[2] === FORWARD ? [] : [bytes];
        if (bytes[2] !== FORWARD) return [bytes];
        for (const answer of relayed(asAlice, bytes)) ofBob.inject(answer, 'to-endpoint');
        return [];
      };
      const { alice, bob } = start();
      await bob.next('relay', ({ type }) => type === 'proven');
      ofBob.inject(wrap(asAlice.datagramToSend(0)!.datagram), 'to-endpoint');
      for (const endpoint of [alice, bob]) {
        expect(await endpoint.next('encryption-failure')).toMatchObject({ total: 1 });
        endpoint.tell({ do: 'counts' });
        const counts = await endpoint.next('counts');
        expect(counts).toMatchObject({ refused: { [reason]: counts['encryptionFailures'] } });
        expect(endpoint.events.map(({ event }) => event)).not.toContain('established');
      }
      ofAlice.tamper = ofBob.tamper = (bytes) => [bytes];
      await Promise.all([alice.next('established'), bob.next('established')]);
      await arrives(alice, bob, 'without anybody in between');
    },
  );
});

describe('a thief of a lease', () => {
  it('T3: who shows a captured PROVE from another port gets nothing, and the talk goes on', async () => {
    const { ofAlice, alice, bob } = await aTalk();
    const before = await relay.statistics();
    const captured = ofAlice.datagrams('to-relay').filter((bytes) => bytes[2] === PROVE);
    expect(captured.length).toBeGreaterThan(0);
    const { socket, heard } = await aStranger();
    for (let i = 0; i < 20; i++) {
      socket.send(captured[i % captured.length]!, relay.port, '127.0.0.1');
      await arrives(alice, bob, `from Alice ${i}`);
      await arrives(bob, alice, `from Bob ${i}`);
    }
    const after = await relay.statistics();
    expect(after.drops.cookie - before.drops.cookie).toBe(20);
    expect(heard).toEqual([]);
  });

  it('T3: who shows it first, from another port within the same millisecond, gets nothing either', async () => {
    const meeting = aMeeting(gateway);
    const { ofAlice, start } = await aPair(meeting);
    const { socket, heard } = await aStranger();
    ofAlice.tamper = (bytes, direction) => {
      // The thief's datagram leaves before the victim's.
      if (direction === 'to-relay' && bytes[2] === PROVE)
        socket.send(bytes, relay.port, '127.0.0.1');
      return [bytes];
    };
    const { alice, bob } = start();
    await Promise.all([alice.next('established'), bob.next('established')]);
    await arrives(alice, bob, 'undisturbed');
    expect(heard).toEqual([]);
  });
});

describe('a stranger who knows a session id', () => {
  it('T13: diverts nothing by a FORWARD from a new address, while its holder moves by a new proof', async () => {
    const { ofAlice, alice, bob, meeting } = await aTalk();
    const before = await relay.statistics();
    const { socket, heard } = await aStranger();
    const captured = ofAlice.datagrams('to-relay').filter((bytes) => bytes[2] === FORWARD);
    for (const bytes of [captured.at(-1)!, headerOf(FORWARD, meeting.session)])
      socket.send(bytes, relay.port, '127.0.0.1');
    await arrives(bob, alice, 'still to Alice');
    expect(heard).toEqual([]);
    const after = await relay.statistics();
    expect(after.drops['wrong-address'] - before.drops['wrong-address']).toBe(2);
    // A way without a recorder in between: the relay sees the new port itself.
    alice.tell({ do: 'close' });
    const next = aMeeting(gateway);
    const [a, b] = (['client', 'server'] as const).map((role) =>
      startEndpoint(next, role, { relay: overUdp(relay.port) }),
    ) as [typeof alice, typeof bob];
    endpoints.push(a, b);
    await Promise.all([a.next('established'), b.next('established')]);
    const { udpPort } = await a.next('started');
    a.tell({ do: 'rebind' });
    expect((await a.next('rebound'))['udpPort']).not.toBe(udpPort);
    await arrives(b, a, 'to the new port');
    await arrives(a, b, 'from the new port');
    expect((await relay.statistics()).handshakes.rebound).toBeGreaterThan(0);
  });
});

describe('a lease that is over', () => {
  /** What a holder hears who proves the leases of `meeting` at `port` now. */
  async function outcome(meeting: Meeting, port: number) {
    const endpoint = startEndpoint(meeting, 'client', { relay: overUdp(port) });
    endpoints.push(endpoint);
    return endpoint.next('relay');
  }

  it('T4: is refused after BYE, after revocation and at another relay', async () => {
    const { alice, meeting } = await aTalk();
    alice.tell({ do: 'close' });
    await alice.next('closed');
    expect(await outcome(meeting, relay.port)).toMatchObject({ type: 'refused', reason: 'banned' });
    const revoked = aMeeting(gateway);
    const { jti } = revoked.leases.client.claims;
    relay.program.tell({ do: 'revoke', gateway: gateway.name, jti: [jti] });
    await relay.program.next('revoked');
    expect(await outcome(revoked, relay.port)).toMatchObject({ reason: 'banned' });
    const other = await RelayProcess.start(gateway, { relayId: 'edge/eu/1' });
    expect(await outcome(aMeeting(gateway), other.port)).toMatchObject({ reason: 'wrong-relay' });
    await other.program.stop();
  });

  it('T4: is worth nothing to a thief after a restart of the relay, and to its holder until its end only', async () => {
    const exp = Math.floor(Date.now() / 1_000) + 20;
    const meeting = aMeeting(gateway, { exp });
    const first = await RelayProcess.start(gateway);
    const recorder = await Recorder.open(first.port);
    recorders.push(recorder);
    endpoints.push(startEndpoint(meeting, 'client', { relay: overUdp(recorder.port) }));
    await endpoints[0]!.next('relay', ({ type }) => type === 'proven');
    await first.program.stop();
    const second = await RelayProcess.start(gateway);
    const { socket, heard } = await aStranger();
    for (const bytes of recorder.datagrams('to-relay').filter(([, , type]) => type === PROVE))
      socket.send(bytes, second.port, '127.0.0.1');
    await delay(Math.max(0, exp * 1_000 + 100 - Date.now()));
    expect(await outcome(meeting, second.port)).toMatchObject({ reason: 'expired' });
    expect(heard).toEqual([]);
    expect((await second.statistics()).drops.cookie).toBeGreaterThan(0);
    await second.program.stop();
  });
});

describe('an IPv4 address inside an IPv6 one', () => {
  it('T18: is the same peer: a relay that listens on IPv6 serves a holder on IPv4', async () => {
    const mapped = await RelayProcess.start(gateway, { addresses: ['::ffff:127.0.0.1'] });
    const meeting = aMeeting(gateway);
    const [a, b] = (['client', 'server'] as const).map((role) =>
      startEndpoint(meeting, role, { relay: overUdp(mapped.port) }),
    ) as [Program<EndpointCommand>, Program<EndpointCommand>];
    endpoints.push(a, b);
    await Promise.all([a.next('established'), b.next('established')]);
    await arrives(a, b, 'mapped');
    await mapped.program.stop();
  });
});

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BATCH_BOUNDS } from '../../src/relay/packet/statistics.js';
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
import { fileContent, type EndpointCommand, type EndpointStart } from './endpoint-messages.js';
import { Recorder } from './endpoint-recorder.js';
import { TestGateway } from './relay-udp-bed.js';

type EndpointProgram = Program<EndpointCommand>;

const FILE_BYTES = 30_000_000;
const MOVE_WITHIN_MS = 5_000;
/** What a move may take longer on a machine that does other things. */
const PATIENCE_MS = 3_000;

const gateway = new TestGateway();
const toEnd: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of toEnd.splice(0).reverse()) await end();
});

async function aRelay(changes: Parameters<typeof RelayProcess.start>[1] = {}) {
  const relay = await RelayProcess.start(gateway, { leaf: await aLeaf(), ...changes });
  toEnd.push(() => relay.program.stop());
  return relay;
}

async function aRecorder(port: number): Promise<Recorder> {
  const recorder = await Recorder.open(port);
  toEnd.push(() => {
    recorder.close();
  });
  return recorder;
}

/** Both sides of a meeting, established. */
async function twoEndpoints(
  meeting: Meeting,
  ofAlice: Pick<EndpointStart, 'relay'> & Partial<EndpointStart>,
  ofBob: typeof ofAlice = ofAlice,
) {
  const alice = startEndpoint(meeting, 'client', ofAlice);
  const bob = startEndpoint(meeting, 'server', ofBob);
  toEnd.push(async () => {
    await Promise.all([alice.stop(), bob.stop()]);
  });
  const [started] = await Promise.all([bob.next('started'), alice.next('started')]);
  await Promise.all([alice.next('established'), bob.next('established')]);
  return { alice, bob, bobPort: started['udpPort'] as number }; // What endpoint-process.ts prints.
}

/** Sends `text` and waits until it came and is acknowledged. */
async function say(from: EndpointProgram, to: EndpointProgram, text: string): Promise<void> {
  from.tell({ do: 'text', text });
  expect(await to.next('text')).toMatchObject({ text });
  await from.next('acknowledged', ({ channel }) => channel === 'chat');
}

const onPath = (kind: string, ...programs: EndpointProgram[]) =>
  Promise.all(programs.map((program) => program.next('path', (event) => event['kind'] === kind)));

describe('two endpoints that allow a direct path, while a file is on its way', () => {
  it('move to it within 5 s, and back to the relay when it goes silent, and lose and double nothing', async () => {
    const relay = await aRelay();
    const direct = { relay: overUdp(relay.port), pathPolicy: 'DirectAllowed' as const };
    const { alice, bob, bobPort } = await twoEndpoints(aMeeting(gateway), direct);
    await onPath('relay-udp', alice, bob);
    const between = await aRecorder(bobPort);

    alice.tell({ do: 'file', bytes: FILE_BYTES });
    const begunMs = performance.now();
    alice.tell({ do: 'candidate', address: '127.0.0.1', port: between.port });
    const texts = Array.from({ length: 40 }, (_, i) => `text ${i}`);
    for (const text of texts.slice(0, 20)) alice.tell({ do: 'text', text });
    await onPath('direct', alice, bob);
    expect(performance.now() - begunMs).toBeLessThan(MOVE_WITHIN_MS + PATIENCE_MS);

    let passed = 0;
    let cutMs = Infinity;
    between.tamper = (bytes) => {
      if (++passed < 2_000) return [bytes];
      cutMs = Math.min(cutMs, performance.now());
      return [];
    };
    for (const text of texts.slice(20)) alice.tell({ do: 'text', text });
    await onPath('relay-udp', alice, bob);
    expect(performance.now() - cutMs).toBeLessThan(MOVE_WITHIN_MS + PATIENCE_MS);

    const hash = createHash('sha256');
    for (const message of fileContent(FILE_BYTES)) hash.update(message);
    const file = { event: 'file', bytes: FILE_BYTES, sha256: hash.digest('hex') };
    expect(await bob.next('file')).toEqual(file);
    await alice.next('acknowledged', ({ channel }) => channel === 'file');
    await alice.next('acknowledged', ({ id }) => id === texts.length - 1);
    const got = bob.events.filter(({ event }) => event === 'text').map(({ text }) => text);
    expect(got).toEqual(texts);
    expect([alice, bob].flatMap(({ events }) => events.filter((e) => e.event === 'ended'))).toEqual(
      [],
    );

    between.tamper = (bytes) => [bytes];
    alice.tell({ do: 'candidate', address: '127.0.0.1', port: between.port });
    await onPath('direct', alice, bob);
    await say(bob, alice, 'direct again');
  });

  it('leave it both within 5 s when it is dead in one direction only', async () => {
    const relay = await aRelay();
    const direct = { relay: overUdp(relay.port), pathPolicy: 'DirectAllowed' as const };
    const { alice, bob, bobPort } = await twoEndpoints(aMeeting(gateway), direct);
    await onPath('relay-udp', alice, bob);
    const between = await aRecorder(bobPort);
    alice.tell({ do: 'candidate', address: '127.0.0.1', port: between.port });
    await onPath('direct', alice, bob);
    between.tamper = (bytes, direction) => (direction === 'to-relay' ? [] : [bytes]);
    const cutMs = performance.now();
    alice.tell({ do: 'text', text: 'into the void' });
    bob.tell({ do: 'file', bytes: 5_000_000 });
    await onPath('relay-udp', alice, bob);
    expect(performance.now() - cutMs).toBeLessThan(MOVE_WITHIN_MS + PATIENCE_MS);
    expect(await bob.next('text')).toMatchObject({ text: 'into the void' });
    expect(await alice.next('file')).toMatchObject({ bytes: 5_000_000 });
    await say(bob, alice, 'and back');
  });
});

describe('endpoints on a network that drops UDP', () => {
  it('meet over TLS on 5349, both of them, and return to UDP when it works', async () => {
    const relay = await aRelay();
    const blocked = [await aRecorder(relay.port), await aRecorder(relay.port)] as const;
    for (const recorder of blocked) recorder.tamper = () => [];
    const { alice, bob } = await twoEndpoints(
      aMeeting(gateway),
      { relay: { ...overUdp(blocked[0].port), tls: relay.tls } },
      { relay: { ...overUdp(blocked[1].port), tls: relay.tls } },
    );
    await onPath('relay-tls', alice, bob);
    await say(alice, bob, 'over TLS');
    await say(bob, alice, 'likewise');
    blocked[0].tamper = (bytes) => [bytes];
    alice.tell({ do: 'rebind' });
    await onPath('relay-udp', alice);
    await say(alice, bob, 'over UDP to TLS');
    await say(bob, alice, 'and over TLS to UDP');
  });

  it('connect again when the connection is lost, and lose no message', async () => {
    const relay = await aRelay();
    const tunnel = await aTunnel(relay.tls.port);
    const { alice, bob } = await twoEndpoints(
      aMeeting(gateway),
      { relay: { tls: { ...relay.tls, port: tunnel.port } } },
      { relay: overUdp(relay.port) },
    );
    await onPath('relay-tls', alice);
    await say(alice, bob, 'before');
    tunnel.cut();
    alice.tell({ do: 'text', text: 'meanwhile' });
    await alice.next('relay', ({ type }) => type === 'unreachable');
    await onPath('relay-tls', alice);
    expect(await bob.next('text')).toMatchObject({ text: 'meanwhile' });
    await say(bob, alice, 'after');
  });
});

/** A TCP tunnel to `port` whose connections can be cut. */
async function aTunnel(port: number) {
  const sockets = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = connect(port, '127.0.0.1');
    for (const socket of [inner, outer]) sockets.add(socket.on('error', () => undefined));
    inner.pipe(outer).pipe(inner);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  toEnd.push(() => {
    cut();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, cut };
}

describe('an endpoint with a proven lease', () => {
  it('proves a newer one, and either from another port, and the session goes on', async () => {
    const relay = await aRelay();
    const iat = Math.floor(Date.now() / 1_000) - 10;
    const meeting = aMeeting(gateway, { iat, nbf: iat });
    const { alice, bob } = await twoEndpoints(meeting, { relay: overUdp(relay.port) });
    await alice.next('relay', ({ type }) => type === 'proven');
    await say(alice, bob, 'first lease');
    alice.tell({ do: 'rebind' });
    await alice.next('relay', ({ type }) => type === 'proven');
    await say(bob, alice, 'first lease, other port');
    alice.tell({ do: 'renew', lease: handed(gateway.lease(meeting.session, 'client')) });
    await alice.next('relay', ({ type }) => type === 'proven');
    await say(bob, alice, 'second lease');
    alice.tell({ do: 'rebind' });
    await alice.next('relay', ({ type }) => type === 'proven');
    await say(bob, alice, 'second lease, other port');
    alice.tell({ do: 'renew', lease: handed(meeting.leases.client) });
    const refused = await alice.next('relay', ({ type }) => type === 'refused');
    expect(refused['reason']).toBe('superseded');
  });
});

describe('endpoints with IPv6 addresses', () => {
  it('meet at a relay on ::1, and directly', async () => {
    const relay = await aRelay({ addresses: ['::1'] });
    const start = {
      relay: { udp: { address: '0:0:0:0:0:0:0:1', port: relay.port } },
      bind: '::1',
      pathPolicy: 'DirectAllowed' as const,
    };
    const { alice, bob, bobPort } = await twoEndpoints(aMeeting(gateway), start);
    await onPath('relay-udp', alice, bob);
    await say(alice, bob, 'by the relay');
    alice.tell({ do: 'candidate', address: '::1', port: bobPort });
    await onPath('direct', alice, bob);
    await say(bob, alice, 'directly');
  });
});

describe('an endpoint that sends bulk', () => {
  it('hands it to the kernel in bursts, which reach the relay as such', async () => {
    const relay = await aRelay();
    const { alice, bob } = await twoEndpoints(aMeeting(gateway), { relay: overUdp(relay.port) });
    alice.tell({ do: 'file', bytes: 5_000_000 });
    await bob.next('file');
    const { segments } = await relay.statistics();
    const datagrams = 5_000_000 / 1_157;
    // Of datagrams that came together, by the upper bound of how many: single ones are the first.
    const together = segments.slice(1).reduce((sum, count) => sum + count, 0);
    expect(BATCH_BOUNDS[0]).toBe(1);
    expect(together).toBeGreaterThan(datagrams / 16 / 2);
  });
});

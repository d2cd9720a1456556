import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMeeting, overUdp, RelayProcess, startEndpoint, type Program } from './endpoint-bed.js';
import { keysFromPublic, keysFromStatics, transportDatagrams } from './endpoint-capture.js';
import { openedBy, tryMemory } from './endpoint-guesses.js';
import { aLeaf } from './endpoint-leaf.js';
import { fileContent, type EndpointCommand } from './endpoint-messages.js';
import { Recorder } from './endpoint-recorder.js';
import { copiesIn } from './process-memory.js';
import { TestGateway } from './relay-udp-bed.js';

const FILE_BYTES = 3_000_000;
const CANARY = 'canary: nobody between us reads this';
/** FORWARD and session header, and the tag, around each size of a plaintext. */
const FRAME_BYTES = [256, 512, 1_180].map((plaintext) => 20 + 16 + plaintext + 16);
const KEY_BYTES = 32;
const AFTER_CLOSE_MS = 1_000;

const gateway = new TestGateway();
const folder = mkdtempSync(join(tmpdir(), 'endpoints-'));

/** The session's keys as the endpoint's own process wrote them. */
async function keysOf(endpoint: Program<EndpointCommand>, file: string): Promise<Buffer[]> {
  endpoint.tell({ do: 'keys' });
  await endpoint.next('keys-written');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const bytes = readFileSync(file);
  rmSync(file);
  const keys = new Set<string>();
  for (let at = 0; at < bytes.length; at += KEY_BYTES)
    keys.add(bytes.toString('hex', at, at + KEY_BYTES));
  return [...keys].map((key) => Buffer.from(key, 'hex'));
}

const named = (keys: readonly Buffer[]): Map<string, Buffer> =>
  new Map(keys.map((key, i) => [`key ${i}`, key]));

/** A packet of each direction: what keys are tried on when there are many. */
const sampleOf = (packets: readonly Buffer[]): Buffer[] => {
  const receivers = [...new Set(packets.map((packet) => packet.readUInt32BE(8)))];
  return receivers.flatMap((index) =>
    packets.filter((packet) => packet.readUInt32BE(8) === index).slice(0, 1),
  );
};

describe.each([
  ['UDP', 'sodium'],
  ['UDP', 'node'],
  ['TLS on 5349', 'sodium'],
] as const)('two endpoints, the first on %s with the %s back end', (way, backend) => {
  const meeting = aMeeting(gateway);
  const keysFile = join(folder, `${way} ${backend}`.replaceAll(' ', '-'));
  let relay: RelayProcess;
  let recorders: Recorder[];
  let alice: Program<EndpointCommand>;
  let bob: Program<EndpointCommand>;

  beforeAll(async () => {
    relay = await RelayProcess.start(gateway, { leaf: await aLeaf() });
    recorders = [await Recorder.open(relay.port), await Recorder.open(relay.port)];
    const [ofAlice, ofBob] = recorders as [Recorder, Recorder];
    const first = way === 'UDP' ? overUdp(ofAlice.port) : { tls: relay.tls };
    alice = startEndpoint(meeting, 'client', { relay: first, backend, keysFile });
    bob = startEndpoint(meeting, 'server', { relay: overUdp(ofBob.port), backend });
    await Promise.all([alice.next('established'), bob.next('established')]);
  });
  afterAll(async () => {
    await Promise.all([alice.stop(), bob.stop(), relay.program.stop()]);
    for (const recorder of recorders) recorder.close();
  });

  /** Everything that Bob and the relay sent each other: the relay changes nothing, so Alice's datagrams are in it. */
  const capture = () => recorders[1]!;

  it('S2, S12: exchange text and a file, which arrive whole and are acknowledged', async () => {
    alice.tell({ do: 'text', text: CANARY });
    expect(await bob.next('text')).toMatchObject({ channel: 'chat', text: CANARY });
    expect(await alice.next('acknowledged')).toMatchObject({ channel: 'chat', id: 0 });
    bob.tell({ do: 'text', text: CANARY });
    expect(await alice.next('text')).toMatchObject({ text: CANARY });
    alice.tell({ do: 'file', bytes: FILE_BYTES });
    const hash = createHash('sha256');
    for (const message of fileContent(FILE_BYTES)) hash.update(message);
    const sha256 = hash.digest('hex');
    expect(await bob.next('file')).toEqual({ event: 'file', bytes: FILE_BYTES, sha256 });
    await alice.next('acknowledged', ({ channel }) => channel === 'file');
    const kind = way === 'UDP' ? 'relay-udp' : 'relay-tls';
    expect(await alice.next('path')).toMatchObject({ kind });
  });

  it('T1, S2: are recorded, and nothing public opens one packet', () => {
    const packets = transportDatagrams(capture());
    expect(packets.length).toBeGreaterThan(FILE_BYTES / 1_180);
    for (const { bytes } of capture().seen) expect(bytes.includes(CANARY)).toBe(false);
    const keys = keysFromPublic(meeting, capture());
    expect(keys.length).toBeGreaterThan(3_000);
    expect(openedBy(keys, sampleOf(packets))).toBe(0);
    // Keys by themselves, and each on every packet.
    expect(openedBy(keys.slice(0, 3), packets)).toBe(0);
  });

  // Once is enough: here the relay has both ways in use.
  if (way !== 'UDP')
    it('T1, S2: leave in the memory of the relay no text and nothing that opens a packet; an endpoint has it', () => {
      const packets = sampleOf(transportDatagrams(capture()));
      const text = new Map([['canary', Buffer.from(CANARY)]]);
      expect(copiesIn(relay.program.pid, text)).toEqual([]);
      const ofRelay = tryMemory(relay.program.pid, packets);
      expect(ofRelay.tried).toBeGreaterThan(1_000);
      expect(ofRelay.opened).toBe(0);
      expect(tryMemory(bob.pid, packets).opened).toBeGreaterThanOrEqual(packets.length);
    });

  it('T46, S60: are not read later by who finds the static keys of both', () => {
    const packets = transportDatagrams(capture());
    const keys = keysFromStatics(meeting, capture());
    expect(openedBy(keys, sampleOf(packets))).toBe(0);
  });

  it('T43, S65: show datagrams of three sizes beside the handshake', () => {
    const sizes = new Set(
      capture()
        .seen.map(({ bytes }) => bytes)
        .filter((bytes) => bytes[2] === 0x10 && bytes[20 + 12] === 4)
        .map((bytes) => bytes.length),
    );
    expect([...sizes].filter((size) => !FRAME_BYTES.includes(size))).toEqual([]);
    expect(sizes.has(FRAME_BYTES[2]!)).toBe(true);
  });

  it('T18: send no UDP payload above 1,232 bytes', () => {
    const longest = Math.max(...recorders.flatMap(({ seen }) => seen.map((s) => s.bytes.length)));
    expect(longest).toBe(1_232);
  });

  it('T46, S60: hold the session keys while it is open and no copy of them a second after it is closed', async () => {
    const keys = await keysOf(alice, keysFile);
    const packets = transportDatagrams(capture());
    expect(openedBy(keys, packets)).toBe(packets.length);
    const found = copiesIn(alice.pid, named(keys)).map((copy) => copy.split(' in ')[0]);
    expect(new Set(found)).toEqual(new Set(named(keys).keys()));
    // A search stops this process, and the recorders with it: the way is open again when a message went through.
    alice.tell({ do: 'text', text: 'still here' });
    expect(await bob.next('text')).toMatchObject({ text: 'still here' });
    alice.tell({ do: 'close' });
    await alice.next('closed');
    expect(await bob.next('ended')).toMatchObject({ end: 'closed-by-peer' });
    await delay(AFTER_CLOSE_MS);
    expect(copiesIn(alice.pid, named(keys))).toEqual([]);
    expect(copiesIn(bob.pid, named(keys))).toEqual([]);
  });

  it('ERR_ENDPOINT_CLOSED: is what a caller hears afterwards', async () => {
    alice.tell({ do: 'text', text: 'late' });
    expect(await alice.next('error')).toMatchObject({ code: 'ERR_ENDPOINT_CLOSED' });
  });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

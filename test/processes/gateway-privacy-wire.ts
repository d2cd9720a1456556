/*
 * To be run as root in an empty network namespace: the day of gateway-privacy-day.ts while tcpdump hears all of it. Tells
 * as one line of JSON what an observer of the wire can read, and which secrets and names of people stand there.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePaseto } from '../../src/protocol/lease/paseto.js';
import { decodeProve } from '../../src/protocol/relay/admission.js';
import { RelayType } from '../../src/protocol/relay/header.js';
import { PrivacyDay } from './gateway-privacy-day.js';
import { recordsOf, serverNames } from './wire-tls.js';
import { Capture, type Datagram, type Wire } from './wire-capture.js';

const RELAY_HEADER_BYTES = 20;

/** What the spec reads. */
export interface SeenOnWire {
  readonly packets: number;
  readonly dropped: number;
  readonly others: number;
  /** `tcp NAME` or `udp NAME` of everything that was spoken, by who listens; a port that is nobody's is `tcp 1234`. */
  readonly flows: readonly string[];
  /** Types of TLS records by flow, and how many bytes of a stream were no record. */
  readonly records: Readonly<Record<string, readonly number[]>>;
  readonly noRecords: number;
  /** Names in the clear of TLS handshakes. */
  readonly serverNames: readonly string[];
  /** Lengths of the datagrams between endpoints and relay, by the type of the frame in hexadecimal digits. */
  readonly lengths: Readonly<Record<string, readonly number[]>>;
  /** Names of the claims in leases, which anybody on the way can read. */
  readonly claims: readonly string[];
  /** `what` of every secret, text, name or id of a person that stands anywhere. */
  readonly found: readonly string[];
  /** That the search works: what must be found. */
  readonly control: readonly string[];
}

const unique = <Value>(values: readonly Value[]): Value[] => [...new Set(values)];
const numerically = (a: number, b: number): number => a - b;

/** Who listens where. */
function listenersOf({ bed: { gateway, relays } }: PrivacyDay): ReadonlyMap<number, string> {
  const { listeners } = gateway.settings;
  const [relay] = relays;
  const ofRelay = relay!.process.settings!.listeners;
  return new Map([
    [listeners.public.port, 'gateway'],
    [listeners.internal.port, 'registry'],
    [listeners.health.port, 'health'],
    [ofRelay.relay.port, 'relay'],
    [ofRelay.fallback.port, 'fallback'],
    [ofRelay.health.port, 'health'],
  ]);
}

/** The texts and bytes that nobody on the way may find, by what they are. */
function secretsOf(day: PrivacyDay): ReadonlyMap<string, readonly Buffer[]> {
  const forms = (bytes: Uint8Array): Buffer[] => {
    const raw = Buffer.from(bytes);
    // The last of 43 characters stands for four bits more; what is in the middle of a text is found without it.
    const texts = [raw.toString('hex'), raw.toString('base64url').slice(0, -1)];
    return [raw, ...texts.map((text) => Buffer.from(text))];
  };
  const text = (value: string): Buffer[] => [Buffer.from(value), Buffer.from(value, 'utf16le')];
  return new Map([
    ...[...day.keys()].map(([what, key]) => [`private key: ${what}`, forms(key)] as const),
    ...[...day.contents, ...day.names].map(([what, value]) => [what, text(value)] as const),
    ...day.people.flatMap((person, at) => [
      [`account of ${at}`, forms(person.file.identity.account)] as const,
      [`binding of ${at}`, forms(person.file.identity.bindingBytes)] as const,
      ...day.textsOf(person).map((id) => [`a name of ${at} at the gateway`, text(id)] as const),
    ]),
  ]);
}

/** What of `secrets` stands in the bytes on the wire, or in what a reader of leases reads. */
function foundIn(
  wire: Wire,
  leases: readonly Buffer[],
  secrets: ReadonlyMap<string, readonly Buffer[]>,
) {
  const places = [...wire.datagrams, ...wire.streams].map(({ bytes }) => bytes).concat(leases);
  const stands = (bytes: Buffer): boolean => places.some((place) => place.includes(bytes));
  return unique([...secrets].filter(([, forms]) => forms.some(stands)).map(([what]) => what));
}

/** The claims of every lease that an endpoint showed a relay. */
function leasesIn(datagrams: readonly Datagram[]): Buffer[] {
  return datagrams.flatMap(({ bytes }) => {
    const prove = bytes[2] === RelayType.prove ? decodeProve(bytes) : 'another';
    const paseto = typeof prove === 'string' ? prove : parsePaseto(prove.token, prove.token.length);
    return typeof paseto === 'string' ? [] : [Buffer.from(paseto.payload)];
  });
}

/**
 * The frames in what was heard at once. What is sent in one call (UDP_SEGMENT) is cut by the kernel behind the place where
 * tcpdump hears it; each part begins with the header of the same session.
 */
function framesIn({ bytes }: Datagram): Buffer[] {
  const header = bytes.subarray(0, RELAY_HEADER_BYTES);
  const next = bytes.indexOf(header, RELAY_HEADER_BYTES);
  if (next < 0) return [bytes];
  const rest = { from: 0, to: 0, bytes: bytes.subarray(next) };
  return [bytes.subarray(0, next), ...framesIn(rest)];
}

function lengthsOf(datagrams: readonly Datagram[]): Record<string, number[]> {
  const frames = datagrams.flatMap(framesIn);
  const types = unique(frames.map((bytes) => bytes[2]!)).sort(numerically);
  const of = (type: number): number[] =>
    frames.filter((bytes) => bytes[2] === type).map(({ length }) => length);
  return Object.fromEntries(
    types.map((type) => [type.toString(16), unique(of(type)).sort(numerically)]),
  );
}

function judge(day: PrivacyDay, wire: Wire): SeenOnWire {
  const listeners = listenersOf(day);
  const listenerOf = ({ from, to }: Datagram): string =>
    listeners.get(to) ?? listeners.get(from) ?? `${to}`;
  const tls = wire.streams.filter((stream) => listenerOf(stream) !== 'health');
  const records = tls.map((stream) => ({ flow: listenerOf(stream), ...recordsOf(stream.bytes) }));
  const flows = unique(records.map(({ flow }) => flow)).sort();
  const leases = leasesIn(wire.datagrams);
  const claims = leases.map((lease) => JSON.parse(lease.toString()) as { readonly sid: string });
  const sids = unique(claims.map(({ sid }) => sid));
  const control = new Map<string, readonly Buffer[]>([
    ['a session id in a lease', sids.map((sid) => Buffer.from(sid))],
    ['the name of the host', [Buffer.from('localhost')]],
    ['a session id in a header', sids.map((sid) => Buffer.from(sid, 'base64url'))],
  ]);
  return {
    packets: wire.packets,
    dropped: wire.dropped,
    others: wire.others,
    flows: unique([
      ...wire.streams.map((stream) => `tcp ${listenerOf(stream)}`),
      ...wire.datagrams.map((datagram) => `udp ${listenerOf(datagram)}`),
    ]).sort(),
    records: Object.fromEntries(
      flows.map((flow) => {
        const of = records.filter((one) => one.flow === flow).flatMap(({ types }) => types);
        return [flow, unique(of).sort(numerically)];
      }),
    ),
    noRecords: records.reduce((sum, { rest }) => sum + rest, 0),
    serverNames: unique(tls.flatMap(({ bytes }) => serverNames(bytes))),
    lengths: lengthsOf(wire.datagrams),
    claims: unique(claims.flatMap((each) => Object.keys(each))).sort(),
    found: foundIn(wire, leases, secretsOf(day)),
    control: foundIn(wire, leases, control),
  };
}

execFileSync('ip', ['link', 'set', 'lo', 'up']);
const folder = await mkdtemp(join(tmpdir(), 'sallyport-wire-'));
const capture = await Capture.start(folder);
const day = await PrivacyDay.start();
try {
  await day.warmUp();
  await day.meet();
  await day.visits();
  await day.partings();
  process.stdout.write(`${JSON.stringify(judge(day, await capture.stop()))}\n`);
} finally {
  await day.stop();
  await rm(folder, { recursive: true });
}

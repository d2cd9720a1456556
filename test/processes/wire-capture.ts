/*
 * All that goes over the loopback interface of a network namespace, recorded by tcpdump of the distribution, and read back
 * from its file (pcap-savefile(5), Ethernet): datagrams of UDP, and what each side of a TCP connection said, in order.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianTree } from '../debian/packages.js';
import { pause, until } from './relay-udp-endpoint.js';

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const ETHERNET_BYTES = 14;
const IPV4 = 0x0800;
const TCP = 6;
const UDP = 17;
/** tcpdump hands on what it has within this time. */
const FLUSH_MS = 2_000;

/** One datagram of UDP. */
export interface Datagram {
  readonly from: number;
  readonly to: number;
  readonly bytes: Buffer;
}

/** What one side of a connection said. */
export interface Stream extends Datagram {
  /** `ADDRESS:PORT ADDRESS:PORT` of who speaks and of who listens. */
  readonly name: string;
}

/** What was on the wire. */
export interface Wire {
  readonly packets: number;
  /** Packets that the kernel could not keep for tcpdump. */
  readonly dropped: number;
  /** Neither TCP nor UDP over IPv4. */
  readonly others: number;
  readonly datagrams: readonly Datagram[];
  readonly streams: readonly Stream[];
}

/** A recording that runs. */
export class Capture {
  #said = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly file: string,
  ) {
    child.stderr?.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
  }

  /** Begins to record into a file of `folder`. */
  static async start(folder: string): Promise<Capture> {
    const { root, env } = debianTree(['tcpdump']);
    const file = join(folder, 'wire.pcap');
    const program = join(root, 'usr/bin/tcpdump');
    const words = ['-i', 'lo', '-n', '-U', '-B', '65536', '-Z', 'root', '-w', file];
    const child = spawn(program, words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    const capture = new Capture(child, file);
    await until('tcpdump listens', () => capture.#said.includes('listening on lo'));
    return capture;
  }

  /** Ends the recording, and reads it. */
  async stop(): Promise<Wire> {
    await pause(FLUSH_MS);
    const ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGINT');
    await ended;
    const dropped = /(\d+) packets? dropped by kernel/.exec(this.#said)?.[1];
    return { ...readWire(readFileSync(this.file)), dropped: Number(dropped) };
  }
}

interface Segment {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly sequence: number;
  readonly begins: boolean;
  readonly bytes: Buffer;
}

function readWire(file: Buffer): Omit<Wire, 'dropped'> {
  const datagrams: Datagram[] = [];
  const segments = new Map<string, Segment[]>();
  let [packets, others] = [0, 0];
  for (const frame of framesOf(file)) {
    packets++;
    const packet = frame.subarray(ETHERNET_BYTES);
    const isIpv4 = frame.readUInt16BE(ETHERNET_BYTES - 2) === IPV4;
    if (isIpv4 && packet[9] === UDP) datagrams.push(datagramOf(packet));
    else if (isIpv4 && packet[9] === TCP) {
      const segment = segmentOf(packet);
      segments.set(segment.name, [...(segments.get(segment.name) ?? []), segment]);
    } else others++;
  }
  return { packets, others, datagrams, streams: [...segments.values()].map(streamOf) };
}

function* framesOf(file: Buffer): Generator<Buffer> {
  let at = FILE_HEADER_BYTES;
  while (at + RECORD_HEADER_BYTES <= file.length) {
    const length = file.readUInt32LE(at + 8);
    at += RECORD_HEADER_BYTES;
    yield file.subarray(at, at + length);
    at += length;
  }
}

const headerBytes = (packet: Buffer): number => 4 * (packet[0]! & 0x0f);

function datagramOf(packet: Buffer): Datagram {
  const udp = packet.subarray(headerBytes(packet), packet.readUInt16BE(2));
  return { from: udp.readUInt16BE(0), to: udp.readUInt16BE(2), bytes: udp.subarray(8) };
}

function segmentOf(packet: Buffer): Segment {
  const tcp = packet.subarray(headerBytes(packet), packet.readUInt16BE(2));
  const [from, to] = [tcp.readUInt16BE(0), tcp.readUInt16BE(2)];
  const address = (at: number): string => packet.subarray(at, at + 4).join('.');
  return {
    name: `${address(12)}:${from} ${address(16)}:${to}`,
    ...{ from, to, sequence: tcp.readUInt32BE(4) },
    begins: (tcp[13]! & 0x02) !== 0,
    bytes: tcp.subarray(4 * (tcp[12]! >>> 4)),
  };
}

/** The segments of one direction in order, each byte once. A port that was used twice gives two runs, one behind the other. */
function streamOf(segments: readonly Segment[]): Stream {
  const [first] = segments as readonly [Segment, ...Segment[]];
  const parts: Buffer[] = [];
  let next = first.sequence;
  for (const { sequence, begins, bytes } of segments) {
    if (begins) next = (sequence + 1) >>> 0;
    const repeated = (next - sequence) | 0;
    if (begins || bytes.length === 0 || repeated >= bytes.length) continue;
    parts.push(bytes.subarray(Math.max(0, repeated)));
    next = (sequence + bytes.length) >>> 0;
  }
  return { name: first.name, from: first.from, to: first.to, bytes: Buffer.concat(parts) };
}

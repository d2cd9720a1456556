/*
 * To be run as root in an empty network namespace (`unshare -n`): two veth pairs to a second namespace with peers, a
 * relay in this one. It tells what the peers heard as one line of JSON. Both namespaces end with their processes,
 * whatever happens; not a byte leaves them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseIpAddress } from '../../src/runtime/ip-address.js';
import { newAddress, setAddress } from '../../src/relay/packet/address.js';
import { bindSocket } from '../../src/relay/socket/bound-fd.socket.js';
import { loadKernel } from '../../src/runtime/kernel.library.js';
import { SOCKET } from '../../src/relay/socket/native-layout.js';
import type { SocketKind } from '../../src/relay/packet/packet-messages.js';
import { newStatistics, readStatistics } from '../../src/relay/packet/statistics.js';
import { KoffiSocket, ReceiveArea } from '../../src/relay/socket/udp-koffi.socket.js';
import { aConfiguration, aSession, forward, hello, prove, TestGateway } from './relay-udp-bed.js';
import { pause, startRelay, until } from './relay-udp-endpoint.js';
import type { PeerHears, PeerSends } from './relay-udp-peer.js';

/** What the spec reads. */
export interface Seen {
  /** One address of two: who answered the peer of each interface, and packets in beyond those sent to that address. */
  readonly chosen: { readonly first: string; readonly second: string; readonly strange: number };
  /** All addresses: where answers and forwarded frames came from. */
  readonly every: Readonly<Record<'client' | 'server' | 'toClient' | 'toServer', string>>;
}

/** What became of datagrams that a kernel does not take. */
export interface Refused {
  readonly sendBuffer: number;
  readonly sendFailed: number;
  readonly segmentationFailures: number;
}

const ip = (...words: string[]) => run('ip', words);
const run = (program: string, words: readonly string[]) =>
  execFileSync(program, words, { stdio: ['ignore', 'pipe', 2], encoding: 'utf8' });
/** Both interfaces have a carrier: what is sent before is lost. */
const areUp = (brief: string) => brief.match(/^sp\S+\s+UP/gm)?.length === 2;
const gateway = new TestGateway();

class Peers {
  readonly heard: PeerHears[] = [];

  private constructor(private readonly child: ReturnType<typeof spawn>) {
    child.on('message', (message: PeerHears) => this.heard.push(message));
  }

  static async start(): Promise<Peers> {
    const program = join(import.meta.dirname, 'relay-udp-peer.ts');
    const child = spawn('unshare', ['-n', process.execPath, program], {
      stdio: ['ignore', 2, 2, 'ipc'],
      serialization: 'advanced',
      env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1' },
    });
    await once(child, 'message');
    const there = (...words: string[]) =>
      run('nsenter', ['-t', `${child.pid}`, '-n', 'ip', ...words]);
    ip('link', 'set', 'lo', 'up');
    for (const [i, name] of ['sp0', 'sp1'].entries()) {
      ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`);
      ip('link', 'set', `${name}p`, 'netns', `${child.pid}`);
      ip('addr', 'add', `10.9.${i + 1}.1/24`, 'dev', name);
      ip('link', 'set', name, 'up');
      there('addr', 'add', `10.9.${i + 1}.2/24`, 'dev', `${name}p`);
      there('link', 'set', `${name}p`, 'up');
    }
    // A second address of the same network: the kernel would answer from the first.
    ip('addr', 'add', '10.9.1.9/24', 'dev', 'sp0');
    const show = ['-br', 'link', 'show'];
    await until('both links', () => areUp(ip(...show)) && areUp(there(...show)));
    return new Peers(child);
  }

  send(message: PeerSends): void {
    this.child.send(message);
  }

  /** The next datagram of this type that came to `at`. */
  async next(at: string, types: readonly number[]): Promise<PeerHears> {
    const fits = (hears: PeerHears) => hears.at === at && types.includes(hears.bytes[2] ?? 0);
    await until(`an answer at ${at}`, () => this.heard.some(fits));
    return this.heard.splice(this.heard.findIndex(fits), 1)[0]!;
  }

  /** Sends a HELLO again and again until a COOKIE comes: UDP may lose one. `sent` says how many it took. */
  async cookie(way: { from: string; to: string }, sid: Uint8Array) {
    const came = this.next(way.from, [0x21]);
    for (let sent = 1; ; sent++) {
      this.send({ ...way, bytes: hello(sid) });
      const hears = await Promise.race([came, pause(500)]);
      if (hears) return { hears, sent };
    }
  }

  stop(): void {
    this.child.disconnect();
  }
}

async function chosen(peers: Peers, kind: SocketKind): Promise<Seen['chosen']> {
  const relay = await startRelay(kind, aConfiguration([gateway.key()]), ['10.9.1.1']);
  const port = relay.ports[0]!;
  peers.send({ from: '10.9.2.2 4001', to: `10.9.2.1 ${port}`, bytes: hello(aSession()) });
  const way = { from: '10.9.1.2 4001', to: `10.9.1.1 ${port}` };
  const { hears, sent } = await peers.cookie(way, aSession());
  await pause(150);
  const other = peers.heard.find(({ at }) => at === '10.9.2.2 4001');
  const packetsIn = relay.statistics().values.packets_in;
  await relay.stop();
  const strange = Math.max(0, packetsIn - sent);
  return { first: hears.from.split(' ')[0]!, second: other?.from ?? 'nobody', strange };
}

/** HELLO and PROVE of a peer; whom the PROVED came from. */
async function proves(peers: Peers, way: { from: string; to: string }, sid: Uint8Array) {
  const role = way.from.endsWith('4002') ? 'client' : 'server';
  const { hears } = await peers.cookie(way, sid);
  peers.send({ ...way, bytes: prove(gateway.lease(sid, role), hears.bytes, 1n) });
  return (await peers.next(way.from, [0x25])).from;
}

async function every(peers: Peers, kind: SocketKind): Promise<Seen['every']> {
  const relay = await startRelay(kind, aConfiguration([gateway.key()]), [], 34_780);
  const client = { from: '10.9.1.2 4002', to: '10.9.1.9 34780' };
  const server = { from: '10.9.2.2 4003', to: '10.9.2.1 34780' };
  const sid = aSession();
  const proved = [await proves(peers, client, sid), await proves(peers, server, sid)];
  peers.send({ ...client, bytes: forward(sid, randomBytes(100)) });
  const toServer = (await peers.next(server.from, [0x10])).from;
  peers.send({ ...server, bytes: forward(sid, randomBytes(100)) });
  const toClient = (await peers.next(client.from, [0x10])).from;
  await relay.stop();
  return { client: proved[0]!, server: proved[1]!, toClient, toServer };
}

/** A send buffer that nobody empties: the neighbour does not exist; datagrams and bursts above the MTU. */
function refused(): Refused {
  const kernel = loadKernel();
  const statistics = newStatistics();
  const bound = bindSocket(kernel, '10.9.1.1', 0);
  kernel.setOption(bound.fd, SOCKET.SOL_SOCKET, SOCKET.SO_SNDBUF, 8_192);
  const parts = { kernel, area: new ReceiveArea(kernel), statistics, link: 0 };
  const socket = new KoffiSocket(parts, bound);
  const send = (address: string, length: number, segment = length) => {
    const to = newAddress();
    setAddress(to, parseIpAddress(address)!, { port: 9, link: 0 });
    socket.send({ bytes: new Uint8Array(length), at: 0, length, segment }, to, 0);
  };
  send('10.9.1.2', 1_480);
  send('10.9.1.2', 3 * 1_480, 1_480);
  socket.flush();
  // Of different sizes, so that each is a message of its own.
  for (let i = 0; i < 100; i++) send('10.9.1.77', 400 + i);
  socket.flush();
  socket.close();
  const { drops, values } = readStatistics(statistics);
  return {
    sendBuffer: drops['send-buffer'],
    sendFailed: drops['send-failed'],
    segmentationFailures: values.segmentation_failures,
  };
}

const peers = await Peers.start();
const seen = { refused: refused(), koffi: {}, dgram: {} };
for (const kind of ['koffi', 'dgram'] as const)
  seen[kind] = { chosen: await chosen(peers, kind), every: await every(peers, kind) };
peers.stop();
process.stdout.write(`${JSON.stringify(seen)}\n`);

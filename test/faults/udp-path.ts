import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { Link, type LinkSettings } from './link.js';

/** More packets on their way than this are dropped: the proxy's memory is bounded whatever comes. */
const MAX_IN_TRANSIT = 20_000;
/**
 * No datagram of a session is so short. What has this length passes the same sockets and this process like the others, but
 * meets nobody on its path and is never lost: it witnesses how late everything is that the machine does.
 */
export const WITNESS_BYTES = 8;
/** IPv4 and UDP, which the sockets do not show. */
const IP_UDP_BYTES = 28;

interface InTransit {
  readonly atMs: number;
  readonly bytes: Buffer;
  readonly to: Side;
}

type Side = 'a' | 'b';

/**
 * A path between two UDP endpoints on loopback: what comes to `portA` goes out to whoever spoke last at `portB`, and
 * back, each way with loss, delay, jitter and a bottleneck with a queue.
 */
export class UdpPath {
  /** Most packets on their way at one time, and those dropped because there were too many. */
  peak = 0;
  overflow = 0;
  readonly #sockets: Readonly<Record<Side, Socket>>;
  readonly #links: Readonly<Record<Side, Link>>;
  readonly #witnessLinks: Readonly<Record<Side, Link>>;
  readonly #peers: Partial<Record<Side, RemoteInfo>> = {};
  /** A heap by arrival time. */
  readonly #inTransit: InTransit[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(settings: Readonly<Record<Side, LinkSettings>>) {
    this.#sockets = { a: aSocket(), b: aSocket() };
    const { a, b } = settings;
    this.#links = { a: new Link(a), b: new Link(b) };
    this.#witnessLinks = { a: new Link({ ...a, loss: 0 }), b: new Link({ ...b, loss: 0 }) };
  }

  /** Opens both ports on 127.0.0.1; `settings.a` is the way from `portA` to `portB`. */
  static async open(settings: Readonly<Record<Side, LinkSettings>>): Promise<UdpPath> {
    const path = new UdpPath(settings);
    for (const side of ['a', 'b'] as const) {
      path.#sockets[side].on('message', (bytes, from) => {
        path.#peers[side] = from;
        path.#take(side, bytes);
      });
      await bound(path.#sockets[side]);
    }
    return path;
  }

  get portA(): number {
    return this.#sockets.a.address().port;
  }

  get portB(): number {
    return this.#sockets.b.address().port;
  }

  /** Drops what is on its way and closes both ports. */
  close(): void {
    clearTimeout(this.#timer);
    this.#inTransit.length = 0;
    this.#sockets.a.close();
    this.#sockets.b.close();
  }

  #take(from: Side, bytes: Buffer): void {
    const links = bytes.length === WITNESS_BYTES ? this.#witnessLinks : this.#links;
    const { arrivesAtMs } = links[from].offer(performance.now(), bytes.length + IP_UDP_BYTES);
    if (arrivesAtMs === undefined) return;
    if (this.#inTransit.length >= MAX_IN_TRANSIT) {
      this.overflow++;
      return;
    }
    push(this.#inTransit, { atMs: arrivesAtMs, bytes, to: from === 'a' ? 'b' : 'a' });
    this.peak = Math.max(this.peak, this.#inTransit.length);
    this.#timer ??= setTimeout(() => {
      this.#deliver();
    }, 1);
  }

  #deliver(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    while (this.#inTransit[0] && this.#inTransit[0].atMs <= nowMs) {
      const { to, bytes } = pop(this.#inTransit);
      const peer = this.#peers[to];
      if (peer) this.#sockets[to].send(bytes, peer.port, peer.address);
    }
    if (this.#inTransit.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#deliver();
    }, 1);
  }
}

const aSocket = (): Socket =>
  createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });

/** Binds `socket` to a free port of 127.0.0.1. */
export function bound(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

function push(heap: InTransit[], item: InTransit): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]!.atMs <= item.atMs) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = item;
}

function pop(heap: InTransit[]): InTransit {
  const first = heap[0]!;
  const last = heap.pop()!;
  if (heap.length === 0) return first;
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && heap[child + 1]!.atMs < heap[child]!.atMs) child++;
    if (heap[child]!.atMs >= last.atMs) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return first;
}

/*
 * UDP through node:dgram, one datagram per call: where koffi or the kernel's batches are not to be had. It does the same
 * as udp-koffi.socket.ts, at three to four times the cost per packet.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mix } from '../sessions/address-limiter.js';
import { ipText, parseIpAddress } from '../../runtime/ip-address.js';
import {
  ADDRESS_WORDS,
  copyAddress,
  ipBytes,
  LINK_WORD,
  newAddress,
  PORT_WORD,
  sameAddress,
} from '../packet/address.js';
import { DROP } from '../packet/drop-reason.js';
import { increase, dropIndex, receiveBatchIndex, STATISTIC } from '../packet/statistics.js';
import { newBurst, type Burst, type Receiver, type UdpSocket } from './udp-socket.js';

/** Half a second of a full gigabit is asked for; the kernel gives what net.core.rmem_max allows. */
const SOCKET_BUFFER_BYTES = 64 << 20;
/** Addresses remembered with their text, a power of two: making the text costs as much as sending. */
const REMEMBERED = 4_096;
/** Bytes under way in libuv above which datagrams are dropped: the kernel has no room. */
const MAX_QUEUED_BYTES = 4 << 20;

/** What a socket is made from. */
export interface DgramSocketParts {
  readonly statistics: Float64Array;
  /** Its number among the sockets of the worker. */
  readonly link: number;
  /** What is called before the datagrams of one turn of the event loop, and after. */
  readonly begin: () => void;
  readonly end: () => void;
}

/** A bound socket that is read by events. */
export class DgramSocket implements UdpSocket {
  readonly #from = newAddress();
  readonly #burst = newBurst();
  readonly #texts: string[] = new Array<string>(REMEMBERED).fill('');
  readonly #textOf = new Uint32Array(REMEMBERED * ADDRESS_WORDS);
  readonly #ips = new Map<string, Uint8Array>();
  #queued = 0;

  private constructor(
    private readonly socket: Socket,
    private readonly parts: DgramSocketParts,
    private readonly family: 4 | 6,
  ) {
    this.#from[LINK_WORD] = parts.link;
  }

  /** Binds a socket; `address` undefined means all, IPv6 and IPv4 if the kernel has both. Rejects with the system's error. */
  static async open(
    parts: DgramSocketParts,
    address: string | undefined,
    port: number,
  ): Promise<DgramSocket> {
    if (address !== undefined) return bound(parts, address, port);
    try {
      return await bound(parts, '::', port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAFNOSUPPORT') throw error; // What bind emits is a system error.
      return bound(parts, '0.0.0.0', port);
    }
  }

  /** Takes over a bound socket. */
  static over(socket: Socket, parts: DgramSocketParts, family: 4 | 6): DgramSocket {
    return new DgramSocket(socket, parts, family);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Gives everything that comes to `receiver`. */
  listen(receiver: Receiver): void {
    const { statistics, begin, end } = this.parts;
    this.socket.on('message', (bytes, remote) => {
      increase(statistics, STATISTIC.receive_calls);
      increase(statistics, receiveBatchIndex(1));
      begin();
      this.#readFrom(remote);
      const burst = this.#burst;
      burst.bytes = bytes;
      burst.length = bytes.length;
      burst.segment = bytes.length;
      receiver.receive(burst, this.#from);
      end();
    });
    // An ICMP error of one peer is nothing to the others.
    this.socket.on('error', () => undefined);
  }

  send(burst: Burst, to: Uint32Array, toAt: number): void {
    const { bytes, at, length, segment } = burst;
    const text = this.#textAt(to, toAt);
    for (let next = at; next < at + length; next += segment)
      this.#sendOne(
        bytes.subarray(next, Math.min(next + segment, at + length)),
        to[toAt + PORT_WORD] ?? 0,
        text,
      );
  }

  flush(): void {
    // libuv sends at once.
  }

  close(): void {
    this.socket.close();
  }

  #sendOne(bytes: Uint8Array, port: number, address: string): void {
    const { statistics } = this.parts;
    if (this.#queued > MAX_QUEUED_BYTES) {
      increase(statistics, dropIndex(DROP['send-buffer']));
      return;
    }
    const { length } = bytes;
    this.#queued += length;
    increase(statistics, STATISTIC.send_calls);
    this.socket.send(bytes, port, address, (error) => {
      this.#queued -= length;
      if (error) increase(statistics, dropIndex(DROP['send-failed']));
    });
  }

  #readFrom({ address, port }: RemoteInfo): void {
    let ip = this.#ips.get(address);
    if (!ip) {
      // A zone names a link; the address itself tells that it is one that is never sent to.
      ip = parseIpAddress(address.replace(/%.*$/, '')) ?? new Uint8Array(16);
      if (this.#ips.size >= REMEMBERED) this.#ips.clear();
      this.#ips.set(address, ip);
    }
    ipBytes(this.#from).set(ip);
    this.#from[PORT_WORD] = port;
  }

  #textAt(words: Uint32Array, at: number): string {
    const place =
      mix((words[at + 3] ?? 0) ^ mix((words[at] ?? 0) ^ (words[at + 1] ?? 0))) & (REMEMBERED - 1);
    const remembered = place * ADDRESS_WORDS;
    if (!this.#texts[place] || !sameAddress(words, at, this.#textOf, remembered)) {
      copyAddress(words, at, this.#textOf, remembered);
      const text = ipText(ipBytes(words, at));
      // A socket of IPv6 takes IPv4 as a mapped address only.
      this.#texts[place] = this.family === 6 && text.includes('.') ? `::ffff:${text}` : text;
    }
    return this.#texts[place] ?? 0;
  }
}

async function bound(parts: DgramSocketParts, address: string, port: number): Promise<DgramSocket> {
  const family = address.includes(':') ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: false,
    // Addresses are numbers already; the resolver would take a turn of the loop for each.
    lookup: (name, _options, done) => {
      done(null, name, family);
    },
  });
  try {
    // The look-up above answers at once, so bind may tell before it returns.
    const listening = once(socket, 'listening');
    socket.bind(port, address);
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  setBuffers(socket);
  return DgramSocket.over(socket, parts, family);
}

/** A container may refuse: the socket works with the kernel's own sizes as well. */
function setBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
  } catch {
    return;
  }
}

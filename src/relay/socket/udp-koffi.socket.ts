/*
 * UDP in batches: recvmmsg(2) and sendmmsg(2) with UDP_GRO in and UDP_SEGMENT out (udp(7)). What was received as one
 * burst is sent as one from the very bytes that it was received into: nothing is copied.
 */
import { LINK_WORD, MAPPED_WORD, newAddress, PORT_WORD } from '../packet/address.js';
import { SocketError, type BoundFd } from './bound-fd.socket.js';
import type { Kernel } from '../../runtime/kernel.library.js';
import { ReceiveVector, SOCKADDR_IN6_BYTES, SOCKET, swapPort } from './native-layout.js';
import { SendQueue } from './send-queue.socket.js';
import { increase, receiveBatchIndex, STATISTIC } from '../packet/statistics.js';
import { newBurst, type Burst, type Receiver, type UdpSocket } from './udp-socket.js';

/** Messages per call. More saves little and spreads over more cache. */
export const BATCH = 128;
/** A burst that GRO put together is at most 64 KiB; the rest keeps buffers from meeting in the same cache sets. */
const BUFFER_BYTES = 65_536 + 192;
/** Where all sockets of a worker receive. */
export class ReceiveArea {
  readonly bytes = new Uint8Array(new ArrayBuffer(BATCH * BUFFER_BYTES));
  /** Where `bytes` lie. */
  readonly address: number;

  constructor(kernel: Kernel) {
    this.address = kernel.addressOf(this.bytes);
  }
}

/** What a socket is made from. */
export interface KoffiSocketParts {
  readonly kernel: Kernel;
  readonly area: ReceiveArea;
  readonly statistics: Float64Array;
  /** Its number among the sockets of the worker. */
  readonly link: number;
}

/** A bound socket that is read and written in batches. */
export class KoffiSocket implements UdpSocket {
  readonly port: number;
  readonly #kernel: Kernel;
  readonly #received = new ReceiveVector(BATCH);
  readonly #queue: SendQueue;
  readonly #burst: Burst = newBurst();
  readonly #from = newAddress();
  #kernelDrops = 0;

  readonly fd: number;
  private readonly family: number;

  /** Takes over what `bindSocket` made. */
  constructor(
    private readonly parts: KoffiSocketParts,
    { fd, family }: BoundFd,
  ) {
    this.fd = fd;
    this.family = family;
    const { kernel, area, link } = parts;
    this.#kernel = kernel;
    this.#queue = new SendQueue(parts, { fd, family });
    this.#received.locate(kernel.addressOf(this.#received.bytes));
    for (let i = 0; i < BATCH; i++) {
      this.#received.setBuffer(i, area.address + i * BUFFER_BYTES, BUFFER_BYTES);
      this.#received.offer(i);
    }
    this.#burst.bytes = area.bytes;
    this.#from[LINK_WORD] = link;
    this.port = this.#boundPort();
  }

  /** Takes one batch without waiting and gives it to `receiver`; gives the number of messages. */
  receive(receiver: Receiver): number {
    const { statistics } = this.parts;
    const received = this.#received;
    const count = this.#kernel.receive(
      this.fd,
      received.headerAddress(0),
      BATCH,
      SOCKET.MSG_DONTWAIT,
    );
    if (count <= 0) return 0;
    increase(statistics, STATISTIC.receive_calls);
    increase(statistics, receiveBatchIndex(count));
    for (let i = 0; i < count; i++) this.#receiveOne(i, receiver);
    return count;
  }

  send(burst: Burst, to: Uint32Array, toAt: number): void {
    this.#queue.add(burst, to, toAt);
  }

  flush(): void {
    this.#queue.flush();
  }

  close(): void {
    this.#kernel.close(this.fd);
  }

  #receiveOne(i: number, receiver: Receiver): void {
    const received = this.#received;
    const burst = this.#burst;
    burst.at = i * BUFFER_BYTES;
    burst.length = received.lengthOf(i);
    burst.segment = burst.length;
    if (received.hasControl(i)) this.#readControl(i);
    this.#readName(i);
    received.offer(i);
    receiver.receive(burst, this.#from);
  }

  #readControl(i: number): void {
    const segment = this.#received.controlValue(i, SOCKET.SOL_UDP, SOCKET.UDP_GRO);
    if (segment > 0) this.#burst.segment = segment;
    const drops = this.#received.controlValue(i, SOCKET.SOL_SOCKET, SOCKET.SO_RXQ_OVFL);
    if (drops < 0) return;
    // The kernel counts in 32 bits since the socket was made; several sockets add up.
    increase(this.parts.statistics, STATISTIC.kernel_drops, (drops - this.#kernelDrops) >>> 0);
    this.#kernelDrops = drops;
  }

  #readName(i: number): void {
    const { words } = this.#received;
    const at = this.#received.nameAt(i);
    const from = this.#from;
    from[PORT_WORD] = swapPort((words[at] ?? 0) >>> 16);
    if (this.family === SOCKET.AF_INET) {
      from[2] = MAPPED_WORD;
      from[3] = words[at + 1] ?? 0;
    } else for (let word = 0; word < 4; word++) from[word] = words[at + 2 + word] ?? 0;
  }

  #boundPort(): number {
    const name = new Uint8Array(SOCKADDR_IN6_BYTES);
    if (this.#kernel.getName(this.fd, name) < 0) throw new SocketError('getsockname', this.#kernel);
    return (name[2] ?? 0) * 256 + (name[3] ?? 0);
  }
}

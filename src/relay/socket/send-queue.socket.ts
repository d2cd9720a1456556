/*
 * What a socket is about to send, by sendmmsg(2) with UDP_SEGMENT (udp(7)), and what is done when the kernel does not
 * take it: no room is waited for once per flush, a burst that it will not cut goes out one by one, and whatever else it
 * refuses is a drop that is counted and nothing more.
 */
import { PORT_WORD } from '../packet/address.js';
import type { BoundFd } from './bound-fd.socket.js';
import { DROP } from '../packet/drop-reason.js';
import { ERRNO, SOCKADDR_IN6_BYTES, SOCKADDR_IN_BYTES, SOCKET, swapPort } from './native-layout.js';
import { SendVector } from './send-vector.js';
import { dropIndex, increase, STATISTIC } from '../packet/statistics.js';
import type { KoffiSocketParts } from './udp-koffi.socket.js';
import type { Burst } from './udp-socket.js';

/** Parts per flush: what two batches of single datagrams need. */
const PARTS = 256;
/** Answers of ours, until they are sent. */
const ANSWER_BYTES = 65_536;
/** How long a full send buffer is waited for. */
const SEND_WAIT_MS = 5;
/** Errors by which a kernel says that it will not cut this burst: a route without the offload, a smaller MTU. */
const NO_SEGMENTS: readonly number[] = [ERRNO.EIO, ERRNO.EINVAL, ERRNO.EMSGSIZE];

/** The queue of one socket. */
export class SendQueue {
  readonly #vector: SendVector;
  readonly #single: SendVector;
  readonly #answers = new Uint8Array(new ArrayBuffer(ANSWER_BYTES));
  readonly #answersAddress: number;
  readonly #pollOut = new Int32Array(new ArrayBuffer(8));
  #answerBytes = 0;
  #hasWaited = false;

  constructor(
    private readonly parts: KoffiSocketParts,
    private readonly bound: BoundFd,
  ) {
    const nameBytes = bound.family === SOCKET.AF_INET ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES;
    this.#vector = new SendVector(PARTS, nameBytes);
    this.#single = new SendVector(1, nameBytes);
    const { kernel } = parts;
    for (const vector of [this.#vector, this.#single])
      vector.locate(kernel.addressOf(vector.bytes));
    this.#answersAddress = kernel.addressOf(this.#answers);
  }

  /** Queues a burst to the address whose words begin at `toAt`. Bytes outside the receive area are copied. */
  add(burst: Burst, to: Uint32Array, toAt: number): void {
    const { area } = this.parts;
    const mine = burst.bytes === area.bytes;
    const room = this.#answerBytes + burst.length <= ANSWER_BYTES;
    if (this.#vector.isFull || !(mine || room)) this.flush();
    this.#writeName(to, toAt);
    const address = mine ? area.address + burst.at : this.#copy(burst);
    this.#vector.add(address, burst.length, burst.segment);
  }

  /** Sends what is queued. */
  flush(): void {
    const { messages } = this.#vector;
    if (messages === 0) return;
    this.#vector.seal();
    this.#hasWaited = false;
    for (let at = 0; at < messages;) {
      const headers = this.#vector.headerAddress(at);
      const sent = this.#send(headers, messages - at);
      at += sent > 0 ? sent : this.#failed(at);
    }
    this.#vector.clear();
    this.#answerBytes = 0;
  }

  #send(headers: number, count: number): number {
    increase(this.parts.statistics, STATISTIC.send_calls);
    return this.parts.kernel.send(this.bound.fd, headers, count, SOCKET.MSG_DONTWAIT);
  }

  #writeName(to: Uint32Array, toAt: number): void {
    const { name } = this.#vector;
    name[0] = this.bound.family | (swapPort(to[toAt + PORT_WORD] ?? 0) << 16);
    if (this.bound.family === SOCKET.AF_INET) {
      name[1] = to[toAt + 3] ?? 0;
      return;
    }
    for (let word = 0; word < 4; word++) name[2 + word] = to[toAt + word] ?? 0;
  }

  /** Answers are few and small: they are copied, so that who made them may go on. */
  #copy({ bytes, at, length }: Burst): number {
    const start = this.#answerBytes;
    this.#answers.set(bytes.subarray(at, at + length), start);
    this.#answerBytes += length;
    return this.#answersAddress + start;
  }

  /** Deals with the message that the kernel did not take; gives how many messages are done with: 0 to try again. */
  #failed(i: number): number {
    const errno = this.parts.kernel.errno();
    if (errno === ERRNO.EINTR) return 0;
    if (errno === ERRNO.EAGAIN || errno === ERRNO.ENOBUFS) {
      if (this.#waitForRoom()) return 0;
      return this.#lose(DROP['send-buffer'], this.#vector.datagramsOf(i));
    }
    if (this.#vector.segmentOf(i) > 0 && NO_SEGMENTS.includes(errno)) {
      // A device that computes no checksums cuts nothing: then joining would double the work.
      if (errno === ERRNO.EIO) this.#vector.joins = false;
      return this.#sendSingly(i);
    }
    return this.#lose(DROP['send-failed'], this.#vector.datagramsOf(i));
  }

  #lose(reason: number, datagrams: number): 1 {
    increase(this.parts.statistics, dropIndex(reason), datagrams);
    return 1;
  }

  #waitForRoom(): boolean {
    if (this.#hasWaited) return false;
    this.#hasWaited = true;
    this.#pollOut[0] = this.bound.fd;
    this.#pollOut[1] = SOCKET.POLLOUT;
    const { kernel } = this.parts;
    const address = kernel.addressOf(new Uint8Array(this.#pollOut.buffer));
    return kernel.poll(address, 1, SEND_WAIT_MS) > 0;
  }

  /** Sends the datagrams of a burst one by one where the kernel would not cut it. */
  #sendSingly(i: number): 1 {
    increase(this.parts.statistics, STATISTIC.segmentation_failures);
    this.#vector.copyNameOf(i, this.#single.name);
    this.#vector.forEachDatagram(i, (address, length) => {
      this.#single.clear();
      this.#single.add(address, length, length);
      if (this.#send(this.#single.seal(), 1) !== 1) this.#lose(DROP['send-failed'], 1);
    });
    return 1;
  }
}

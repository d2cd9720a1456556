/*
 * The loop with batches. It takes until every socket is empty, without a pause between batches, and then sleeps in
 * poll(2) on its sockets and on an eventfd by which other threads wake it. Messages are looked at after every batch, at
 * the price of one atomic load when there are none.
 */
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { bindSocket, SocketError } from '../socket/bound-fd.socket.js';
import { loadKernel, type Kernel } from '../../runtime/kernel.library.js';
import { SOCKET } from '../socket/native-layout.js';
import { CONTROL_PENDING, CONTROL_SLEEPING, type ToPacketWorker } from './packet-messages.js';
import type { PacketHost } from './packet.host.js';
import { BATCH, KoffiSocket, ReceiveArea } from '../socket/udp-koffi.socket.js';

/** Without a session nothing falls due; with sessions the timer wheel has ticks of 250 ms. */
const LONGEST_SLEEP_MS = 250;
/** After fewer datagrams than this the next look is poll(2): an empty receive before it would cost as much again. */
const WORTH_ANOTHER_LOOK = 8;
/** Full batches in a row after which the relay counts as busy. */
const BUSY_AFTER = 4;

/** Sockets in batches, and the loop over them. */
export class BatchLoop {
  readonly #descriptors: Int32Array<ArrayBuffer>;
  readonly #descriptorsAddress: number;
  readonly #counter = new Uint8Array(8);
  #fullBatches = 0;

  private constructor(
    private readonly host: PacketHost,
    private readonly kernel: Kernel,
    private readonly sockets: readonly KoffiSocket[],
    /** Other threads write to it to wake this one. */
    readonly wakeFd: number,
  ) {
    const fds = [...sockets.map(({ fd }) => fd), wakeFd];
    this.#descriptors = Int32Array.from(fds.flatMap((fd) => [fd, SOCKET.POLLIN]));
    this.#descriptorsAddress = kernel.addressOf(new Uint8Array(this.#descriptors.buffer));
  }

  /** Binds the sockets. @throws NoKernelError or SocketError. */
  static open(host: PacketHost): BatchLoop {
    const kernel = loadKernel();
    const { addresses, port } = host.start;
    const { statistics } = host;
    const area = new ReceiveArea(kernel);
    const sockets = (addresses.length > 0 ? addresses : [undefined]).map(
      (address, link) =>
        new KoffiSocket({ kernel, area, statistics, link }, bindSocket(kernel, address, port)),
    );
    const wakeFd = kernel.eventfd(0, SOCKET.EFD_NONBLOCK_CLOEXEC);
    if (wakeFd < 0) throw new SocketError('eventfd', kernel);
    host.relay.path.sockets.push(...sockets);
    return new BatchLoop(host, kernel, sockets, wakeFd);
  }

  /** Bound ports. */
  get ports(): readonly number[] {
    return this.sockets.map((socket) => socket.port);
  }

  /** Runs until the main thread says stop. */
  run(): void {
    const { host } = this;
    while (!host.stopped) {
      this.#takeMessages();
      host.begin(this.#fullBatches >= BUSY_AFTER);
      host.link?.poll((record) => {
        host.relay.receiveFallback(record);
      });
      const more = this.#receive();
      host.end();
      if (!more && !host.relay.isBusy) this.#sleep();
    }
    for (const socket of this.sockets) socket.close();
    this.kernel.close(this.wakeFd);
  }

  /** Takes one batch from each socket; whether it is likely that more have come. */
  #receive(): boolean {
    let largest = 0;
    for (const socket of this.sockets) {
      const count = socket.receive(this.host.relay.path);
      // The area is used again by the next socket.
      if (count > 0) this.host.relay.path.flush();
      largest = Math.max(largest, count);
    }
    this.#fullBatches = largest === BATCH ? this.#fullBatches + 1 : 0;
    return largest >= WORTH_ANOTHER_LOOK;
  }

  #takeMessages(): void {
    if (Atomics.load(this.host.control, CONTROL_PENDING) === 0) return;
    Atomics.store(this.host.control, CONTROL_PENDING, 0);
    let received = receiveMessageOnPort(this.host.port);
    while (received) {
      this.host.take(received.message as ToPacketWorker<MessagePort>); // Nobody else has the other end.
      received = receiveMessageOnPort(this.host.port);
    }
  }

  #sleep(): void {
    const { control } = this.host;
    Atomics.store(control, CONTROL_SLEEPING, 1);
    // Who posts counts first and looks at SLEEPING then: so one of the two sides sees the other.
    if (Atomics.load(control, CONTROL_PENDING) === 0) {
      this.kernel.poll(this.#descriptorsAddress, this.sockets.length + 1, LONGEST_SLEEP_MS);
      this.host.pause();
    }
    Atomics.store(control, CONTROL_SLEEPING, 0);
    // It is the last descriptor; the upper half of its second word is what poll(2) found.
    if ((this.#descriptors.at(-1) ?? 0) >>> 16 === 0) return;
    this.kernel.read(this.wakeFd, this.#counter, this.#counter.length);
  }
}

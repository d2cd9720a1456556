/*
 * The loop without batches: node:dgram gives datagrams as events.
 */
import { readFileSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { dropsOfPort } from '../socket/kernel-drops.js';
import type { ToPacketWorker } from './packet-messages.js';
import type { PacketHost } from './packet.host.js';
import { STATISTIC } from './statistics.js';
import { DgramSocket } from '../socket/udp-dgram.socket.js';

/** A tick of the timer wheel. */
const TICK_MS = 250;
/** The kernel's tables are read this often. */
const DROPS_EVERY_MS = 5_000;

/** Sockets of node:dgram, and what happens around them. */
export class EventLoop {
  readonly #timers: NodeJS.Timeout[] = [];

  private constructor(
    private readonly host: PacketHost,
    private readonly sockets: readonly DgramSocket[],
  ) {}

  /** Binds the sockets. Rejects with the system's error. */
  static async open(host: PacketHost): Promise<EventLoop> {
    const { addresses, port } = host.start;
    const { statistics } = host;
    const begin = () => void host.begin(false);
    const end = () => {
      host.end();
    };
    const sockets: DgramSocket[] = [];
    for (const [link, address] of (addresses.length > 0 ? addresses : [undefined]).entries())
      sockets.push(await DgramSocket.open({ statistics, link, begin, end }, address, port));
    host.relay.path.sockets.push(...sockets);
    return new EventLoop(host, sockets);
  }

  /** Bound ports. */
  get ports(): readonly number[] {
    return this.sockets.map((socket) => socket.port);
  }

  /** Begins; it goes on until the main thread says stop. */
  run(): void {
    const { host } = this;
    host.onLink = (link) => {
      link.listen(
        (record) => {
          host.relay.receiveFallback(record);
        },
        () => {
          host.end();
        },
      );
    };
    host.port.on('message', (message: ToPacketWorker<MessagePort>) => {
      host.take(message);
      this.#pass();
      if (host.stopped) this.#close();
    });
    for (const socket of this.sockets) socket.listen(host.relay.path);
    this.#timers.push(
      setInterval(() => {
        this.#pass();
      }, TICK_MS),
      setInterval(() => {
        this.#readDrops();
      }, DROPS_EVERY_MS),
    );
  }

  #pass(): void {
    do {
      this.host.pause();
      this.host.begin(false);
      this.host.end();
    } while (this.host.relay.isBusy);
  }

  #readDrops(): void {
    let drops = 0;
    try {
      const tables = ['/proc/net/udp', '/proc/net/udp6'].map((path) => readFileSync(path, 'utf8'));
      for (const port of new Set(this.ports))
        for (const table of tables) drops += dropsOfPort(table, port);
    } catch {
      drops = -1; // No Linux: nobody counts.
    }
    this.host.statistics[STATISTIC.kernel_drops] = drops;
  }

  #close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.sockets) socket.close();
    this.host.link?.close();
    this.host.port.close();
  }
}

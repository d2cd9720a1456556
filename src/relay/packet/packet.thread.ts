/*
 * The main thread's handle on the packet worker: starts it, tells it what it needs, reads its statistics, stops it.
 */
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { ActionableError } from '../../runtime/errors.js';
import type { Logger } from '../../runtime/log.js';
import { newQueued, type FallbackAttachment } from './fallback.link.js';
import { listenAddresses } from './listen-addresses.js';
import {
  newControl,
  type FromPacketWorker,
  type PacketConfiguration,
  type PacketWorkerStart,
  type SocketKind,
  type ToPacketWorker,
} from './packet-messages.js';
import { newStatistics, readStatistics, STATISTIC, type StatisticsReading } from './statistics.js';
import { wake } from '../socket/wake.eventfd.js';

/** How long `stop` waits for the worker to leave its loop by itself. */
const STOP_WITHIN_MS = 2_000;

/** What the worker said when it had bound its sockets. */
type Ready = Extract<FromPacketWorker, { kind: 'ready' }>;

/** What main thread and worker both see. */
interface SharedMemory {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly block: Float64Array<SharedArrayBuffer>;
}

/** Where the worker's program is: a file of our own build, or its source in tests. */
export interface PacketThreadOptions extends Omit<PacketWorkerStart, 'statistics' | 'control'> {
  readonly script?: URL;
  /** Node options of the thread, e.g. `--import tsx`. */
  readonly execArgv?: readonly string[];
}

/** A running packet worker. It forwards nothing before the first `configure`. */
export class PacketThread {
  /** Resolves when the worker has ended, with the error that ended it if it did not stop on demand. */
  readonly ended: Promise<Error | undefined>;
  #onDrained: () => void = () => undefined;

  private constructor(
    private readonly worker: Worker,
    private readonly ready: Ready,
    private readonly memory: SharedMemory,
    log: Logger,
  ) {
    this.ended = endOf(worker);
    worker.on('message', (message: FromPacketWorker) => {
      if (message.kind === 'log') log[message.level](message.message, message.fields);
      if (message.kind === 'drained') this.#onDrained();
    });
  }

  /** Starts the worker and waits until it listens. @throws ActionableError ERR_LISTEN if it cannot. */
  static async start(options: PacketThreadOptions, log: Logger): Promise<PacketThread> {
    const { script, execArgv, ...rest } = options;
    const block = newStatistics();
    const control = newControl();
    const start: PacketWorkerStart = {
      ...rest,
      addresses: listenAddresses(rest.addresses, networkInterfaces()),
      statistics: block.buffer,
      control: control.buffer,
    };
    const worker = new Worker(script ?? new URL('./packet.worker.js', import.meta.url), {
      workerData: start,
      // No variable reaches the worker: it takes nothing but messages.
      env: {},
      ...(execArgv && { execArgv: [...execArgv] }),
    });
    const first = await firstMessage(worker);
    if (first.kind !== 'ready') {
      const port = `UDP port ${options.port}`;
      throw new ActionableError(
        'ERR_LISTEN',
        `The relay cannot listen on ${port}: ${first.kind === 'failed' ? first.problem : first.kind}.`,
        'Free the port or change listeners.relay in the settings.',
      );
    }
    const { socket, ports } = first;
    const why = first.fallbackReason === undefined ? {} : { reason: first.fallbackReason };
    log.info('packet worker listens', { socket, port: ports[0] ?? 0, ...why });
    return new PacketThread(worker, first, { control, block }, log);
  }

  /** Which implementation reads and writes datagrams. */
  get socket(): SocketKind {
    return this.ready.socket;
  }

  /** Why it is not koffi, if it could have been. */
  get fallbackReason(): string | undefined {
    return this.ready.fallbackReason;
  }

  /** Bound UDP ports, one per listen address. */
  get ports(): readonly number[] {
    return this.ready.ports;
  }

  /** Replaces everything that may change live. */
  configure(configuration: PacketConfiguration): void {
    this.#post({ kind: 'configure', configuration });
  }

  /** Ends leases and keys of `gateway`, and of no other. */
  revoke(gateway: string, jti: readonly string[], kids: readonly string[]): void {
    this.#post({ kind: 'revoke', gateway, jti, kids });
  }

  /** Sends MOVE to every holder and takes no new lease; `onDrained` runs once the last session is gone. */
  drain(deadline: number, onDrained: () => void = () => undefined): void {
    this.#onDrained = onDrained;
    this.#post({ kind: 'drain', deadline });
  }

  /** Connects a TLS thread; the result is what that thread is started with. */
  attachFallback(): FallbackAttachment {
    const { port1, port2 } = new MessageChannel();
    const queued = newQueued();
    this.#post({ kind: 'fallback', port: port1, queued }, [port1]);
    const { wakeFd } = this.ready;
    return {
      port: port2,
      queued,
      control: this.memory.control.buffer,
      ...(wakeFd !== undefined && { wakeFd }),
    };
  }

  /** A copy of all counters. */
  statistics(): StatisticsReading {
    return readStatistics(this.memory.block);
  }

  /** The longest pass of the worker's loop since the last call, in milliseconds. */
  takeLoopLag(): number {
    const { block } = this.memory;
    const lag = block[STATISTIC.loop_lag_ms] ?? 0;
    block[STATISTIC.loop_lag_ms] = 0;
    return lag;
  }

  /** Ends the worker; after 2 s without asking. Nothing is said to holders: `drain` does that. */
  async stop(): Promise<void> {
    this.#post({ kind: 'stop' });
    const timer = setTimeout(() => void this.worker.terminate(), STOP_WITHIN_MS);
    await this.ended;
    clearTimeout(timer);
  }

  #post(message: ToPacketWorker<MessagePort>, transfer: readonly MessagePort[] = []): void {
    this.worker.postMessage(message, [...transfer]);
    wake(this.memory.control, this.ready.wakeFd);
  }
}

async function firstMessage(worker: Worker): Promise<FromPacketWorker> {
  const [message] = (await once(worker, 'message')) as [FromPacketWorker]; // Nobody else posts to this port.
  return message;
}

async function endOf(worker: Worker): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let error: Error | undefined;
    worker.once(
      'error',
      (cause) => (error = cause instanceof Error ? cause : new Error(String(cause))),
    );
    worker.once('exit', () => {
      resolve(error);
    });
  });
}

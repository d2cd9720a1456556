/*
 * The main thread's handle on the thread that ends TLS. If that thread dies, sessions over UDP go on: it is started again
 * after a while, and its connections come back by themselves.
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from '../../runtime/log.js';
import type { FallbackAttachment } from '../packet/fallback.link.js';
import {
  newFallbackStatistics,
  readFallbackStatistics,
  type FallbackReading,
  type FallbackStart,
  type FromFallback,
  type ToFallback,
} from './fallback-messages.js';

/** How long it stays away after it died. */
const RESTART_AFTER_MS = 1_000;
/** How long `stop` waits. */
const STOP_WITHIN_MS = 2_000;

/** Where to listen, where its program is, and how to reach the packet worker. */
export interface FallbackOptions extends Pick<FallbackStart, 'addresses' | 'port'> {
  readonly script: URL;
  readonly execArgv?: readonly string[];
  /** A new link to the packet worker; the one before ends. */
  readonly attach: () => FallbackAttachment;
}

/** The fallback of a relay. It listens once it has a leaf. */
export class FallbackThread {
  readonly #block = newFallbackStatistics();
  readonly #connections = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #newest = new Map<ToFallback['kind'], ToFallback>();
  #worker: Worker;
  #ports: readonly number[] = [];
  #problem: string | undefined = 'the TLS fallback does not listen yet';
  #stopped = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: FallbackOptions,
    private readonly log: Logger,
  ) {
    this.#worker = this.#start();
  }

  /** Bound ports, one per listen address; none before it listens. */
  get ports(): readonly number[] {
    return this.#ports;
  }

  /** Why it does not serve; undefined if it does. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** A copy of all counters. */
  statistics(): FallbackReading {
    return readFallbackStatistics(this.#block);
  }

  /** Tells the thread, and every thread that takes its place. */
  tell(message: ToFallback): void {
    this.#newest.set(message.kind, message);
    this.#worker.postMessage(message);
  }

  /** Ends all connections and the thread, within two seconds. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#restart);
    const ended = new Promise<void>((resolve) => {
      this.#worker.once('exit', () => {
        resolve();
      });
    });
    // A thread that has ended already gives -1.
    if (this.#worker.threadId === -1) return;
    this.#worker.postMessage({ kind: 'stop' } satisfies ToFallback);
    const timer = setTimeout(() => void this.#worker.terminate(), STOP_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  }

  #start(): Worker {
    const { addresses, port, script, execArgv, attach } = this.options;
    const attachment = attach();
    const start: FallbackStart = {
      attachment,
      addresses,
      // After a restart the same port, also where the kernel chose it.
      port: this.#ports[0] ?? port,
      statistics: this.#block.buffer,
      connections: this.#connections,
    };
    const worker = new Worker(script, {
      workerData: start,
      transferList: [attachment.port],
      // No variable reaches the thread.
      env: {},
      ...(execArgv && { execArgv: [...execArgv] }),
    });
    worker.on('message', (message: FromFallback) => {
      this.#take(message);
    });
    worker.on('error', (error) => {
      this.log.error('the TLS fallback died', { error });
    });
    worker.once('exit', () => {
      this.#ended();
    });
    return worker;
  }

  #take(message: FromFallback): void {
    if (message.kind === 'log') this.log[message.level](message.message);
    else if (message.kind === 'ready') {
      this.#ports = message.ports;
      this.#problem = undefined;
      this.log.info('TLS fallback listens', { port: message.ports[0] ?? 0 });
    } else {
      this.#problem = `the TLS fallback cannot listen on TCP port ${this.options.port}: ${message.problem}`;
      this.log.error('TLS fallback cannot listen', { problem: message.problem });
      void this.#worker.terminate();
    }
  }

  #ended(): void {
    if (this.#stopped) return;
    this.#problem ??= 'the TLS fallback is being started again';
    this.#restart = setTimeout(() => {
      this.#worker = this.#start();
      for (const message of this.#newest.values()) this.#worker.postMessage(message);
    }, RESTART_AFTER_MS);
  }
}

/*
 * One connection to NATS at a time, made anew for ever. The NATS client's own reconnection is not used: it keeps what is
 * published while it is away and sends it later, but an envelope that was reported as not delivered must not arrive
 * afterwards.
 */
import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { messageOf } from '../../runtime/errors.js';
import type { Logger } from '../../runtime/log.js';
import { readCredentials } from './credentials.file.js';
import type { NatsServer } from './nats-servers.js';
import { reconnectDelayMs } from './reconnect-delay.js';

/** A server that does not greet or let us in within this time is not there. */
const CONNECT_TIMEOUT_MS = 2_000;
const WATCH_EVERY_MS = 1_000;
/** How long a farewell may take. */
const FAREWELL_MS = 500;
/** Pings that may be unanswered: a server that is stopped or cut off is left after about three seconds. */
const MAX_UNANSWERED = 3;
/** Bytes that were sent and not yet seen by the server. More is not sent: memory stays bounded when it is slow. */
const MAX_UNSEEN_BYTES = 8 << 20;

/** What became of bytes that were to be sent. */
export type Sent = 'sent' | 'disconnected' | 'full' | 'failed';

/** How to reach NATS, and what to tell whom. */
export interface LinkOptions {
  readonly servers: readonly NatsServer[];
  /** Read at every connection: it may change. */
  readonly credentialsFile?: string;
  /** Read at every connection: it may change. */
  readonly caFile?: string;
  readonly subjects: readonly string[];
  readonly onMessage: (bytes: Uint8Array, subject: string) => void;
  readonly onState: (connected: boolean) => void;
  readonly log: Logger;
  /** From 0 to 1. */
  readonly fraction: () => number;
}

/** A connection to NATS that comes back by itself. */
export class NatsLink {
  #nats: NatsConnection | undefined;
  #closing = false;
  #unseenBytes = 0;
  #unanswered = 0;
  #failures = 0;
  #lastProblem = '';
  #wake: () => void = () => undefined;
  readonly #ended: Promise<void>;

  constructor(private readonly options: LinkOptions) {
    this.#ended = this.#run();
  }

  /** Whether bytes can be sent now. */
  get connected(): boolean {
    return this.#nats !== undefined;
  }

  /** Sends, or says why not. Nothing is kept for later. */
  send(subject: string, bytes: Uint8Array): Sent {
    if (this.#nats === undefined) return 'disconnected';
    if (this.#unseenBytes + bytes.length > MAX_UNSEEN_BYTES) return 'full';
    try {
      this.#nats.publish(subject, bytes);
      this.#unseenBytes += bytes.length;
      return 'sent';
    } catch {
      return 'failed';
    }
  }

  /** Ends the connection and does not make another one. What was sent before has its chance to arrive. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#wake();
    const nats = this.#nats;
    if (nats !== undefined) {
      await Promise.race([nats.flush().catch(() => undefined), sleep(FAREWELL_MS)]);
      await nats.close();
    }
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isClosing()) {
      try {
        await this.#useOneConnection(await this.#connect());
      } catch (problem) {
        this.#report(messageOf(problem));
      }
      if (!this.#isClosing()) await this.#pause();
    }
  }

  // A method, because it changes while the loop above waits.
  #isClosing(): boolean {
    return this.#closing;
  }

  async #connect(): Promise<NatsConnection> {
    const { servers, credentialsFile, caFile } = this.options;
    const server = await firstThatGreets(servers);
    return connect({
      servers: [server.url],
      name: 'sallyport-gateway',
      reconnect: false,
      timeout: CONNECT_TIMEOUT_MS,
      // Only servers of the settings: those that a server names might be anywhere.
      ignoreClusterUpdates: true,
      noEcho: true,
      noAsyncTraces: true,
      tls: { ...TLS_1_3, ...(caFile === undefined ? {} : { caFile }) },
      ...(credentialsFile === undefined
        ? {}
        : { authenticator: credsAuthenticator(() => readCredentials(credentialsFile)) }),
    });
  }

  async #useOneConnection(nats: NatsConnection): Promise<void> {
    const { subjects, onMessage } = this.options;
    for (const subject of subjects)
      nats.subscribe(subject, {
        callback: (problem, message) => {
          if (problem === null) onMessage(message.data, subject);
        },
      });
    this.#unseenBytes = 0;
    this.#unanswered = 0;
    const watch = setInterval(() => {
      this.#look(nats);
    }, WATCH_EVERY_MS);
    try {
      // The server has seen the subscriptions before anybody is asked to answer to them.
      await Promise.race([nats.flush(), nats.closed()]);
      if (this.#isClosing()) await nats.close();
      else await this.#untilClosed(nats);
    } finally {
      clearInterval(watch);
    }
  }

  async #untilClosed(nats: NatsConnection): Promise<void> {
    if (!nats.isClosed()) {
      this.#nats = nats;
      this.#failures = 0;
      this.#lastProblem = '';
      this.options.log.info('NATS is connected');
      this.options.onState(true);
    }
    const why = await nats.closed();
    const wasConnected = this.connected;
    this.#nats = undefined;
    if (wasConnected) this.options.onState(false);
    if (!this.#isClosing()) this.#report(why instanceof Error ? why.message : 'connection ended');
  }

  #look(nats: NatsConnection): void {
    this.#unanswered += 1;
    if (this.#unanswered > MAX_UNANSWERED) {
      void nats.close();
      return;
    }
    const unseen = this.#unseenBytes;
    nats.flush().then(
      () => {
        this.#unanswered = 0;
        this.#unseenBytes = Math.max(0, this.#unseenBytes - unseen);
      },
      () => undefined,
    );
  }

  #report(problem: string): void {
    this.#failures += 1;
    if (problem !== this.#lastProblem) this.options.log.warn('NATS is away', { problem });
    this.#lastProblem = problem;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, reconnectDelayMs(this.#failures, this.options.fraction()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Passed on to node:tls by the NATS client, whose type does not know it. */
const TLS_1_3 = { rejectUnauthorized: true, minVersion: 'TLSv1.3' } as const;

/**
 * The first server that greets. The NATS client leaves a socket open to a server that accepts and says nothing; this
 * closes its own, and knows why each server is none.
 */
async function firstThatGreets(servers: readonly NatsServer[]): Promise<NatsServer> {
  const problems: string[] = [];
  for (const server of servers) {
    const problem = await whyNoGreeting(server);
    if (problem === undefined) return server;
    problems.push(`${server.host}:${server.port} ${problem}`);
  }
  throw new Error(problems.join(', '));
}

function whyNoGreeting({ host, port }: NatsServer): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port });
    const end = (problem?: string) => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      end('does not answer');
    });
    socket.once('data', () => {
      end();
    });
    socket.once('end', () => {
      end('ended the connection');
    });
    socket.once('error', (error) => {
      end('code' in error ? String(error.code) : 'cannot be reached');
    });
  });
}

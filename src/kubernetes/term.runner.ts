import type { Clock } from '../runtime/clock.js';
import type { Logger } from '../runtime/log.js';
import type { ClusterClient } from './cluster.client.js';
import type { Fence } from './fenced.client.js';
import { LeaderElection } from './leader.election.js';
import { Fenced } from './leader-lease.js';
import type { LeaseTimings } from './leader-lease.js';
import type { ObjectKey } from './object.js';
import type { OnWrite } from './write-record.js';

export interface TermOptions {
  readonly client: ClusterClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly identity: string;
  /** Absent: this process is the only one and always leads. */
  readonly election: { readonly lease: ObjectKey; readonly timings: LeaseTimings } | undefined;
  readonly log: Logger;
  readonly onWrite: OnWrite;
  readonly onLeading: () => void;
}

/** Whether this process may write, and the end of it: with an election, a term at a time. */
export class Term implements Fence {
  readonly #options: TermOptions;
  readonly #election: LeaderElection | undefined;
  #abort = new AbortController();
  #open = false;

  constructor(options: TermOptions) {
    this.#options = options;
    const { client, clock, random, identity, election, log, onWrite } = options;
    if (!election) return;
    this.#election = new LeaderElection({
      client,
      clock,
      random,
      identity,
      ...election,
      onWrite,
      onLeading: () => {
        log.info('leading', { lease: `${election.lease.namespace}/${election.lease.name}` });
        this.#begin();
      },
      onLost: (reason) => {
        log.warn('not leading any more', { reason });
        this.#end();
      },
      onError: (error) => {
        log.warn('the lease cannot be renewed', {
          error: error instanceof Error ? error.message : String(error),
        });
      },
    });
  }

  start(): void {
    if (this.#election) this.#election.start();
    else this.#begin();
  }

  /** Asks the clock, not a flag: a process that slept through its lease knows at once. */
  get leads(): boolean {
    return this.#open && (this.#election?.leads ?? true);
  }

  check(): void {
    if (!this.leads) throw new Fenced();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Lets no further write through, cuts off those in flight, and gives the lease back. */
  async stop(): Promise<void> {
    this.#end();
    await this.#election?.stop();
  }

  #begin(): void {
    this.#abort = new AbortController();
    this.#open = true;
    this.#options.onLeading();
  }

  #end(): void {
    this.#open = false;
    this.#abort.abort();
  }
}

/*
 * One pod as one process: started, probed, restarted with backoff when it ends, stopped with its own grace period.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { get } from 'node:http';
import type { Pod, Probe } from './pods.js';
import { failureIn } from './program-failure.js';
import { forgetProcess, noteProcess, residentBytes } from './process.files.js';

/** How one pod is doing, for a table. */
export interface PodState {
  readonly id: string;
  readonly address: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly residentBytes: number | undefined;
}

/** How a process is doing. */
export type PodPhase = 'Starting' | 'Running' | 'BackOff' | 'Stopping' | 'Ended';

/** What the pod runs as. */
export interface PodCommand {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly address: string;
  /** Folder of its logs and its process id. */
  readonly folder: string;
}

/** Waiting between a start that failed and the next one; Kubernetes doubles too, from 10 s. */
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;
/** Running this long is a start that succeeded. */
const HEALTHY_AFTER_MS = 60_000;
/** While it starts, and while it runs. */
const STARTING_PROBE_MS = 100;
const PROBE_MS = 1_000;
const MAX_LOG_BYTES = 20 * 1024 * 1024;
/** The last words of a program that has failed. */
const MAX_LOOKED_AT_BYTES = 64 * 1024;

/** A running pod. */
export class PodProcess {
  readonly pod: Pod;
  readonly #command: PodCommand;
  readonly #changed: () => void;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  #failedProbes = 0;
  #backoffMs = FIRST_BACKOFF_MS;
  #phase: PodPhase = 'Starting';
  #ready = false;
  #live = false;
  #restarts = 0;
  #logFrom = 0;
  #failure: string | undefined;
  #ended: (() => void)[] = [];

  /** `changed` is called whenever what the getters say changes. */
  constructor(pod: Pod, command: PodCommand, changed: () => void) {
    this.pod = pod;
    this.#command = command;
    this.#changed = changed;
  }

  get phase(): PodPhase {
    return this.#phase;
  }

  get ready(): boolean {
    return this.#ready && this.#phase === 'Running';
  }

  get address(): string {
    return this.#command.address;
  }

  /** All of that, and its resident memory where the system says it. */
  get state(): PodState {
    const { pid } = this.#child ?? {};
    return {
      ...{ id: this.pod.id, address: this.address, phase: this.#phase },
      ...{ ready: this.ready, restarts: this.#restarts },
      residentBytes: pid === undefined ? undefined : residentBytes(pid),
    };
  }

  /** What the last error in the log of the run that ended says; undefined if there is none. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Ends it: SIGTERM, again after `hurryMs` (our programs end at once on the second), SIGKILL after the grace period. */
  async stop(hurryMs: number): Promise<void> {
    if (this.#phase === 'Ended') return;
    clearTimeout(this.#timer);
    this.#phase = 'Stopping';
    this.#ready = false;
    const child = this.#child;
    if (child === undefined) {
      this.#end();
      return;
    }
    const ended = new Promise<void>((resolve) => {
      this.#ended.push(resolve);
    });
    child.kill('SIGTERM');
    const hurry = setTimeout(() => child.kill('SIGTERM'), hurryMs);
    const kill = setTimeout(() => child.kill('SIGKILL'), this.pod.graceSeconds * 1_000);
    await ended;
    clearTimeout(hurry);
    clearTimeout(kill);
  }

  /** Ends it at once, without a word: for a run that ends itself and waits for nothing. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Starts it, the first time and after each backoff. */
  start(): void {
    const { argv, env, folder } = this.#command;
    const [program = '', ...args] = argv;
    this.#startedAtMs = performance.now();
    this.#failedProbes = 0;
    this.#live = false;
    this.#set('Starting');
    // Standard output is the audit trail of a program without a log server, standard error its log.
    this.#logFrom = sizeOf(`${folder}/program.log`);
    const [audit, log] = [openLog(`${folder}/audit.log`), openLog(`${folder}/program.log`)];
    // The channel says nothing: it closes when this process ends, and the program ends with it.
    const child = spawn(program, args, { env, cwd: folder, stdio: ['ignore', audit, log, 'ipc'] });
    child.channel?.unref();
    closeSync(audit);
    closeSync(log);
    this.#child = child;
    if (child.pid !== undefined) noteProcess(folder, child.pid);
    child.once('error', () => {
      this.#gone();
    });
    child.once('exit', () => {
      this.#gone();
    });
    this.#probeIn(STARTING_PROBE_MS);
  }

  #gone(): void {
    if (this.#child === undefined) return;
    this.#child = undefined;
    forgetProcess(this.#command.folder);
    clearTimeout(this.#timer);
    if (this.#phase === 'Stopping') {
      this.#end();
      return;
    }
    const ran = performance.now() - this.#startedAtMs;
    this.#backoffMs =
      ran > HEALTHY_AFTER_MS ? FIRST_BACKOFF_MS : Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
    this.#restarts += 1;
    this.#ready = false;
    this.#failure = failureIn(logSince(`${this.#command.folder}/program.log`, this.#logFrom));
    this.#set('BackOff');
    this.#timer = setTimeout(() => {
      this.start();
    }, this.#backoffMs);
  }

  #end(): void {
    this.#set('Ended');
    for (const resolve of this.#ended.splice(0)) resolve();
  }

  #set(phase: PodPhase): void {
    this.#phase = phase;
    this.#changed();
  }

  #probeIn(ms: number): void {
    this.#timer = setTimeout(() => {
      void this.#probe().then(() => {
        if (this.#isProbed) this.#probeIn(this.#live && this.#ready ? PROBE_MS : STARTING_PROBE_MS);
      });
    }, ms);
  }

  async #probe(): Promise<void> {
    const { livenessProbe, readinessProbe } = this.pod.container;
    const live = await this.#ask(livenessProbe);
    const ready = live && (await this.#ask(readinessProbe));
    if (this.#isProbed) this.#take(live, ready);
  }

  get #isProbed(): boolean {
    return this.#phase === 'Running' || this.#phase === 'Starting';
  }

  #take(live: boolean, ready: boolean): void {
    if (live) this.#live = true;
    this.#failedProbes = live ? 0 : this.#failedProbes + 1;
    const dead = this.#tooLongDead(this.pod.container.livenessProbe);
    if (this.#live && dead) this.#child?.kill('SIGKILL');
    const phase: PodPhase = this.#live ? 'Running' : 'Starting';
    if (phase === this.#phase && ready === this.#ready) return;
    this.#ready = ready;
    this.#set(phase);
  }

  /** As a kubelet counts: so many periods without an answer. Here the question is asked more often. */
  #tooLongDead(probe: Probe | undefined): boolean {
    const { periodSeconds = 10, failureThreshold = 3 } = probe ?? {};
    return this.#failedProbes * STARTING_PROBE_MS > periodSeconds * failureThreshold * 1_000;
  }

  #ask(probe: Probe | undefined): Promise<boolean> {
    if (probe === undefined) return Promise.resolve(true);
    const { path, port } = probe.httpGet;
    const named = this.pod.container.ports?.find(({ name }) => name === port)?.containerPort;
    const timeout = (probe.timeoutSeconds ?? 1) * 1_000;
    return new Promise((resolve) => {
      const options = { host: this.#command.address, port: named ?? port, path, timeout };
      const request = get(options, (response) => {
        response.resume();
        resolve((response.statusCode ?? 500) < 400);
      });
      request.once('timeout', () => request.destroy());
      request.once('error', () => {
        resolve(false);
      });
    });
  }
}

/** Appends; a log that has grown large becomes the one before. */
function openLog(path: string): number {
  if (sizeOf(path) > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** The end of a log, from `from` on if that is not too long. */
function logSince(path: string, from: number): string {
  const size = sizeOf(path);
  // It may have become the one before: then it begins anew.
  const start = Math.max(size < from ? 0 : from, size - MAX_LOOKED_AT_BYTES);
  const bytes = Buffer.alloc(size - start);
  const file = openSync(path, 'r');
  try {
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, start));
  } finally {
    closeSync(file);
  }
}

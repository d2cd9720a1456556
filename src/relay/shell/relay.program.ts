/*
 * The relay as a program: the packet worker, the thread that ends TLS, registrations, files, health. No Nest; nothing
 * here is on the way of a packet.
 */
import { randomBytes } from 'node:crypto';
import { LevelLog } from '../../runtime/level-log.js';
import { createMetricsRegistry, type MetricsRegistry } from '../../runtime/metrics.registry.js';
import { createPinoLogger, type LineSink } from '../../runtime/pino.log.js';
import { ProbeServer } from '../../runtime/probe.server.js';
import type { StopStep } from '../../runtime/shutdown.js';
import { CRYPTO_BACKEND } from '../packet/lease-reader.js';
import { PacketThread } from '../packet/packet.thread.js';
import type { SocketKind } from '../packet/packet-messages.js';
import type { RelaySettings } from '../settings.js';
import { ordinalOf } from './arguments.js';
import { FallbackThread } from './fallback.thread.js';
import { registrationHost, type GatewayParts } from './gateway.host.js';
import { readyAnswer } from './readiness.js';
import { Registrations } from './registrations.client.js';
import { RelayEvents } from './relay.events.js';
import { refuseOpenKey, RelayFiles, type RelayFilesListener } from './relay.files.js';
import { batchHistograms, declareRelayMetrics, type MeasuredRelay } from './relay.metrics.js';
import type { Named } from './security-events.js';
import { workerProgram } from './worker.files.js';

const BOOT_BYTES = 16;
/** Connections per session: both sides may be on TLS. */
const CONNECTIONS_PER_SESSION = 2;
/** A TLS connection takes about 60 kB, so that this many take half of the memory that a relay's pod has by default. */
const MAX_CONNECTIONS = 2_048;
/** A last heartbeat says `draining` before the connection ends. */
const LAST_HEARTBEAT_MS = 250;

/** What a relay is started with. */
export interface RelayOptions {
  /** Read with `readRelaySettings`. */
  readonly settings: RelaySettings;
  readonly settingsPath: string;
  /** Name of the pod: POOL-relay-ORDINAL. */
  readonly pod: string;
  readonly version: string;
  /** Log lines. */
  readonly log: LineSink;
  /** Audit records. */
  readonly audit: LineSink;
  /** Failed writes of log and audit so far. */
  readonly lostWrites?: () => number;
  /** `auto` unless a test wants one. */
  readonly socket?: SocketKind | 'auto';
}

/** A relay that runs. */
export class RelayProgram {
  readonly log: LevelLog;
  /** Resolves with an exit code when the relay ends by itself: drained by a gateway or a command, or broken. */
  readonly ended: Promise<number>;
  readonly #registry: MetricsRegistry = createMetricsRegistry({ processMetrics: true });
  readonly #boot = randomBytes(BOOT_BYTES).toString('hex');
  readonly #events: RelayEvents;
  readonly #files: RelayFiles;
  readonly #registrations: Registrations;
  readonly #fallback: FallbackThread | undefined;
  #health: ProbeServer | undefined;
  #stopping: Promise<void> | undefined;
  #end: (code: number) => void = () => undefined;

  private constructor(
    private readonly options: RelayOptions,
    log: LevelLog,
    private readonly packet: PacketThread,
  ) {
    const { settings, pod, audit, settingsPath } = options;
    const { pool, listeners } = settings;
    this.log = log;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#events = new RelayEvents({ log, metrics: this.#registry, audit, pod, pool: named(pool) });
    this.#registrations = new Registrations((gateway) => registrationHost(this.#told(), gateway));
    this.#fallback = listeners.fallback.enabled ? this.#startFallback() : undefined;
    const unixMs = () => Date.now();
    this.#files = new RelayFiles(settings, {
      settingsPath,
      log,
      listener: this.#listener(),
      unixMs,
    });
    declareRelayMetrics(this.#registry, this.#measured());
    void packet.ended.then((error) => {
      this.#packetEnded(error);
    });
  }

  /**
   * Starts a relay; it may not be ready yet.
   * @throws ActionableError for a pod of another pool, a private key that others may read, a port that is taken
   */
  static async start(options: RelayOptions): Promise<RelayProgram> {
    const { settings, pod, socket = 'auto' } = options;
    const inner = createPinoLogger('relay', 'debug', options.log);
    const log = new LevelLog(inner, { value: settings.logLevel });
    const relayId = `${settings.pool.namespace}/${settings.pool.name}/${ordinalOf(pod, settings.pool.name)}`;
    await refuseOpenKey(settings);
    const { addresses, port } = settings.listeners.relay;
    const program = workerProgram('packet.worker');
    const packet = await PacketThread.start({ relayId, addresses, port, socket, ...program }, log);
    const relay = new RelayProgram(options, log, packet);
    await relay.#begin();
    const { version } = options;
    const crypto = { backend: CRYPTO_BACKEND, openssl: process.versions.openssl };
    log.info('started', { relay: relayId, version, port: relay.healthPort, crypto });
    return relay;
  }

  /** The port of /livez, /readyz and /metrics. */
  get healthPort(): number {
    return this.#health?.port ?? 0;
  }

  /** For SIGTERM: one step, because what it does has an order of its own. */
  get stopSteps(): readonly StopStep[] {
    return [{ name: 'relay', stop: () => this.stop() }];
  }

  /** Drains, then ends; resolves when it has. A second call waits for the first. */
  stop(by: Named | 'Signal' | 'Command' = 'Signal', deadlineMs = Infinity): Promise<void> {
    this.#stopping ??= this.#drain(by, deadlineMs).then(() => this.#close());
    return this.#stopping;
  }

  /** The same at the wish of a gateway or a command: the program then ends by itself. */
  drain(by: Named | 'Command', deadlineMs = Infinity): void {
    if (this.#stopping) return;
    this.stop(by, deadlineMs).then(
      () => {
        this.#end(0);
      },
      (error: unknown) => {
        this.log.error('stopping failed', { error });
        this.#end(1);
      },
    );
  }

  async #begin(): Promise<void> {
    await this.#files.start();
    this.#registrations.start();
    this.#health = await ProbeServer.start(
      {
        ready: () => this.#ready(),
        metrics: {
          text: async () =>
            `${await this.#registry.text()}${batchHistograms({ statistics: () => this.packet.statistics() })}`,
          contentType: this.#registry.contentType,
        },
      },
      this.options.settings.listeners.health,
    );
  }

  #ready() {
    const fallback = this.#fallback?.problem;
    return readyAnswer({
      draining: this.#stopping !== undefined,
      problems: [...this.#files.problems(), ...(fallback === undefined ? [] : [fallback])],
      warnings: this.#files.warnings(),
    });
  }

  async #drain(by: Named | 'Signal' | 'Command', wishedMs: number): Promise<void> {
    const now = Date.now();
    const longest = this.#files.settings.drain.seconds * 1_000;
    const forMs = Math.max(0, Math.min(wishedMs - now, longest));
    this.#events.draining(by, Math.ceil(forMs / 1_000));
    const drained = new Promise<void>((resolve) => {
      this.packet.drain(now + forMs, resolve);
      setTimeout(resolve, forMs);
    });
    this.#registrations.hurry();
    await Promise.all([drained, new Promise((resolve) => setTimeout(resolve, LAST_HEARTBEAT_MS))]);
    const { sessions } = this.packet.statistics().values;
    this.log.info('drained', { sessions });
  }

  async #close(): Promise<void> {
    this.#files.stop();
    await this.#registrations.stop();
    await this.#fallback?.stop();
    await this.packet.stop();
    await this.#health?.close();
  }

  #packetEnded(error: Error | undefined): void {
    if (this.#stopping && !error) return;
    this.log.error('the packet worker ended', { error });
    this.#end(1);
  }

  #startFallback(): FallbackThread {
    const { addresses, port } = this.options.settings.listeners.fallback;
    const attach = () => this.packet.attachFallback();
    const program = workerProgram('fallback.worker');
    return new FallbackThread({ addresses, port, attach, ...program }, this.log);
  }

  #listener(): RelayFilesListener {
    return {
      settings: (settings) => {
        this.log.setLevel(settings.logLevel);
        const { fallbackConnectionsPerAddressPerMinute: perAddressPerMinute } = settings.rateLimits;
        const wanted = CONNECTIONS_PER_SESSION * settings.capacity.maxSessions;
        const connections = Math.min(MAX_CONNECTIONS, wanted);
        this.#fallback?.tell({ kind: 'limits', perAddressPerMinute, connections });
        this.#configure();
      },
      directory: ({ gateways, leaseKeys }) => {
        this.log.info('directory of gateways', {
          gateways: gateways.length,
          keys: leaseKeys.length,
        });
        this.#configure();
        this.#registrations.follow(gateways);
      },
      leaf: ({ certificate, key, notAfterMs }) => {
        this.log.info('certificate', { notAfter: new Date(notAfterMs) });
        this.#fallback?.tell({ kind: 'leaf', certificate, key });
      },
      loaded: (file, outcome) => {
        this.#events.loaded(file, outcome);
      },
    };
  }

  #configure(): void {
    const { capacity, rateLimits, stun, peerAddresses } = this.#files.settings;
    const leaseKeys = this.#files.directory?.leaseKeys ?? [];
    this.packet.configure({ capacity, rateLimits, stun, peerAddresses, leaseKeys });
  }

  /** What registrations work with. */
  #told(): GatewayParts {
    const { packet } = this;
    const { pool } = this.options.settings;
    const ordinal = ordinalOf(this.options.pod, pool.name);
    return {
      pool,
      registrant: { pool: `${pool.namespace}/${pool.name}`, ordinal, boot: this.#boot },
      events: this.#events,
      packet,
      files: this.#files,
      isDraining: () => this.#stopping !== undefined,
      drain: (gateway, deadlineMs) => {
        this.drain(gateway, deadlineMs);
      },
    };
  }

  #measured(): MeasuredRelay {
    const { packet } = this;
    return {
      version: this.options.version,
      lostWrites: this.options.lostWrites ?? (() => 0),
      pool: this.options.settings.pool,
      socket: { kind: packet.socket, reason: packet.fallbackReason ?? '' },
      backend: CRYPTO_BACKEND,
      statistics: () => packet.statistics(),
      takeLoopLag: () => packet.takeLoopLag(),
      fallback: () => this.#fallback?.statistics(),
      phases: () => this.#registrations.phases(),
      skewMs: () => this.#registrations.skewMs(),
      directory: () => this.#files.directory,
      leaf: () => this.#files.leaf,
    };
  }
}

const named = ({ namespace, name }: Named): Named => ({ namespace, name });

/*
 * The gateway as a program, apart from which rooms it has: log, metrics, audit, files, listeners, health, and their end.
 */
import { randomBytes } from 'node:crypto';
import type { AuditEmitter } from '../../audit/emitter.js';
import { createLineEmitter } from '../../audit/stdout.emitter.js';
import { chooseBackend } from '../../crypto/backend.chooser.js';
import { LevelLog } from '../../runtime/level-log.js';
import { createMetricsRegistry, type MetricsRegistry } from '../../runtime/metrics.registry.js';
import { createPinoLogger, type LineSink } from '../../runtime/pino.log.js';
import { ProbeServer } from '../../runtime/probe.server.js';
import type { StopStep } from '../../runtime/shutdown.js';
import { systemClock } from '../../runtime/system.clock.js';
import type { Bus } from '../bus.js';
import type { RoomContext } from '../rooms.js';
import type { GatewaySettings } from '../settings.js';
import type { Store } from '../store.js';
import type { ServedLeaf } from './certificate.js';
import { GatewayFiles, refuseOpenKeys } from './gateway.files.js';
import { GatewayServer, type GatewayRooms } from './gateway.server.js';
import { watchLoopLag } from './loop-lag.runner.js';
import { declareServerGauges, serverCounters, type RoomFile, type ServerFile } from './metrics.js';
import { OpenConnections } from './open-connections.js';
import { busProblem, readyAnswer, storageProblem } from './readiness.js';
import { StorageWatch } from './storage.watch.js';

/** What a gateway is started with. */
export interface GatewayOptions {
  /** Read with `readGatewaySettings`. */
  readonly settings: GatewaySettings;
  readonly settingsPath: string;
  /** Name of the pod in audit records. */
  readonly pod: string;
  readonly version: string;
  /** Log lines. */
  readonly log: LineSink;
  /** Audit records. */
  readonly audit: LineSink;
  /** Failed writes of log and audit so far. */
  readonly lostWrites?: () => number;
}

/** Rooms, and what the program asks them besides requests. */
export interface FurnishedRooms {
  readonly rooms: GatewayRooms;
  /** Why nobody can be served; texts for /readyz. */
  problems(): readonly string[];
  /** What is wrong and does not matter yet. */
  warnings(): readonly string[];
  /** What ends after the rooms: files that they follow. */
  stop(): Promise<void> | void;
}

/** What only the rooms' own folders know how to make. */
export interface Furnishing {
  openStore(context: Omit<RoomContext, 'store' | 'bus'>): Promise<Store>;
  createBus(context: Omit<RoomContext, 'store' | 'bus'>): Promise<Bus> | Bus;
  furnish(context: RoomContext, server: ServerView): Promise<FurnishedRooms>;
}

/** What rooms see of the server that they are made for. */
export interface ServerView {
  /** After each reading of a file: it is counted and on record. */
  loaded(file: RoomFile, outcome: 'success' | 'failure'): void;
  /** Chain and key that endpoints are shown now; undefined before there was a good one. */
  publicLeaf(): ServedLeaf | undefined;
}

/** A gateway that runs. */
export class GatewayProgram {
  readonly log: LevelLog;
  readonly #registry: MetricsRegistry = createMetricsRegistry({ processMetrics: true });
  readonly #connections = new OpenConnections();
  readonly #counters = serverCounters(this.#registry);
  readonly #lag = watchLoopLag();
  readonly #files: GatewayFiles;
  readonly #audit: AuditEmitter;
  #furnished: FurnishedRooms | undefined;
  #server: GatewayServer | undefined;
  #storage: StorageWatch | undefined;
  #store: Store | undefined;
  #bus: Bus | undefined;
  #health: ProbeServer | undefined;

  private constructor(private readonly options: GatewayOptions) {
    const { settings, settingsPath, pod } = options;
    const inner = createPinoLogger('gateway', 'debug', options.log);
    this.log = new LevelLog(inner, { value: settings.logLevel });
    this.#audit = createLineEmitter(
      { component: 'gateway', instance: pod },
      systemClock,
      options.audit,
    );
    this.#files = new GatewayFiles(settings, {
      settingsPath,
      log: this.log,
      unixMs: () => systemClock.now().getTime(),
      listener: {
        settings: ({ logLevel }) => {
          this.log.setLevel(logLevel);
        },
        tls: () => {
          this.#server?.tlsChanged();
        },
        loaded: (file, outcome) => {
          this.#loaded(file, outcome);
        },
      },
    });
  }

  /**
   * Starts a gateway; it may not be ready yet.
   * @throws ActionableError for a private key that others may read, a port that is taken, what rooms cannot do without
   */
  static async start(options: GatewayOptions, furnishing: Furnishing): Promise<GatewayProgram> {
    await refuseOpenKeys(options.settings);
    const gateway = new GatewayProgram(options);
    try {
      await gateway.#begin(furnishing);
    } catch (error) {
      await gateway.stop();
      throw error;
    }
    return gateway;
  }

  get publicPort(): number {
    return this.#server?.publicPort ?? 0;
  }

  get internalPort(): number {
    return this.#server?.internalPort ?? 0;
  }

  /** The port of /livez, /readyz and /metrics. */
  get healthPort(): number {
    return this.#health?.port ?? 0;
  }

  /** Reads files that changed now instead of within a second. */
  look(): Promise<void> {
    return this.#files.look();
  }

  /** For SIGTERM: in this order, so that what is in flight still has its database and health says so until the end. */
  get stopSteps(): readonly StopStep[] {
    return [
      { name: 'server', stop: () => this.#server?.stop() },
      { name: 'files', stop: () => this.#stopFiles() },
      { name: 'bus', stop: () => this.#bus?.close() },
      { name: 'store', stop: () => this.#store?.close() },
      { name: 'health', stop: () => this.#health?.close() },
    ];
  }

  /** Ends it; resolves when it has. */
  async stop(): Promise<void> {
    for (const step of this.stopSteps) await step.stop();
  }

  async #begin(furnishing: Furnishing): Promise<void> {
    const { backend, context: base } = this.#base();
    // First, so that a pod that cannot reach its database says so instead of nothing.
    this.#health = await ProbeServer.start(
      { ready: () => this.#ready(), metrics: this.#registry },
      this.options.settings.listeners.health,
    );
    await this.#files.start();
    const store = (this.#store = await furnishing.openStore(base));
    const bus = (this.#bus = await furnishing.createBus(base));
    this.#storage = new StorageWatch(store, this.log);
    await this.#storage.start();
    const context: RoomContext = { ...base, store, bus };
    this.#furnished = await furnishing.furnish(context, {
      loaded: (file, outcome) => {
        this.#loaded(file, outcome);
      },
      publicLeaf: () => this.#files.leaf('public'),
    });
    this.#server = new GatewayServer({
      context,
      connections: this.#connections,
      rooms: this.#furnished.rooms,
      files: this.#files,
      counters: this.#counters,
    });
    this.#server.tlsChanged();
    this.#declare(backend);
    await this.#server.listen();
    const { version } = this.options;
    this.log.info('started', { version, backend, port: this.publicPort, health: this.healthPort });
  }

  #base() {
    const { backend } = chooseBackend();
    const context: Omit<RoomContext, 'store' | 'bus'> = {
      connections: this.#connections,
      settings: () => this.#files.settings,
      clock: systemClock,
      random: (bytes) => randomBytes(bytes),
      backend,
      audit: this.#audit,
      metrics: this.#registry,
      log: this.log,
    };
    return { backend: backend.name, context };
  }

  #ready() {
    if (!this.#server || !this.#furnished)
      return readyAnswer({
        isEnding: false,
        problems: ['the gateway is starting', ...this.#files.problems()],
        warnings: this.#files.warnings(),
      });
    return readyAnswer({
      isEnding: this.#server.isEnding,
      problems: [
        ...this.#files.problems(),
        ...storageProblem(this.#storage?.reason),
        ...this.#furnished.problems(),
      ],
      warnings: [
        ...this.#files.warnings(),
        ...busProblem(this.#bus?.connected),
        ...this.#furnished.warnings(),
      ],
    });
  }

  #declare(backend: string): void {
    const { version, lostWrites = () => 0, settings } = this.options;
    declareServerGauges(this.#registry, {
      version,
      backend,
      lostWrites,
      namespace: settings.gateway.namespace,
      connections: () => this.#server?.counts ?? { login: 0, open: 0, relays: 0 },
      storageIsUp: () => this.#storage?.reason === undefined,
      busIsUp: () => this.#bus?.connected === true,
      takeLoopLag: () => this.#lag.take(),
      evictedSources: () => this.#server?.evictedSources ?? 0,
      certificates: () =>
        (['public', 'internal'] as const).flatMap((purpose) => {
          const notAfterMs = this.#files.leaf(purpose)?.notAfterMs;
          const secret = `${settings.gateway.name}-gateway-${purpose}-tls`;
          return notAfterMs === undefined ? [] : [{ secret, purpose, notAfterMs }];
        }),
    });
  }

  #loaded(file: ServerFile | RoomFile, outcome: 'success' | 'failure'): void {
    this.#counters.files.inc({ file, outcome });
    const { namespace, name, uid } = this.options.settings.gateway;
    this.#audit.emit({
      type: 'system-change',
      action: `${file}.load`,
      outcome,
      ...(outcome === 'failure' && { reason: 'InvalidFile' }),
      actor: { kind: 'program' },
      resource: { gvk: 'sallyport.dev/v1alpha1/SignalingGateway', ns: namespace, name, uid },
    });
  }

  async #stopFiles(): Promise<void> {
    this.#files.stop();
    this.#storage?.stop();
    this.#lag.stop();
    await this.#furnished?.stop();
  }
}

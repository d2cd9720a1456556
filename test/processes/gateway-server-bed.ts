/*
 * The server of a gateway in this process, with rooms as small as they can be and a clock that tests move: whoever sends
 * a login is in, and each test says what requests do.
 */
import { randomBytes } from 'node:crypto';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import type { Bus, BusAnswer, BusMessage } from '../../src/gateway/bus.js';
import type { Caller, Handlers } from '../../src/gateway/caller.js';
import type { GatewayRooms } from '../../src/gateway/server/gateway.server.js';
import { GatewayServer } from '../../src/gateway/server/gateway.server.js';
import { GatewayFiles } from '../../src/gateway/server/gateway.files.js';
import { serverCounters } from '../../src/gateway/server/metrics.js';
import { OpenConnections } from '../../src/gateway/server/open-connections.js';
import type { LoginFacts, LoginStep, Room, RoomContext } from '../../src/gateway/rooms.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import type { AccountRow, Store } from '../../src/gateway/store.js';
import type { FromEndpoint, ToEndpoint } from '../../src/messages/signaling.js';
import type { Clock } from '../../src/runtime/clock.js';
import { SILENT_LOGGER } from '../../src/runtime/log.js';
import { createMetricsRegistry } from '../../src/runtime/metrics.registry.js';
import { TestEndpoint, type GatewayPlace } from './gateway-endpoint.js';
import { GatewayFolder, HOST } from './gateway-process.js';

/** 2026-03-01T12:00:00Z. */
export const BEGIN_MS = 1_772_366_400_000;
const SESSION_MS = 3_600_000;

/** A clock that stands until a test moves it. */
export class BedClock implements Clock {
  ms = 0;
  now = (): Date => new Date(BEGIN_MS + this.ms);
  monotonicMs = (): number => 1_000_000 + this.ms;
}

/** A bus that joins beds in one process: what one tells the others hear in the same turn. */
export class BedBus implements Bus {
  readonly connected = true;
  readonly replicas = 1;
  readonly areAllHeard = true;
  readonly told: BusMessage[] = [];
  #handle: (message: BusMessage, from: string) => BusAnswer | Promise<BusAnswer> = () => undefined;
  constructor(
    readonly replica: string,
    private readonly others: Set<BedBus>,
  ) {
    others.add(this);
  }
  tell(message: BusMessage): void {
    this.told.push(message);
    for (const other of this.others)
      if (other !== this) void Promise.resolve(other.#handle(message, this.replica));
  }
  /** As if another replica had said it. */
  async hear(message: BusMessage): Promise<void> {
    await this.#handle(message, 'other');
  }
  ask = (): Promise<BusAnswer> => Promise.resolve(undefined);
  askAll = (): Promise<[]> => Promise.resolve([]);
  onMessage(handle: (message: BusMessage, from: string) => BusAnswer | Promise<BusAnswer>): void {
    this.#handle = handle;
  }
  onJoin = (): void => undefined;
  close = (): Promise<void> => Promise.resolve();
}

/** What tests choose. */
export interface BedOptions {
  readonly handlers?: Partial<Handlers>;
  readonly settings?: (settings: GatewaySettings) => GatewaySettings;
  readonly room?: Partial<Room>;
  /** What the store says of an account; by default it is active. */
  readonly account?: (account: string) => Promise<AccountRow | undefined>;
  readonly buses?: Set<BedBus>;
  readonly clock?: BedClock;
  readonly caller?: Partial<Caller>;
}

/** A running server. */
export interface ServerBed {
  readonly server: GatewayServer;
  readonly connections: OpenConnections;
  readonly clock: BedClock;
  readonly bus: BedBus;
  readonly place: GatewayPlace;
  readonly folder: GatewayFolder;
  readonly facts: LoginFacts[];
  /** Logs in as a device of an account, both by name. */
  login(account: string, device?: string): Promise<TestEndpoint>;
  metric(series: string): Promise<number>;
  stop(): Promise<void>;
}

const active = (account: string): Promise<AccountRow> =>
  Promise.resolve({ account, identity: new Uint8Array(32), state: 'Active', registeredOn: 0 });

const same = (settings: GatewaySettings): GatewaySettings => settings;

/** Starts a server on loopback. */
export async function startServer(options: BedOptions = {}): Promise<ServerBed> {
  const { clock = new BedClock(), settings: change = same } = options;
  const folder = await GatewayFolder.make(change);
  const registry = createMetricsRegistry({ processMetrics: false });
  const connections = new OpenConnections();
  const counters = serverCounters(registry);
  const running: GatewayServer[] = [];
  const files = new GatewayFiles(change(folder.settings), {
    settingsPath: folder.settingsPath,
    log: SILENT_LOGGER,
    unixMs: Date.now,
    listener: {
      settings: () => undefined,
      tls: () => {
        running.at(0)?.tlsChanged();
      },
      loaded: () => undefined,
    },
  });
  const bus = new BedBus(randomBytes(4).toString('hex'), options.buses ?? new Set());
  // The server asks the store for nothing but accounts.
  const store = { account: options.account ?? active } as unknown as Store;
  const context: RoomContext = {
    ...{ store, bus, connections, clock, backend: nodeBackend, metrics: registry },
    settings: () => files.settings,
    random: (bytes) => randomBytes(bytes),
    audit: { emit: () => undefined },
    log: SILENT_LOGGER,
  };
  const facts: LoginFacts[] = [];
  const rooms = smallRooms(options, clock, facts);
  await files.start();
  const made = new GatewayServer({ context, connections, rooms, files, counters });
  running.push(made);
  made.tlsChanged();
  await made.listen();
  const place = { port: made.publicPort, ca: folder.authority.certificate };
  return {
    ...{ server: made, connections, clock, bus, place, folder, facts },
    login: async (account, device = 'device') => {
      const endpoint = await TestEndpoint.open(place);
      await endpoint.next();
      endpoint.send(loginOf(account, device));
      await endpoint.until(({ type }) => type === 'welcome' || type === 'refused');
      return endpoint;
    },
    metric: async (series) => {
      const lines = (await registry.text()).split('\n');
      return Number(
        lines
          .find((line) => line.startsWith(`${series} `))
          ?.split(' ')
          .at(-1),
      );
    },
    stop: async () => {
      files.stop();
      await made.stop();
      await folder.remove();
    },
  };
}

/** Names stand where keys would be: this login room believes everything. */
const loginOf = (account: string, device: string): FromEndpoint => ({
  type: 'login',
  host: HOST,
  binding: 1,
  device: `${account}-${device}-`.padEnd(268, 'A'),
  revocations: [],
  signature: 'A'.repeat(86),
});

const WELCOME = (account: string): ToEndpoint => ({
  type: 'welcome',
  gateway: 'edge/main',
  account,
  endsAt: 0,
  idleSeconds: 60,
  administrator: false,
  roles: [],
  enrolSecondFactor: false,
  leaseKeys: [],
  at: 0,
});

function smallRooms(options: BedOptions, clock: BedClock, facts: LoginFacts[]): GatewayRooms {
  const begin = (fact: LoginFacts) => {
    facts.push(fact);
    const challenge = 'A'.repeat(43);
    const first: ToEndpoint = { type: 'challenge', challenge, profile: 'Standard', at: 0 };
    const receive = (message: FromEndpoint): Promise<LoginStep> => {
      if (message.type !== 'login')
        return Promise.resolve({
          send: { type: 'refused', reason: 'login-failed' },
          refused: true,
        });
      const [account = '', device = ''] = message.device.split('-');
      const caller: Caller = {
        ...{ account, device, session: `session of ${account} ${device}` },
        identity: new Uint8Array(32),
        binding: new Uint8Array(201),
        revocations: [],
        endsAt: BEGIN_MS + clock.ms + SESSION_MS,
        administrator: false,
        mustEnrol: false,
        ...options.caller,
      };
      return Promise.resolve({ send: WELCOME(account), caller });
    };
    return { first, receive };
  };
  return {
    login: { handlers: {}, begin },
    signaling: { ...options.room, handlers: options.handlers ?? {} },
    leases: { handlers: {}, accept: () => undefined },
    access: { handlers: {}, decide: () => 'allowed', done: () => undefined, rolesOf: () => [] },
  };
}

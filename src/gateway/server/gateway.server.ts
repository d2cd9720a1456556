/*
 * The gateway between its listeners and its rooms: who is connected, what replicas say, what every second brings, and the
 * end of it all.
 */
import type { CloseName, LoginRefusal } from '../../messages/signaling.js';
import type { BusAnswer, BusMessage } from '../bus.js';
import type { Caller, Connection } from '../caller.js';
import { connectionId } from '../newest-connection.js';
import type { AccessRoom, LoginFacts, LoginRoom, RelayRoom, Room, RoomContext } from '../rooms.js';
import type { EndpointHost } from './endpoint-host.js';
import { EndpointSocket } from './endpoint.socket.js';
import { GatewayFiles } from './gateway.files.js';
import { InternalListener } from './internal.listener.js';
import type { ServerCounters } from './metrics.js';
import type { Wire } from './message.outlet.js';
import type { OpenConnections } from './open-connections.js';
import { PublicListener } from './public.listener.js';
import { relayIdentity } from './relay-identity.js';

/** All rooms. */
export interface GatewayRooms {
  readonly login: LoginRoom;
  readonly signaling: Room;
  readonly leases: RelayRoom;
  readonly access: AccessRoom;
  /** Rooms that answer no requests. */
  readonly jobs?: readonly Room[];
}

/** What a server is made from. */
export interface GatewayServerParts {
  readonly context: RoomContext;
  readonly connections: OpenConnections;
  readonly rooms: GatewayRooms;
  readonly files: GatewayFiles;
  readonly counters: ServerCounters;
}

const ID_BYTES = 16;
const TICK_MS = 1_000;
/** Clients that all come back at once are a flood: farewells are spread over this time. */
const FAREWELL_SPREAD_MS = 3_000;
/** From the first farewell to the end of whoever did not take it. */
const DRAIN_MS = 4_500;
/** How often it is looked who is still there. */
const LOOK_MS = 50;

/** A gateway's server. */
export class GatewayServer {
  readonly #public: PublicListener;
  readonly #internal: InternalListener;
  readonly #sockets = new Set<EndpointSocket>();
  readonly #host: EndpointHost;
  readonly #rooms: readonly Room[];
  #timer: NodeJS.Timeout | undefined;
  #isEnding = false;

  constructor(private readonly parts: GatewayServerParts) {
    const { context, rooms, counters, files } = parts;
    const { settings, random, clock } = context;
    this.#rooms = [rooms.login, rooms.access, rooms.signaling, rooms.leases, ...(rooms.jobs ?? [])];
    this.#host = this.#makeHost();
    const monotonicMs = () => clock.monotonicMs();
    this.#public = new PublicListener({
      settings,
      counters,
      random,
      monotonicMs,
      isEnding: () => this.#isEnding,
      accept: (wire, facts) => {
        this.#accept(wire, facts);
      },
    });
    this.#internal = new InternalListener({
      settings,
      counters,
      monotonicMs,
      relays: rooms.leases,
      identityOf: (certificate) =>
        relayIdentity(certificate, { installId: settings().installId, trust: files.trust }),
      failed: (what, error) => {
        this.#failed(what, error);
      },
    });
    context.bus.onMessage((message, from) => this.#onBus(message, from));
  }

  get publicPort(): number {
    return this.#public.port;
  }

  get internalPort(): number {
    return this.#internal.port;
  }

  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Connections that log in, that are in, and relays. */
  get counts(): { readonly login: number; readonly open: number; readonly relays: number } {
    const open = this.parts.connections.count;
    const login = this.#public.waiting + this.#sockets.size - open;
    return { login, open, relays: this.#internal.count };
  }

  get evictedSources(): number {
    return this.#public.evictedSources;
  }

  /** Binds both listeners. @throws ActionableError ERR_LISTEN */
  async listen(): Promise<void> {
    await this.#public.listen();
    await this.#internal.listen();
    this.#timer = setInterval(() => {
      this.#tick();
    }, TICK_MS);
  }

  /** Serves the certificates that the files hold now. */
  tlsChanged(): void {
    const { files } = this.parts;
    const open = files.leaf('public');
    if (open) this.#public.present({ cert: open.certificate, key: open.key });
    const internal = files.leaf('internal');
    // Without an authority nobody is let in; Node would take those of the machine in their place.
    if (internal && files.trustPem.length > 0) {
      const ca = [...files.trustPem];
      this.#internal.present({ cert: internal.certificate, key: internal.key, ca });
    }
    this.#internal.trustChanged();
  }

  /** Lets nobody in any more, says goodbye to everybody at moments of chance, and cuts who stays. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    clearInterval(this.#timer);
    this.#public.stopListening();
    this.#internal.stop();
    for (const socket of this.#sockets) {
      const [chance = 0] = this.parts.context.random(1);
      setTimeout(
        () => {
          socket.close('gateway-ends');
        },
        (chance / 256) * FAREWELL_SPREAD_MS,
      ).unref();
    }
    for (let waited = 0; this.#sockets.size > 0 && waited < DRAIN_MS; waited += LOOK_MS)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    this.#public.close();
    this.#internal.close();
    for (const room of this.#rooms) await room.stop?.();
  }

  #makeHost(): EndpointHost {
    const { context, rooms, counters } = this.parts;
    const { settings, clock } = context;
    const failed = (what: string, error: unknown) => {
      this.#failed(what, error);
    };
    const handlers = Object.assign({}, ...this.#rooms.map((room) => room.handlers)) as object;
    return {
      clock,
      counters,
      answering: { handlers, access: rooms.access, failed },
      failed,
      messagesPerSecond: () => settings().rateLimits.messagesPerSessionPerSecond,
      idleTimeoutSeconds: () => settings().authentication.sessions.idleTimeoutSeconds,
      begin: (facts) => rooms.login.begin(facts),
      admit: (caller) => this.#admit(caller),
      opened: (connection) => {
        this.#opened(connection);
      },
      heard: (connection, unixMs) => {
        for (const room of this.#rooms) room.heard?.(connection, unixMs);
      },
      ended: (connection, wasOpen) => {
        this.#ended(connection, wasOpen);
      },
    };
  }

  #accept(wire: Wire, facts: LoginFacts): void {
    try {
      const { random, clock } = this.parts.context;
      const id = connectionId(clock.now().getTime(), random(ID_BYTES));
      this.#sockets.add(new EndpointSocket(id, wire, facts, this.#host));
    } catch (error) {
      this.#failed('login', error);
      wire.socket.terminate();
    }
  }

  /** One connection of the same device is about to give way: it does not count. */
  #admit({ account, device }: Caller): LoginRefusal | undefined {
    const others = this.parts.connections
      .of(account)
      .filter(({ caller }) => caller.device !== device);
    const { socketsPerAccount } = this.parts.context.settings().rateLimits;
    return others.length < socketsPerAccount ? undefined : 'too-many-connections';
  }

  #opened(connection: EndpointSocket | Connection): void {
    if (!(connection instanceof EndpointSocket)) return;
    const { connections, context } = this.parts;
    const { account, device } = connection.caller;
    for (const older of connections.add(connection)) older.close('superseded');
    context.bus.tell({ type: 'connected', account, device, connection: connection.id });
    for (const room of this.#rooms) room.opened?.(connection);
  }

  #ended(connection: Connection, wasOpen: boolean): void {
    if (!(connection instanceof EndpointSocket)) return;
    this.#sockets.delete(connection);
    if (!wasOpen) return;
    this.parts.connections.remove(connection);
    for (const room of this.#rooms) room.closed?.(connection);
  }

  #tick(): void {
    const { clock } = this.parts.context;
    const monotonicMs = clock.monotonicMs();
    const unixMs = clock.now().getTime();
    for (const socket of this.#sockets) socket.tick(monotonicMs, unixMs);
    this.#public.tick();
    this.#internal.tick(monotonicMs);
    for (const room of this.#rooms) void this.#tickRoom(room, unixMs);
  }

  async #tickRoom(room: Room, unixMs: number): Promise<void> {
    try {
      await room.tick?.(unixMs);
    } catch (error) {
      this.#failed('tick', error);
    }
  }

  async #onBus(message: BusMessage, from: string): Promise<BusAnswer> {
    this.#follow(message);
    for (const room of this.#rooms) {
      const answer = await room.onBus?.(message, from);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  /** What another replica says about connections that may be here. */
  #follow(message: BusMessage): void {
    const { connections } = this.parts;
    if (message.type === 'connected') this.#giveWay(message);
    if (message.type === 'sessions-ended')
      closeAll(
        message.sessions.flatMap((session) => connections.ofSession(session)),
        'session-ended',
      );
    if (message.type === 'account-changed') void this.#recheck(message.account);
  }

  /** The replica of the newer connection may have missed that there is one here which stays: then it hears of it again. */
  #giveWay(message: Extract<BusMessage, { type: 'connected' }>): void {
    const { connections, context } = this.parts;
    const { account, device } = message;
    closeAll(connections.supersededBy(message, context.clock.monotonicMs()), 'superseded');
    for (const { id } of connections.of(account, device))
      if (id !== message.connection)
        context.bus.tell({ type: 'connected', account, device, connection: id });
  }

  /** An account may be gone or locked. While the database does not answer, who is in stays in. */
  async #recheck(account: string): Promise<void> {
    const { connections, context } = this.parts;
    if (connections.of(account).length === 0) return;
    const row = await context.store.account(account).catch(() => 'unknown' as const);
    if (row === 'unknown' || row?.state === 'Active') return;
    closeAll(connections.of(account), 'session-ended');
  }

  #failed(what: string, error: unknown): void {
    this.parts.context.log.error('a room failed', { what, error });
  }
}

function closeAll(connections: readonly Connection[], why: CloseName): void {
  for (const connection of connections) connection.close(why);
}

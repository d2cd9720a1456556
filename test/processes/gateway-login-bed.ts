import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent } from '../../src/audit/record.js';
import { isAuditEvent } from '../../src/audit/record.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import type { BusMessage } from '../../src/gateway/bus.js';
import type { Caller, Connection, Refused, RequestContext } from '../../src/gateway/caller.js';
import type { LoginOptions } from '../../src/gateway/login/login.room.js';
import { createLogin } from '../../src/gateway/login/login.room.js';
import type { LoginFacts, LoginStep, RoomContext } from '../../src/gateway/rooms.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import { openStore } from '../../src/gateway/storage/open.store.js';
import type { Store } from '../../src/gateway/store.js';
import type { AnswerBody, RequestBody, RequestName } from '../../src/messages/requests.js';
import type { CloseName, FromEndpoint, Login, ToEndpoint } from '../../src/messages/signaling.js';
import { fingerprintOf } from '../../src/protocol/identity/account.js';
import { loginSigningInput } from '../../src/protocol/identity/login.js';
import type { CryptoBackend } from '../../src/protocol/crypto-backend.js';
import type { Clock } from '../../src/runtime/clock.js';
import { SILENT_LOGGER } from '../../src/runtime/log.js';
import { createMetricsRegistry } from '../../src/runtime/metrics.registry.js';
import { anAccount, bytesOf, NOON_MS, type Account } from '../identities.js';

export { NOON_MS };
export const HOST = 'gw.example.org';
/** The TLS exporter of the connection on which tests log in. */
export const EXPORTER = bytesOf(0x5e);
export const ADDRESS = '192.0.2.7';
export const fingerprint = (account: Account) => fingerprintOf(nodeBackend, account.identity);
export const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

/** A clock that tests move. */
export class TestClock implements Clock {
  ms = NOON_MS;
  now = () => new Date(this.ms);
  monotonicMs = () => this.ms - NOON_MS + 1_000_000;
  advance(ms: number): void {
    this.ms += ms;
  }
}

type Authentication = GatewaySettings['authentication'];

/** What tests change of the settings. */
export interface SettingsChange {
  readonly authentication?: Partial<Authentication>;
  readonly rateLimits?: Partial<GatewaySettings['rateLimits']>;
  readonly hosts?: readonly string[];
  readonly allowedOrigins?: readonly string[];
  readonly retention?: Partial<GatewaySettings['retention']>;
}

/** Settings of a gateway that lets everybody in and asks for no second factor. */
export function gatewaySettings(directory: string, change: SettingsChange): GatewaySettings {
  const authentication = {
    administrators: [],
    registration: 'Open',
    lockout: { maxAttempts: 5, windowSeconds: 900, durationSeconds: 1800 },
    secondFactors: { allowed: ['WebAuthn', 'Totp'], requiredFor: 'Nobody' },
    sessions: { idleTimeoutSeconds: 900, absoluteTimeoutSeconds: 3600 },
    deviceApproval: 'Automatic',
    ...change.authentication,
  };
  const rateLimits = {
    connectionsPerAddressPerMinute: 60,
    connectionsPerSecond: 200,
    failedLoginsPerAddressPerMinute: 20,
    firstContactsPerAccountPerHour: 20,
    liveLeasesPerAccount: 8,
    loginsPerAccountPerHour: 1000,
    messagesPerSessionPerSecond: 50,
    socketsPerAccount: 8,
    ...change.rateLimits,
  };
  // Only what the room of logins reads; what the others read is theirs to test.
  return {
    gateway: { namespace: 'demo', name: 'edge', uid: 'u-1', identity: 'spiffe://demo' },
    hosts: change.hosts ?? [HOST],
    allowedOrigins: change.allowedOrigins ?? [],
    authentication,
    rateLimits,
    storage: { type: 'Embedded', directory },
    retention: {
      deletion: 'Enabled',
      secureDeletion: { cryptographicErasure: true, receipts: true },
      classes: {},
      legalHolds: [],
      ...change.retention,
    },
  } as unknown as GatewaySettings;
}

/** What an endpoint signs and sends. */
export interface LoginChange {
  readonly host?: string;
  readonly signedHost?: string;
  readonly exporter?: Uint8Array | 'none';
  readonly binding?: 0 | 1;
  readonly session?: string;
  readonly invite?: string;
  readonly device?: Uint8Array;
  readonly deviceSeed?: Uint8Array;
  readonly revocations?: readonly Uint8Array[];
  readonly challenge?: string;
}

/** The login of a device of `account` that answers `challenge`. */
export function loginMessage(account: Account, first: ToEndpoint, change: LoginChange = {}): Login {
  const defaults = {
    challenge: 'challenge' in first ? first.challenge : '',
    host: HOST,
    exporter: EXPORTER,
    deviceSeed: account.deviceSeed,
    device: account.binding,
    revocations: [],
  };
  const { signedHost, binding, session, invite, ...rest } = change;
  const { challenge, host, exporter, deviceSeed, device, revocations } = { ...defaults, ...rest };
  const signed = loginSigningInput({
    host: signedHost ?? host,
    challenge: Buffer.from(challenge, 'base64url'),
    exporter,
  });
  return {
    type: 'login',
    host,
    binding: binding ?? (exporter === 'none' ? 0 : 1),
    device: base64url(device),
    revocations: revocations.map(base64url),
    signature: base64url(nodeBackend.ed25519Sign(deviceSeed, signed)),
    ...(session === undefined ? {} : { session }),
    ...(invite === undefined ? {} : { invite }),
  };
}

/** A connection as the server keeps one. */
export class TestConnection implements Connection {
  readonly id = base64url(randomBytes(16));
  readonly address = ADDRESS;
  readonly closedWith: CloseName[] = [];
  constructor(public caller: Caller) {}
  notify = () => true;
  close(why: CloseName): void {
    this.closedWith.push(why);
  }
}

/** What a test gateway is made with. */
export interface BedOptions extends SettingsChange {
  readonly options?: LoginOptions;
  readonly backend?: CryptoBackend;
  readonly wrapStore?: (store: Store) => Store;
}

/** The room of logins on a real SQLite file, with a clock that tests move. */
export async function startLogin({ options, backend, wrapStore, ...change }: BedOptions = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-login-'));
  const clock = new TestClock();
  let settings = gatewaySettings(directory, change);
  const opened = await openStore(settings, { clock, random: randomBytes });
  const store = wrapStore?.(opened) ?? opened;
  const told: BusMessage[] = [];
  const events: AuditEvent[] = [];
  const open = new Set<TestConnection>();
  const metrics = createMetricsRegistry({ processMetrics: false });
  const of = (account: string, device?: string) =>
    [...open].filter(
      ({ caller }) => caller.account === account && (device ?? caller.device) === caller.device,
    );
  const context: RoomContext = {
    store,
    bus: {
      replica: 'one',
      tell: (message) => {
        told.push(message);
      },
      ask: () => Promise.resolve(undefined),
      askAll: () => Promise.resolve([]),
      onMessage: () => undefined,
      connected: true,
      replicas: 1,
      areAllHeard: true,
      onJoin: () => undefined,
      close: () => Promise.resolve(),
    },
    connections: {
      of,
      ofSession: (session) => [...open].filter(({ caller }) => caller.session === session),
      byId: (id) => [...open].find((connection) => connection.id === id),
      get count() {
        return open.size;
      },
    },
    settings: () => settings,
    clock,
    random: randomBytes,
    backend: backend ?? nodeBackend,
    audit: {
      emit: (event) => {
        if (!isAuditEvent(event)) throw new TypeError(JSON.stringify(event));
        events.push(event);
      },
    },
    metrics,
    log: SILENT_LOGGER,
  };
  const room = createLogin(context, options);
  const facts = (changed: Partial<LoginFacts> = {}): LoginFacts => ({
    address: ADDRESS,
    viaTrustedProxy: false,
    exporter: EXPORTER,
    ...changed,
  });

  /** One login up to the first answer. */
  const login = async (account: Account, how: LoginChange & { facts?: LoginFacts } = {}) => {
    const conversation = room.begin(how.facts ?? facts());
    const step = await conversation.receive(loginMessage(account, conversation.first, how));
    return { step, conversation };
  };
  const connect = (step: LoginStep): TestConnection => {
    if (!('caller' in step)) throw new Error(`not in: ${JSON.stringify(step.send)}`);
    const connection = new TestConnection(step.caller);
    open.add(connection);
    room.opened?.(connection);
    return connection;
  };
  const request = async <Name extends RequestName>(
    connection: TestConnection,
    name: Name,
    body: RequestBody<Name>,
  ): Promise<AnswerBody<Name> | Refused> => {
    const handler = room.handlers[name];
    if (handler === undefined) throw new Error(`no handler of ${name}`);
    const context: RequestContext = {
      connection,
      caller: connection.caller,
      now: clock.ms,
      become: (caller) => {
        connection.caller = caller;
      },
    };
    return handler(body, context);
  };
  return {
    room,
    store,
    clock,
    told,
    events,
    metrics,
    open,
    facts,
    login,
    connect,
    request,
    change: (to: SettingsChange) => {
      settings = gatewaySettings(directory, { ...change, ...to });
    },
    /** Logs in and opens the connection; throws when it is refused or asked for more. */
    enter: async (account: Account, how: LoginChange & { facts?: LoginFacts } = {}) =>
      connect((await login(account, how)).step),
    metric: async (line: string) => {
      const text = await metrics.text();
      const found = text.split('\n').find((candidate) => candidate.startsWith(`${line} `));
      return found === undefined ? undefined : Number(found.split(' ').at(-1));
    },
    /** Everything that is on the disk. */
    disk: async () => {
      const files = await readdir(directory);
      return Buffer.concat(await Promise.all(files.map((file) => readFile(join(directory, file)))));
    },
    stop: async () => {
      await opened.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A running room of logins. */
export type LoginBed = Awaited<ReturnType<typeof startLogin>>;

/** A further device of `account`. */
export const anotherDevice = (account: Account, seed: number, serial = 5n): Account => {
  const device = anAccount(seed, {});
  return {
    ...anAccount(account.identitySeed[0] ?? 0, {
      deviceId: device.deviceId,
      ed25519: device.keys.ed25519,
      x25519: device.keys.x25519,
      serial,
    }),
    deviceSeed: device.deviceSeed,
    s: device.s,
  };
};

/** The reason of a refusal, or what else was sent. */
export const reasonOf = ({ send }: LoginStep): string =>
  send.type === 'refused' ? send.reason : send.type;

/** A message that the server has read. */
export type Message = FromEndpoint;

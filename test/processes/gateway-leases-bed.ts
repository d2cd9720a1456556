/*
 * The room of leases as a test holds it: real keys and codecs, a clock that the test moves, a store and a bus in memory.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { AuditEvent } from '../../src/audit/record.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import type { Bus, BusMessage } from '../../src/gateway/bus.js';
import type { Caller, Connection, RequestContext } from '../../src/gateway/caller.js';
import type { GatewayKey, GatewayKeys } from '../../src/gateway/leases/lease-keys.js';
import { createLeases, type LeaseRoom } from '../../src/gateway/leases/leases.room.js';
import { readRelayPlaces, type RelayPlaces } from '../../src/gateway/leases/relay-directory.js';
import type { RoomContext } from '../../src/gateway/rooms.js';
import type { GatewaySettings, RelayDirectory } from '../../src/gateway/settings.js';
import { StorageUnavailable, type LeaseRow, type Store } from '../../src/gateway/store.js';
import type { NoticeName } from '../../src/messages/notices.js';
import type { FromGateway, FromRelay } from '../../src/messages/relay-registry.js';
import type { RequestBody } from '../../src/messages/requests.js';
import type { BundleRole } from '../../src/policy/roles.js';
import { toBase64url } from '../../src/protocol/lease/base64url.js';
import { leaseKeyId, leaseRequestSigningInput, sessionId } from '../../src/protocol/lease/ids.js';
import { SILENT_LOGGER } from '../../src/runtime/log.js';
import { createMetricsRegistry, type MetricsRegistry } from '../../src/runtime/metrics.registry.js';

/** 2026-01-01T00:00:00Z: when virtual time begins. */
export const NOON = 1_767_225_600_000;
/** URI of the relays of pool edge/eu. */
export const EU = 'spiffe://test.sallyport/ns/edge/RelayPool/eu';
const GATEWAY = { namespace: 'edge', name: 'main', uid: 'uid', identity: 'spiffe://test/main' };

export const sha256 = (bytes: Uint8Array): Uint8Array =>
  createHash('sha256').update(bytes).digest();

/** A lease key with its private half. */
export interface BedKey extends GatewayKey {
  readonly seed: Uint8Array;
}

/** A new key that signs, with dates around `now`. */
export function aKey(changes: Partial<GatewayKey> = {}, now = NOON): BedKey {
  const seed = randomBytes(32);
  const publicKey = nodeBackend.ed25519PublicKey(seed);
  return {
    kid: leaseKeyId(publicKey, sha256),
    publicKey,
    seed,
    notBeforeMs: now - 86_400_000,
    notAfterMs: now + 86_400_000,
    publishedAtMs: now - 86_400_000,
    state: 'current',
    ...changes,
  };
}

/** Keys as mounted files give them. */
export const keySet = (...keys: readonly BedKey[]): GatewayKeys => ({
  all: keys,
  seedOf: (kid) => keys.find((key) => key.kid === kid)?.seed,
});

/** relays.json of pool edge/eu with so many relays; `changes` replace its relays or pools. */
export function places(relays = 2, changes: Partial<RelayDirectory> = {}): RelayPlaces {
  const directory = {
    version: 1,
    pools: [{ namespace: 'edge', name: 'eu', region: 'europe', identity: EU }],
    relays: Array.from({ length: relays }, (_, ordinal) => ({
      id: `edge/eu/${ordinal}`,
      region: 'europe',
      address: `192.0.2.${ordinal + 1}`,
      port: 3478,
    })),
    ...changes,
  };
  return readRelayPlaces(JSON.stringify(directory), 'relays.json');
}

/** Leases and sessions in memory, by the contract of `LedgerStore`; `down` makes it answer nothing. */
export class MemoryLeases {
  rows: LeaseRow[] = [];
  counts: { readonly account: string; readonly hour: number; count: number }[] = [];
  revoked: { readonly jti: string; readonly expiresAt: number }[] = [];
  down = false;
  /** Handles of sessions that have ended. */
  readonly ended = new Set<string>();

  async sessions(account: string): Promise<readonly { session: string }[]> {
    await this.#answer();
    const session = `session of ${account}`;
    return this.ended.has(session) ? [] : [{ session }];
  }

  async addLease(row: LeaseRow, max: number, now: number): Promise<boolean> {
    await this.#answer();
    if ((await this.leases(row.account, now)).length >= max) return false;
    this.rows.push(row);
    const hour = now - (now % 3_600_000);
    const same = this.counts.find((one) => one.account === row.account && one.hour === hour);
    if (same === undefined) this.counts.push({ account: row.account, hour, count: 1 });
    else same.count += 1;
    return true;
  }

  async takeLeaseCounts(hour: number): Promise<readonly { account: string; count: number }[]> {
    await this.#answer();
    const over = this.counts.filter((one) => one.hour < hour);
    this.counts = this.counts.filter((one) => one.hour >= hour);
    return over
      .map(({ account, count }) => ({ account, count }))
      .sort((a, b) => (a.account < b.account ? -1 : 1));
  }

  async leases(account: string, now: number): Promise<readonly LeaseRow[]> {
    await this.#answer();
    return this.rows.filter((row) => row.account === account && row.expiresAt > now);
  }

  async takeLeases(of: Partial<LeaseRow>, now: number): Promise<readonly LeaseRow[]> {
    await this.#answer();
    const names = Object.keys(of) as (keyof LeaseRow)[]; // The choice is a literal of the caller's.
    const taken = this.rows.filter((row) => names.every((name) => row[name] === of[name]));
    this.rows = this.rows.filter((row) => !taken.includes(row));
    const live = taken.filter(({ expiresAt }) => expiresAt > now);
    this.#revoke(live);
    return live;
  }

  async revokedLeases(now: number): Promise<readonly string[]> {
    await this.#answer();
    return this.revoked.filter(({ expiresAt }) => expiresAt > now).map(({ jti }) => jti);
  }

  async addRevokedLeases(rows: readonly { jti: string; expiresAt: number }[]): Promise<void> {
    await this.#answer();
    this.#revoke(rows);
  }

  /** Those that are known stay as they are. */
  #revoke(rows: readonly { jti: string; expiresAt: number }[]): void {
    const known = new Set(this.revoked.map(({ jti }) => jti));
    this.revoked.push(...rows.filter(({ jti }) => !known.has(jti)));
  }

  async expireLeases(now: number): Promise<number> {
    await this.#answer();
    const before = this.rows.length;
    this.rows = this.rows.filter(({ expiresAt }) => expiresAt > now);
    return before - this.rows.length;
  }

  async #answer(): Promise<void> {
    await Promise.resolve();
    if (this.down) throw new StorageUnavailable('unreachable');
  }
}

/** A relay's end of a registration without a socket. */
export class BedRelay {
  readonly heard: FromGateway[] = [];
  closed = false;
  #seq = 0;
  readonly #conversation;

  constructor(
    private readonly bed: LeaseBed,
    readonly ordinal = 0,
    readonly boot = randomBytes(16).toString('hex'),
    identity = EU,
  ) {
    this.#conversation = bed.room.accept(identity, (message) => this.heard.push(message));
  }

  /** Whether the registry spoke to it at all. */
  get accepted(): boolean {
    return this.#conversation !== undefined;
  }

  /** Says something and keeps the answers. */
  say(message: FromRelay): this {
    const answer = this.#conversation?.receive(message);
    this.heard.push(...(answer?.send ?? []));
    if (answer?.close === true) this.leave();
    return this;
  }

  register(kids = this.bed.kids, changes: object = {}): this {
    this.#seq = 0;
    return this.say({
      type: 'register',
      pool: 'edge/eu',
      ordinal: this.ordinal,
      boot: this.boot,
      wire: 1,
      profile: 'Standard',
      kids: [...kids],
      ...changes,
    });
  }

  beat(changes: Partial<Extract<FromRelay, { type: 'heartbeat' }>> = {}): this {
    this.#seq++;
    return this.say({
      type: 'heartbeat',
      seq: this.#seq,
      at: this.bed.nowMs,
      sessions: 0,
      packets: 0,
      bytes: 0,
      drops: 0,
      kids: [...this.bed.kids],
      draining: false,
      ...changes,
    });
  }

  leave(): void {
    this.closed = true;
    this.#conversation?.closed();
  }

  /** Ids of leases and keys that it was told to end, without those of the welcome. */
  get revocations(): readonly string[] {
    return this.heard.flatMap((message) =>
      message.type === 'revoke' ? [...message.jti, ...message.kids] : [],
    );
  }
}

/** The room and everything around it. */
export class LeaseBed {
  nowMs = NOON;
  readonly store = new MemoryLeases();
  readonly told: BusMessage[] = [];
  readonly audit: AuditEvent[] = [];
  readonly metrics: MetricsRegistry = createMetricsRegistry({ processMetrics: false });
  keys: GatewayKeys | undefined = keySet(aKey());
  places: RelayPlaces | undefined = places();
  roles: readonly BundleRole[] = [];
  maxLeases = 8;
  readonly room: LeaseRoom;

  constructor(over: Partial<RoomContext> = {}) {
    this.room = createLeases(
      { ...this.#context(), ...over },
      {
        keys: () => this.keys,
        relays: () => this.places,
        rolesOf: () => this.roles,
      },
    );
  }

  /** Ids of the keys that a relay which is up to date has. */
  get kids(): readonly string[] {
    const keys = this.keys?.all ?? [];
    return keys.filter(({ state }) => state !== 'revoked').map(({ kid }) => kid);
  }

  /** Lets `ms` pass, a second at a time. */
  async pass(ms: number, each: () => void = () => undefined): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.nowMs += Math.min(1_000, ms - passed);
      each();
      await this.room.tick?.(this.nowMs);
    }
  }

  /** A registered relay that has sent a heartbeat. */
  relay(ordinal = 0): BedRelay {
    return new BedRelay(this, ordinal).register().beat();
  }

  /** A connection with its caller. */
  connect(
    account = 'sp1a',
    changes: Partial<Caller> = {},
  ): RequestContext & { notices: NoticeName[] } {
    const notices: NoticeName[] = [];
    const caller: Caller = {
      account,
      identity: new Uint8Array(32),
      device: toBase64url(new Uint8Array(16).fill(7)),
      binding: new Uint8Array(201),
      revocations: [],
      session: `session of ${account}`,
      endsAt: NOON + 43_200_000,
      administrator: false,
      mustEnrol: false,
      ...changes,
    };
    const connection: Connection = {
      id: randomBytes(8).toString('hex'),
      caller,
      address: '198.51.100.7',
      notify: (name) => notices.push(name) > 0,
      close: () => undefined,
    };
    this.room.opened?.(connection);
    return { connection, caller, now: this.nowMs, become: () => undefined, notices };
  }

  /** The value of one series. */
  async count(series: string): Promise<number | undefined> {
    const line = (await this.metrics.text())
      .split('\n')
      .find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  #context(): RoomContext {
    const bus: Bus = {
      replica: 'here',
      tell: (message) => this.told.push(message),
      ask: () => Promise.resolve(undefined),
      askAll: () => Promise.resolve([]),
      onMessage: () => undefined,
      connected: true,
      replicas: 1,
      areAllHeard: true,
      onJoin: () => undefined,
      close: () => Promise.resolve(),
    };
    return {
      // The part of the store that this room uses.
      store: this.store as unknown as Store,
      bus,
      connections: {
        of: () => [],
        ofSession: () => [],
        byId: () => undefined,
        count: 0,
      },
      // The part of the settings that this room reads.
      settings: () =>
        ({
          gateway: GATEWAY,
          leases: { lifetimeSeconds: 600 },
          rateLimits: { liveLeasesPerAccount: this.maxLeases },
          cryptoProfile: 'Standard',
        }) as unknown as GatewaySettings,
      clock: { now: () => new Date(this.nowMs), monotonicMs: () => this.nowMs - NOON },
      random: (bytes) => randomBytes(bytes),
      backend: nodeBackend,
      audit: { emit: (event) => this.audit.push(event) },
      metrics: this.metrics,
      log: SILENT_LOGGER,
    };
  }
}

/** A request for a lease as an endpoint makes it. */
export function aLeaseRequest(
  changes: { rid?: string; role?: 'client' | 'server'; gateway?: string; sid?: Uint8Array } = {},
): RequestBody<'lease.issue'> {
  const { rid = 'edge/eu/0', role = 'client', gateway = 'edge/main' } = changes;
  const session = pair();
  const lease = pair();
  const { sid = sessionId(session.publicKey, sha256) } = changes;
  const signed = leaseRequestSigningInput({ gateway, rid, role, sid, cpk: lease.publicKey });
  return {
    rid,
    role,
    spk: toBase64url(session.publicKey),
    sid: toBase64url(sid),
    cpk: toBase64url(lease.publicKey),
    signature: toBase64url(sign(null, signed, session.privateKey)),
  };
}

/** An Ed25519 pair of node:crypto. */
export function pair() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    privateKey,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).subarray(-32),
  };
}

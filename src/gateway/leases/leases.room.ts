/*
 * The room of leases: the relay registry, lease keys, leases and grants. It answers requests, follows what other replicas
 * say, and once a second does what time makes due.
 */
import type { NoticeBody } from '../../messages/notices.js';
import type { BusMessage } from '../bus.js';
import type { Connection } from '../caller.js';
import type { RelayRoom, RoomContext } from '../rooms.js';
import { StorageUnavailable, type LeaseRow } from '../store.js';
import { RELAY_STATES, type RelayState } from './key-choice.js';
import { KeyWatch } from './key-watch.js';
import { LeaseDesk, type LeaseChoice } from './lease-desk.js';
import type { LeaseFiles } from './lease-files.js';
import { publicKeys, type PublicLeaseKey } from './lease-keys.js';
import { keyRevoked, keyRotated } from './lease-records.js';
import { declareLeaseGauges, LeaseMetrics } from './lease.metrics.js';
import { relayAnswers } from './relay-answers.js';
import { RelayDesk } from './relay-desk.js';
import { RelayMarket } from './relay-market.js';

/** How often other replicas hear of relays that are registered here. */
const TELL_EVERY_MS = 5_000;
/** How often the store is asked for revocations that the bus may have lost, and rid of what has expired. */
const STORE_EVERY_MS = 10_000;

/** The room, with what the wiring gives to other rooms. */
export interface LeaseRoom extends RelayRoom {
  /** Ends leases that `Store.endSessions` gave, at every relay. Rejects when the store does not answer. */
  revokeLeases(rows: readonly LeaseRow[]): Promise<void>;
  /** Ends leases that the store still has and gives how many there were. */
  endLeases(of: LeaseChoice): Promise<number>;
  /** For `welcome`: the keys with which endpoints check grants. */
  leaseKeys(): PublicLeaseKey[];
  /** Why no lease can be issued, for /readyz. */
  problems(): readonly string[];
}

/** Makes the room. */
export function createLeases(context: RoomContext, files: LeaseFiles): LeaseRoom {
  return new Leases(context, files);
}

class Leases implements LeaseRoom {
  readonly handlers: LeaseRoom['handlers'];
  readonly #watch = new KeyWatch();
  readonly #market: RelayMarket;
  readonly #relays: RelayDesk;
  readonly #leases: LeaseDesk;
  readonly #connections = new Set<Connection>();
  /** Revoked keys whose leases are still in the store. */
  readonly #owed = new Set<string>();
  readonly #lateRelays = new Set<string>();
  #toldMs = -Infinity;
  #storedMs = -Infinity;
  #busy = false;

  constructor(
    private readonly context: RoomContext,
    private readonly files: LeaseFiles,
  ) {
    const { clock, bus, audit, log, random } = context;
    const metrics = new LeaseMetrics(context.metrics);
    const changed = (): void => {
      this.#market.forget();
    };
    const revokedKids = (): readonly string[] => this.#watch.revoked;
    this.#relays = new RelayDesk({ bus, clock, files, metrics, audit, log, revokedKids, changed });
    this.#market = new RelayMarket({
      clock,
      files,
      relays: () => this.#relays.registry.facts(clock.monotonicMs()),
      isRevoked: (kid) => this.#watch.isRevoked(kid),
    });
    const [market, relays] = [this.#market, this.#relays];
    this.#leases = new LeaseDesk({ context, files, market, relays, metrics });
    this.handlers = {
      ...relayAnswers(market, random),
      'lease.issue': this.#leases.issue,
      'lease.return': this.#leases.giveBack,
      'grant.issue': this.#leases.grant,
      'admin.lease.list': this.#leases.list,
      'admin.lease.revoke': this.#leases.revokeOf,
    };
    declareLeaseGauges(context.metrics, {
      relayStates: () => this.#relayStates(),
      keyEnds: () => this.#keyEnds(),
    });
    bus.tell({ type: 'here' });
  }

  readonly accept: RelayRoom['accept'] = (identity, send) => this.#relays.accept(identity, send);

  opened(connection: Connection): void {
    this.#connections.add(connection);
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
  }

  onBus(message: BusMessage, from: string): undefined {
    if (message.type === 'relay') {
      this.#relays.registry.told(from, message.relay, this.context.clock.monotonicMs());
      this.#market.forget();
    } else if (message.type === 'leases-revoked') this.#heard(message.jti, message.kids);
    else if (message.type === 'here') this.#relays.tellAll();
  }

  async tick(now: number): Promise<void> {
    this.#lookAtKeys(now);
    this.#lookAtRelays();
    if (this.#busy) return;
    this.#busy = true;
    try {
      await this.#payStore(now);
    } catch (error) {
      // What is owed stays so: the next second tries again.
      if (!(error instanceof StorageUnavailable))
        this.context.log.error('leases: store', { error });
    } finally {
      this.#busy = false;
    }
  }

  revokeLeases(rows: readonly LeaseRow[]): Promise<void> {
    return this.#leases.revoke(rows, 'SessionEnded');
  }

  endLeases(of: LeaseChoice): Promise<number> {
    return this.#leases.end(of, 'SessionEnded');
  }

  leaseKeys(): PublicLeaseKey[] {
    const keys = this.files.keys()?.all ?? [];
    const known = keys.filter(({ kid }) => !this.#watch.isRevoked(kid));
    return publicKeys(known, this.context.clock.now().getTime());
  }

  problems(): readonly string[] {
    const { files } = this;
    return [
      ...(files.keys() ? [] : ['the lease keys were not read yet']),
      ...(files.keys() && !this.#market.signer() ? ['no lease key can sign now'] : []),
      ...(files.relays() ? [] : ['relays.json was not read yet']),
    ];
  }

  #heard(jti: readonly string[], kids: readonly string[]): void {
    const nowMs = this.context.clock.now().getTime();
    this.#relays.revoke(this.#relays.revoked.add(jti, nowMs), this.#watch.heard(kids));
    if (kids.length > 0) this.#market.forget();
  }

  /** Follows the mounted keys: what was revoked ends at once, what changed is told. */
  #lookAtKeys(now: number): void {
    const keys = this.files.keys();
    if (!keys) return;
    this.#market.forget();
    const { audit, bus, settings } = this.context;
    const { gateway } = settings();
    const news = this.#watch.look(keys.all, this.#market.signer()?.key.kid);
    if (news.revoked.length > 0) {
      this.#market.forget();
      this.#relays.revoke([], news.revoked);
      bus.tell({ type: 'leases-revoked', jti: [], kids: news.revoked });
    }
    for (const kid of news.revoked) {
      this.#owed.add(kid);
      audit.emit(keyRevoked(kid, gateway));
    }
    if (news.rotated) audit.emit(keyRotated(news.rotated.before, news.rotated.after, gateway));
    if (news.publish) this.#publish(publicKeys(keys.all, now));
  }

  #publish(leaseKeys: NoticeBody<'keys.changed'>['leaseKeys']): void {
    for (const connection of this.#connections) connection.notify('keys.changed', { leaseKeys });
  }

  #lookAtRelays(): void {
    const nowMs = this.context.clock.monotonicMs();
    this.#relays.registry.tick(this.files.relays()?.rids ?? [], nowMs);
    this.#market.forget();
    for (const { rid, state } of this.#market.list()) {
      if (state !== 'KeysMissing') this.#lateRelays.delete(rid);
      else if (!this.#lateRelays.has(rid)) {
        this.#lateRelays.add(rid);
        this.#relays.anomaly('relay-keys', rid);
      }
    }
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return;
    this.#toldMs = nowMs;
    this.#relays.tellAll();
  }

  /** What the store is owed, and now and then what it knows that nobody here was told. */
  async #payStore(now: number): Promise<void> {
    const { store, clock } = this.context;
    for (const kid of this.#owed) {
      await this.#leases.end({ kid }, 'KeyRevoked');
      this.#owed.delete(kid);
    }
    if (clock.monotonicMs() - this.#storedMs < STORE_EVERY_MS) return;
    await this.#leases.recordCounts(now);
    await store.expireLeases(now);
    const { revoked } = this.#relays;
    revoked.expire(now);
    this.#relays.revoke(revoked.add(await store.revokedLeases(now), now), []);
    this.#storedMs = clock.monotonicMs();
  }

  #relayStates(): Readonly<Record<RelayState, number>> {
    const relays = this.#market.list();
    const count = (state: RelayState): number =>
      relays.filter((relay) => relay.state === state).length;
    // The states are a closed list: each has its count.
    return Object.fromEntries(RELAY_STATES.map((state) => [state, count(state)])) as Record<
      RelayState,
      number
    >;
  }

  #keyEnds(): { readonly current?: number; readonly next?: number } {
    const keys = this.files.keys()?.all ?? [];
    const ends = keys.flatMap(({ state, notAfterMs }) =>
      state === 'current' || state === 'next' ? [[state, notAfterMs / 1_000] as const] : [],
    );
    return Object.fromEntries(ends);
  }
}

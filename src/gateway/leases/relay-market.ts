/*
 * Which relays take leases now and which key signs for them: the registry, the directory and the keys seen together. The
 * answer is kept until one of them changes, at most a second.
 */
import type { Clock } from '../../runtime/clock.js';
import { judgeRelays, type Judgement, type RelayFacts, type RelayState } from './key-choice.js';
import type { LeaseFiles } from './lease-files.js';
import type { GatewayKey } from './lease-keys.js';
import type { RelayPlace } from './relay-directory.js';

const KEEP_MS = 1_000;

/** What a lease or a grant is signed with; the seed is for the call only. */
export interface Signer {
  readonly key: GatewayKey;
  readonly seed: Uint8Array;
}

/** A relay as lists and choices show it. */
export interface MarketRelay {
  readonly rid: string;
  readonly region: string;
  readonly state: RelayState;
  readonly sessions: number;
}

/** What the market is made from. */
export interface RelayMarketParts {
  readonly clock: Clock;
  readonly files: Pick<LeaseFiles, 'keys' | 'relays'>;
  readonly relays: () => readonly RelayFacts[];
  /** Whether this key was revoked, as far as any replica knows. */
  readonly isRevoked: (kid: string) => boolean;
}

interface Kept extends Judgement {
  readonly facts: ReadonlyMap<string, RelayFacts>;
  readonly atMs: number;
}

/** Relays and the key for them. */
export class RelayMarket {
  #kept: Kept | undefined;

  constructor(private readonly parts: RelayMarketParts) {}

  /** Something changed: the next question is answered anew. */
  forget(): void {
    this.#kept = undefined;
  }

  /** Where a relay is that takes leases; undefined: it takes none. */
  placeOf(rid: string): RelayPlace | undefined {
    const isLive = this.#judged().states.get(rid) === 'Live';
    return isLive ? this.parts.files.relays()?.placeOf(rid) : undefined;
  }

  /** Every relay that takes leases. */
  live(): readonly MarketRelay[] {
    return this.list().filter(({ state }) => state === 'Live');
  }

  /** Every relay with an address, sorted by id: those that never registered are missing. */
  list(): readonly MarketRelay[] {
    const { states, facts } = this.#judged();
    const places = this.parts.files.relays();
    return (places?.rids ?? []).map((rid) => ({
      rid,
      region: places?.placeOf(rid)?.region ?? '',
      state: states.get(rid) ?? 'Missing',
      sessions: facts.get(rid)?.sessions ?? 0,
    }));
  }

  /** What signs now; undefined while nothing can. */
  signer(): Signer | undefined {
    const { kid } = this.#judged();
    const keys = this.parts.files.keys();
    const key = keys?.all.find((each) => each.kid === kid);
    const seed = key && keys?.seedOf(key.kid);
    return key && seed && { key, seed };
  }

  #judged(): Kept {
    const { clock, files, relays, isRevoked } = this.parts;
    const nowMs = clock.monotonicMs();
    if (this.#kept && nowMs - this.#kept.atMs < KEEP_MS) return this.#kept;
    const facts = relays();
    const keys = files.keys();
    const judgement = judgeRelays(facts, {
      keys: keys?.all ?? [],
      canSign: (kid) => !isRevoked(kid) && keys?.seedOf(kid) !== undefined,
      nowMs: clock.now().getTime(),
    });
    this.#kept = {
      ...judgement,
      facts: new Map(facts.map((each) => [each.rid, each])),
      atMs: nowMs,
    };
    return this.#kept;
  }
}

/*
 * Who holds how much, so that one source or one gateway cannot shut out the others (T11). Half-open sessions are what a
 * squatter collects; they are counted apart. All counts are of proven holders: their number is bounded by the sessions.
 */
import type { SessionRecord } from './session-table.js';

/** Half-open sessions that one source may hold in any case: an office behind one address. */
const LEAST_HALF_OPEN_PER_SOURCE = 16;
/** Slots that one source may hold in any case. */
const LEAST_SLOTS_PER_SOURCE = 64;

/** What a newcomer asks for. */
export interface Newcomer {
  readonly source: string;
  readonly gateway: string;
}

/** Counts by source and by gateway. */
export class Accounts {
  readonly #slots = new Map<string, number>();
  readonly #halfOpen = new Map<string, number>();
  readonly #sessions = new Map<string, number>();
  readonly #halfOpenOfGateway = new Map<string, number>();

  /** Adds what a session holds (1) before, or takes it away (-1) before and adds it after each change of its holders. */
  count(record: SessionRecord, by: 1 | -1): void {
    const held = record.holders.filter((holder) => holder !== undefined);
    for (const { source } of held) add(this.#slots, source, by);
    if (held.length > 0) add(this.#sessions, record.gateway, by);
    const [first, second] = held;
    if (first && !second) {
      add(this.#halfOpen, first.source, by);
      add(this.#halfOpenOfGateway, record.gateway, by);
    }
  }

  /** Whether one more slot is too much for its source. */
  isSourceFull({ source }: Newcomer, maxSessions: number): boolean {
    const slots = Math.max(LEAST_SLOTS_PER_SOURCE, maxSessions / 4);
    return get(this.#slots, source) >= slots;
  }

  /** Whether one more half-open session is too much for its source, or for its gateway's lease keys. */
  isHalfOpenFull(newcomer: Newcomer, maxSessions: number): boolean {
    const perSource = Math.max(LEAST_HALF_OPEN_PER_SOURCE, maxSessions / 64);
    if (get(this.#halfOpen, newcomer.source) >= perSource) return true;
    return get(this.#halfOpenOfGateway, newcomer.gateway) >= Math.max(1, maxSessions / 2);
  }

  /** Whether one gateway would hold so much that another one is shut out: a quarter is left to the others. */
  isGatewayFull({ gateway }: Newcomer, maxSessions: number, gateways: number): boolean {
    return gateways > 1 && get(this.#sessions, gateway) >= Math.max(1, maxSessions * 0.75);
  }
}

const get = (counts: ReadonlyMap<string, number>, name: string): number => counts.get(name) ?? 0;

function add(counts: Map<string, number>, name: string, by: number): void {
  const count = get(counts, name) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}

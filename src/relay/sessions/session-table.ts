/*
 * Sessions by id. What every packet needs is 128 bytes in one buffer per session, found through an open-addressing
 * index; what only admission needs is an object beside it. Nothing here allocates while packets are forwarded.
 *
 * | offset | bytes | field                                                                    |
 * |--------|-------|--------------------------------------------------------------------------|
 * | 0      | 16    | session id, as four signed words read big-endian                         |
 * | 16     | 24    | address of slot 0 (client), zeros while empty                            |
 * | 40     | 24    | address of slot 1 (server), zeros while empty                            |
 * | 64     | 8     | f64 until when packets are forwarded, monotonic ms; -Infinity: not at all |
 * | 72     | 8     | f64 when the last packet was forwarded, monotonic ms                     |
 * | 80     | 24    | f64 tokens: bytes under the hard limit, bytes under the soft one, packets |
 * | 104    | 8     | f64 when the tokens were filled, monotonic ms                            |
 * | 112    | 16    | f64 hard and soft limit, bytes per ms                                    |
 *
 * Memory: 128 bytes, 32 of index and 12 of timer per session of capacity. A session in use has two holders, about 2,500
 * bytes of live heap in all. What the process takes from the system for it is more, because V8 collects late: the bench
 * measures it as `relay_bytes_per_session`, see docs/performance.md.
 */
import { mix } from './address-limiter.js';
import { ADDRESS_WORDS, PORT_WORD } from '../packet/address.js';
import type { Holder } from './holder.js';

/** 32-bit words per session. */
export const SESSION_WORDS = 32;
/** 64-bit floats per session. */
export const SESSION_FLOATS = 16;
/** Positions of floats within a session. */
export const FLOAT = {
  validUntil: 8,
  lastForwarded: 9,
  hardTokens: 10,
  softTokens: 11,
  packetTokens: 12,
  filledAt: 13,
  hardRate: 14,
  softRate: 15,
} as const;

const EMPTY = -1;

/** What only admission looks at. */
export interface SessionRecord {
  /** Gateway of the first lease: a lease of another one is refused. */
  readonly gateway: string;
  /** Holder of slot 0 (client) and slot 1 (server). */
  readonly holders: [Holder | undefined, Holder | undefined];
  /** Latest `iat` that each slot has seen, in ms: an older lease never comes back. */
  readonly newestIat: [number, number];
  /** Since when exactly one slot is held, monotonic ms. */
  halfOpenSince: number;
}

/** Word at which the address of a slot begins. */
export const slotAt = (session: number, role: number): number =>
  session * SESSION_WORDS + 4 + role * ADDRESS_WORDS;

/** Sessions by id, with room for as many as were asked for. */
export class SessionTable {
  /** Words of all sessions; replaced when the table grows. */
  words: Uint32Array<ArrayBuffer>;
  /** The same memory as floats. */
  floats: Float64Array<ArrayBuffer>;
  /** The same memory as signed words, which V8 passes without boxing: ids are compared as these. */
  #ints: Int32Array<ArrayBuffer>;
  readonly records: (SessionRecord | undefined)[] = [];
  #index: Int32Array;
  #mask: number;
  readonly #free: number[] = [];
  #capacity = 0;
  #size = 0;

  /** @param seed random, so that nobody can choose ids that meet in one place of the index */
  constructor(
    capacity: number,
    private readonly seed: number,
  ) {
    this.words = new Uint32Array(0);
    this.floats = new Float64Array(0);
    this.#ints = new Int32Array(0);
    this.#index = new Int32Array(0);
    this.#mask = 0;
    this.grow(capacity);
  }

  /** Sessions held. */
  get size(): number {
    return this.#size;
  }

  /** Sessions for which there is room. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Makes room for `capacity` sessions; never less than before. */
  grow(capacity: number): void {
    if (capacity <= this.#capacity) return;
    const words = new Uint32Array(new ArrayBuffer(capacity * SESSION_WORDS * 4));
    words.set(this.words);
    this.words = words;
    this.floats = new Float64Array(words.buffer);
    this.#ints = new Int32Array(words.buffer);
    for (let session = capacity - 1; session >= this.#capacity; session--) this.#free.push(session);
    this.#capacity = capacity;
    this.#rebuildIndex();
  }

  /** The session whose id has these four signed words, or -1. Allocates nothing. */
  find(a: number, b: number, c: number, d: number): number {
    const words = this.#ints;
    let place = this.#hash(a, b, c, d) & this.#mask;
    for (;;) {
      const session = this.#index[place] ?? 0;
      if (session === EMPTY) return EMPTY;
      const at = session * SESSION_WORDS;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d)
        return session;
      place = (place + 1) & this.#mask;
    }
  }

  /** Takes a place for a new id; its slots are empty. @throws Error if there is none: the caller looks at `size` first. */
  create(id: Int32Array, record: SessionRecord): number {
    const session = this.#free.pop();
    if (session === undefined) throw new Error('the session table is full');
    const at = session * SESSION_WORDS;
    this.words.fill(0, at, at + SESSION_WORDS);
    this.#ints.set(id, at);
    this.floats[session * SESSION_FLOATS + FLOAT.validUntil] = Number.NEGATIVE_INFINITY;
    this.records[session] = record;
    this.#insert(session);
    this.#size++;
    return session;
  }

  /** Forgets a session and both addresses. */
  remove(session: number): void {
    this.#unlink(session);
    const at = session * SESSION_WORDS;
    this.words.fill(0, at, at + SESSION_WORDS);
    this.records[session] = undefined;
    this.#free.push(session);
    this.#size--;
  }

  /** Whether a slot is held. */
  isHeld(session: number, role: number): boolean {
    return this.words[slotAt(session, role) + PORT_WORD] !== 0;
  }

  /** Each session now held. It is safe to remove the one at hand. */
  *sessions(): Generator<number> {
    for (let session = 0; session < this.#capacity; session++)
      if (this.records[session]) yield session;
  }

  #hash(a: number, b: number, c: number, d: number): number {
    return mix(mix(a ^ this.seed) ^ b ^ Math.imul(c, 0x9e3779b1) ^ Math.imul(d, 0x85ebca6b));
  }

  #placeOf(session: number): number {
    const at = session * SESSION_WORDS;
    const words = this.#ints;
    return (
      this.#hash(words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0) &
      this.#mask
    );
  }

  #insert(session: number): void {
    let place = this.#placeOf(session);
    while (this.#index[place] !== EMPTY) place = (place + 1) & this.#mask;
    this.#index[place] = session;
  }

  /** Deletion without tombstones: what stands behind the gap moves into it if it may stand there (Knuth 6.4, R). */
  #unlink(session: number): void {
    let gap = this.#placeOf(session);
    while (this.#index[gap] !== session) gap = (gap + 1) & this.#mask;
    this.#index[gap] = EMPTY;
    let place = gap;
    for (;;) {
      place = (place + 1) & this.#mask;
      const next = this.#index[place] ?? 0;
      if (next === EMPTY) return;
      const home = this.#placeOf(next);
      const distance = (place - home) & this.#mask;
      if (distance < ((place - gap) & this.#mask)) continue;
      this.#index[gap] = next;
      this.#index[place] = EMPTY;
      gap = place;
    }
  }

  #rebuildIndex(): void {
    // At most half full, so that a search ends after one or two places.
    const places = 2 ** Math.ceil(Math.log2(Math.max(4, this.#capacity * 2)));
    this.#index = new Int32Array(places).fill(EMPTY);
    this.#mask = places - 1;
    for (const session of this.sessions()) this.#insert(session);
  }
}

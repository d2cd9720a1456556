/*
 * Drain (architecture, 5): MOVE to every holder, three times a second apart because datagrams get lost, while everything
 * goes on being forwarded. The relay takes no new lease meanwhile; when to stop is the main thread's business.
 */
import { encodeMove } from '../../protocol/relay/departure.js';
import { SESSION_WORDS, slotAt, type SessionTable } from '../sessions/session-table.js';

const ROUNDS = 3;
const ROUND_EVERY_MS = 1_000;
/** Sessions looked at per step, so that packets do not wait for farewells. */
const SESSIONS_PER_STEP = 64;

/** Sends one frame to the address at `at`. */
export type Send = (frame: Uint8Array, words: Uint32Array, at: number) => void;

/** Tells all holders to move, a few at a time. */
export class Drain {
  #round = 0;
  #next = 0;
  #roundAtMs = Number.NEGATIVE_INFINITY;

  /** @param deadlineMs unix ms until which the relay forwards */
  constructor(
    private readonly deadlineMs: number,
    private readonly table: SessionTable,
    private readonly send: Send,
  ) {}

  /** Sends some; gives how many. `now` is monotonic, in ms. */
  step(now: number): number {
    if (this.#next === 0 && !this.#beginsRound(now)) return 0;
    const end = Math.min(this.#next + SESSIONS_PER_STEP, this.table.capacity);
    let sent = 0;
    for (; this.#next < end; this.#next++) sent += this.#move(this.#next);
    if (this.#next >= this.table.capacity) this.#next = 0;
    return sent;
  }

  /** Whether a round is under way, so that `step` should be called again soon. */
  get isBusy(): boolean {
    return this.#next > 0;
  }

  #beginsRound(now: number): boolean {
    if (this.#round >= ROUNDS || now - this.#roundAtMs < ROUND_EVERY_MS) return false;
    this.#round++;
    this.#roundAtMs = now;
    return true;
  }

  #move(session: number): number {
    const record = this.table.records[session];
    if (!record) return 0;
    let sent = 0;
    for (const role of [0, 1] as const) {
      const holder = record.holders[role];
      if (!holder) continue;
      const move = { nonce: holder.nonce, deadlineMs: BigInt(Math.floor(this.deadlineMs)) };
      this.send(
        encodeMove({ session: this.#idOf(session) }, move),
        this.table.words,
        slotAt(session, role),
      );
      sent++;
    }
    return sent;
  }

  #idOf(session: number): Uint8Array {
    const id = new Uint8Array(16);
    const view = new DataView(id.buffer);
    for (let i = 0; i < 4; i++)
      view.setUint32(4 * i, this.table.words[session * SESSION_WORDS + i] ?? 0);
    return id;
  }
}

/*
 * Connections in a ring: each one sends to the next. Every server gets the same frames; a message counts when it has
 * arrived, and then its sender may send another one.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadSocket } from './gateway-socket.js';
import { textFrame } from './gateway-socket.js';
import { percentile } from './report.js';

/** Requests of one connection that may wait for their answers; the gateway takes 32. */
const SLOTS = 30;
const FIRST_ID = 10;
/** Bytes of the smallest envelope: offers, answers and candidates fit. */
const ENVELOPE_BYTES = 512;
/** `{"type":"answer"...`: what is no answer is a message that has arrived. */
const TYPE_AT = 9;
const ANSWER = 'a'.charCodeAt(0);
const DRAIN_MS = 5_000;

/** What a run gave. */
export interface RingRun {
  readonly perSecond: number;
  /** From sending to arriving, milliseconds; those that were measured. */
  readonly latencies: readonly number[];
}

/** A rendezvous token of wire formats B. */
export const aToken = (): string => randomBytes(16).toString('base64url');

/** One connection of the ring. */
class Member {
  /** Twice all frames in a row, so that any that follow each other are one piece. */
  readonly #frames: Buffer;
  readonly #frameBytes: number;
  readonly #sentAt: number[] = [];
  #slot = 0;
  #head = 0;
  arrived = 0;

  constructor(
    readonly socket: LoadSocket,
    tokenOfNext: string,
  ) {
    const envelope = randomBytes(ENVELOPE_BYTES).toString('base64url');
    const body = { token: tokenOfNext, envelope };
    const frames = Array.from({ length: SLOTS }, (_, i) =>
      textFrame(JSON.stringify({ type: 'request', id: FIRST_ID + i, name: 'envelope.send', body })),
    );
    this.#frames = Buffer.concat([...frames, ...frames]);
    this.#frameBytes = frames[0]!.length;
  }

  get isFull(): boolean {
    return this.#sentAt.length - this.#head >= SLOTS;
  }

  get outstanding(): number {
    return this.#sentAt.length - this.#head;
  }

  send(count: number, now: number): void {
    const at = this.#slot * this.#frameBytes;
    for (let i = 0; i < count; i++) this.#sentAt.push(now);
    this.socket.write(this.#frames.subarray(at, at + count * this.#frameBytes));
    this.#slot = (this.#slot + count) % SLOTS;
  }

  /** When the oldest message that has not arrived before was sent. */
  taken(): number {
    const sentAt = this.#sentAt[this.#head++] ?? 0;
    if (this.#head > 1_024) {
      this.#sentAt.splice(0, this.#head);
      this.#head = 0;
    }
    return sentAt;
  }
}

/** The ring. */
export class Ring {
  readonly #members: readonly Member[];
  /** Messages that have arrived since the beginning. */
  arrived = 0;
  #latencies: number[] | undefined;
  /** Whether a message that has arrived is followed by another one. */
  #follows = false;

  /** `tokens[i]` is where `sockets[i]` listens. */
  constructor(sockets: readonly LoadSocket[], tokens: readonly string[]) {
    const at = <T>(list: readonly T[], i: number): T => list[i % list.length]!;
    this.#members = sockets.map((socket, i) => new Member(socket, at(tokens, i + 1)));
    this.#members.forEach((sender, i) => {
      this.#listen(sender, at(this.#members, i + 1));
    });
  }

  /** As much as goes, with `window` messages of each member on the way. */
  async saturate(window: number, ms: number): Promise<RingRun> {
    this.#follows = true;
    for (const member of this.#members) member.send(window, performance.now());
    await sleep(Math.min(500, ms / 2));
    const [from, begin] = [this.arrived, performance.now()];
    await sleep(ms);
    const perSecond = ((this.arrived - from) * 1_000) / (performance.now() - begin);
    this.#follows = false;
    await this.#drained();
    return { perSecond, latencies: [] };
  }

  /** `perSecond` messages a second, of the members in turn. @throws Error when the server does not keep up. */
  async pace(perSecond: number, ms: number): Promise<RingRun> {
    const latencies: number[] = (this.#latencies = []);
    const begin = performance.now();
    let sent = 0;
    for (let elapsed = 0; elapsed < ms; elapsed = performance.now() - begin) {
      for (const due = Math.floor((elapsed * perSecond) / 1_000); sent < due; sent++)
        this.#sendOne(sent);
      await sleep(1);
    }
    const seconds = (performance.now() - begin) / 1_000;
    await this.#drained();
    this.#latencies = undefined;
    return { perSecond: sent / seconds, latencies };
  }

  close(): void {
    for (const { socket } of this.#members) socket.cut();
  }

  #sendOne(turn: number): void {
    const member = this.#members[turn % this.#members.length]!;
    if (member.isFull) throw new Error('the server does not keep up with the pace');
    member.send(1, performance.now());
  }

  #listen(sender: Member, receiver: Member): void {
    receiver.socket.stream();
    receiver.socket.message = (payload) => {
      if (payload[TYPE_AT] === ANSWER) return;
      sender.arrived++;
    };
    receiver.socket.batch = () => {
      const count = sender.arrived;
      if (count === 0) return;
      sender.arrived = 0;
      this.arrived += count;
      const now = performance.now();
      for (let i = 0; i < count; i++) {
        const sentAt = sender.taken();
        this.#latencies?.push(now - sentAt);
      }
      if (this.#follows) sender.send(count, now);
    };
  }

  async #drained(): Promise<void> {
    const end = performance.now() + DRAIN_MS;
    while (this.#members.some(({ outstanding }) => outstanding > 0)) {
      if (performance.now() > end || this.#members.some(({ socket }) => socket.isClosed))
        throw new Error('messages were lost, or connections ended');
      await sleep(10);
    }
  }
}

/** The 99th percentile of a run. */
export const p99 = ({ latencies }: RingRun): number => percentile(latencies, 99);

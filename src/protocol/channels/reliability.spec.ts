import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '../../../test/faults/link.js';
import { Channels, type Channel, type ChannelEvents } from './channels.js';
import { RELIABLE_CHANNELS } from './frame.js';

const SILENT: ChannelEvents = { message: () => {}, acknowledged: () => {}, writable: () => {} };

/** What a path does to the plaintexts of one direction. */
interface Weather {
  readonly loss: number;
  readonly repeat: number;
  readonly delayMs: number;
  readonly seed: number;
}

interface Sent {
  readonly channel: Channel;
  readonly length: number;
  readonly atMs: number;
}

const weather = fc.record({
  loss: fc.double({ min: 0, max: 0.4, noNaN: true }),
  repeat: fc.double({ min: 0, max: 0.2, noNaN: true }),
  delayMs: fc.integer({ min: 0, max: 120 }),
  seed: fc.integer({ min: 1, max: 2 ** 30 }),
});
const messages = fc.array(
  fc.record({
    channel: fc.constantFrom<Channel>('chat', 'input', 'file', 'call', 'control'),
    length: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 1157 })),
    atMs: fc.integer({ min: 0, max: 300 }),
  }),
  { maxLength: 60 },
);

/** A message of its own: the first two bytes number it, the rest follows from them. */
function content(id: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (id * 31 + i * 7) & 0xff;
  return bytes;
}

/** Two endpoints in such weather for at most two virtual minutes; each message goes from the first to the second. */
class Rehearsal {
  readonly got: Record<Channel, Uint8Array[]> = {
    chat: [],
    file: [],
    input: [],
    call: [],
    control: [],
  };
  readonly acknowledged: Record<string, number[]> = { chat: [], file: [], input: [] };
  readonly plaintexts: Uint8Array[] = [];
  readonly #inTransit: { atMs: number; to: 0 | 1; bytes: Uint8Array }[] = [];
  readonly #random: (() => number)[];

  constructor(readonly weather: readonly [Weather, Weather]) {
    this.#random = weather.map(({ seed }) => seededRandom(seed));
  }

  readonly ends = [
    new Channels(
      { ...SILENT, acknowledged: (channel, id) => this.acknowledged[channel]!.push(id) },
      { callMode: 'video' },
    ),
    new Channels(
      { ...SILENT, message: (channel, bytes) => this.got[channel].push(bytes) },
      { callMode: 'video' },
    ),
  ] as const;

  /** Gives when everything reliable was acknowledged, or that it never was. */
  play(script: readonly Sent[]): number | 'never' {
    const waiting = script.map((sent, id) => ({ ...sent, id })).sort((a, b) => a.atMs - b.atMs);
    for (let nowMs = 0; nowMs < 120_000; nowMs++) {
      while (waiting[0] && waiting[0].atMs <= nowMs) {
        const { channel, length, id } = waiting.shift()!;
        this.ends[0].send(
          channel,
          content(id, channel === 'call' ? Math.min(length, 1100) : length),
        );
      }
      for (const due of this.#take(nowMs)) this.ends[due.to].onPlaintext(due.bytes, nowMs);
      this.#transmit(0, nowMs);
      this.#transmit(1, nowMs);
      const left = RELIABLE_CHANNELS.reduce(
        (sum, name) =>
          sum +
          script.filter(({ channel }) => channel === name).length -
          this.acknowledged[name]!.length,
        0,
      );
      if (waiting.length === 0 && left === 0) return nowMs;
    }
    return 'never';
  }

  #take(nowMs: number): { to: 0 | 1; bytes: Uint8Array }[] {
    const due = this.#inTransit.filter(({ atMs }) => atMs <= nowMs);
    for (const one of due) this.#inTransit.splice(this.#inTransit.indexOf(one), 1);
    return due;
  }

  #transmit(from: 0 | 1, nowMs: number): void {
    const { loss, repeat, delayMs } = this.weather[from];
    const random = this.#random[from]!;
    const out = new Uint8Array(1180);
    for (let burst = 0; burst < 100; burst++) {
      const length = this.ends[from].nextPlaintext(nowMs, out);
      if (length === 0) return;
      const bytes = out.slice(0, length);
      if (from === 0) this.plaintexts.push(bytes);
      // The session's replay window lets no datagram through twice; what is numbered is repeated here all the same.
      const copies = random() < loss ? 0 : bytes[0] === 1 && random() < repeat ? 2 : 1;
      for (let copy = 0; copy < copies; copy++)
        this.#inTransit.push({
          atMs: nowMs + 1 + random() * delayMs,
          to: from === 0 ? 1 : 0,
          bytes,
        });
    }
  }
}

describe('messages on a path that loses, repeats and reorders', () => {
  it('arrive once, whole and in order on chat, file and input, and are acknowledged in order', () => {
    fc.assert(
      fc.property(weather, weather, messages, (there, back, script) => {
        const rehearsal = new Rehearsal([there, back]);
        expect(rehearsal.play(script)).not.toBe('never');
        const inOrder = script.map((sent, id) => ({ ...sent, id })).sort((a, b) => a.atMs - b.atMs);
        for (const name of RELIABLE_CHANNELS) {
          const sent = inOrder.filter(({ channel }) => channel === name);
          expect(rehearsal.got[name]).toEqual(sent.map(({ id, length }) => content(id, length)));
          expect(rehearsal.acknowledged[name]).toEqual(sent.map((_, id) => id));
        }
      }),
      { numRuns: 60, seed: 4 },
    );
  });

  it('go once and are never sent again on call and control', () => {
    fc.assert(
      fc.property(weather, weather, messages, (there, back, script) => {
        const rehearsal = new Rehearsal([there, back]);
        rehearsal.play(script);
        const calls = rehearsal.plaintexts.filter((bytes) => bytes[9] === 4);
        expect(calls.length).toBe(script.filter(({ channel }) => channel === 'call').length);
        const sequences = calls.map((bytes) => bytes[13]!);
        expect(sequences).toEqual(sequences.map((_, i) => i));
        const controls = script.filter(({ channel }) => channel === 'control').length;
        expect(rehearsal.got.control.length).toBeLessThanOrEqual(controls);
      }),
      { numRuns: 20, seed: 5 },
    );
  });

  it('of many segments arrive whole', () => {
    const rehearsal = new Rehearsal([
      { loss: 0.1, repeat: 0.1, delayMs: 30, seed: 1 },
      { loss: 0.1, repeat: 0, delayMs: 30, seed: 2 },
    ]);
    const lengths = [70_000, 1157, 1158, 2314, 2315];
    const script = lengths.map((length, i) => ({ channel: 'chat' as const, length, atMs: i }));
    expect(rehearsal.play(script)).not.toBe('never');
    expect(rehearsal.got.chat).toEqual(lengths.map((length, id) => content(id, length)));
  });
});

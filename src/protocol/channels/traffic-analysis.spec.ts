import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '../../../test/faults/link.js';
import { Channels, maxMessageBytes, type ChannelEvents } from './channels.js';

/*
 * What an observer learns from the sizes of single datagrams. He is a naive Bayes classifier over the size: with one
 * feature that is the best classifier there is. He learns from 6,000 datagrams whose truth he is told, and is judged
 * on 6,000 others.
 */
const SILENT: ChannelEvents = { message: () => {}, acknowledged: () => {}, writable: () => {} };
const KINDS = ['chat', 'input', 'control'] as const;
type Kind = (typeof KINDS)[number];

interface Sighting {
  readonly label: string;
  readonly size: number;
}

const known = new Map<string, number>();
let sessions: Partial<Record<Kind, { channels: Channels; messages: number }>> = {};

/** The size of the one datagram in which a message of `bytes` goes. */
function datagramSize(kind: Kind, bytes: number): number {
  const key = `${kind} ${bytes}`;
  const size = known.get(key) ?? sendOne(kind, bytes);
  known.set(key, size);
  return size;
}

/** Nothing is acknowledged, so a session serves for the few messages that may go before that. */
function sendOne(kind: Kind, bytes: number): number {
  let session = sessions[kind];
  if (!session || session.messages === 8)
    session = { channels: new Channels(SILENT, { callMode: 'wideband' }), messages: 0 };
  sessions = { ...sessions, [kind]: session };
  session.channels.send(kind, new Uint8Array(bytes));
  return session.channels.nextPlaintext(20 * session.messages++, new Uint8Array(1180));
}

/** Frame headers differ by kind, so the lengths that fill a bucket do too: lengths of one datagram, by bucket. */
function lengthsOf(kind: Kind, size: number): { from: number; to: number } {
  const overhead = kind === 'control' ? 12 : 23;
  const before = size === 256 ? 0 : size === 512 ? 256 - overhead + 1 : 512 - overhead + 1;
  return { from: before, to: size - overhead };
}

function train(sightings: readonly Sighting[]): (size: number) => string {
  const counts = new Map<number, Map<string, number>>();
  for (const { label, size } of sightings) {
    const bySize = counts.get(size) ?? new Map<string, number>();
    bySize.set(label, (bySize.get(label) ?? 0) + 1);
    counts.set(size, bySize);
  }
  return (size) =>
    [...(counts.get(size) ?? [])].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'never seen';
}

function accuracy(sightings: readonly Sighting[]): number {
  const half = sightings.length / 2;
  const guess = train(sightings.slice(0, half));
  const right = sightings.slice(half).filter(({ label, size }) => guess(size) === label).length;
  return right / half;
}

/** Chance, and four standard deviations of a guesser's hit rate on 6,000 datagrams: exceeded once in 30,000 runs. */
const atMost = (chance: number) => chance + 4 * Math.sqrt((chance * (1 - chance)) / 6_000);

const pick = <T>(from: readonly T[], random: () => number): T =>
  from[Math.floor(random() * from.length)]!;

describe('an observer of single datagram sizes', () => {
  it('S65: cannot tell chat, input and control apart better than chance', () => {
    const random = seededRandom(65);
    const sightings = Array.from({ length: 12_000 }, () => {
      const label = pick(KINDS, random);
      const bytes = Math.floor(random() ** 3 * 1157);
      return { label, size: datagramSize(label, bytes) };
    });
    expect(accuracy(sightings)).toBeLessThan(atMost(1 / 3));
  });

  it.each([256, 512, 1180])(
    'S65: cannot tell the kind within the bucket of %i bytes, whatever lengths each kind prefers',
    (size) => {
      const random = seededRandom(size);
      const power = { chat: 1, input: 6, control: 3 };
      const sightings = Array.from({ length: 12_000 }, () => {
        const label = pick(KINDS, random);
        const { from, to } = lengthsOf(label, size);
        const bytes = from + Math.floor(random() ** power[label] * (to - from + 1));
        return { label, size: datagramSize(label, bytes) };
      });
      expect(new Set(sightings.map((sighting) => sighting.size))).toEqual(new Set([size]));
      expect(accuracy(sightings)).toBeLessThan(atMost(1 / 3));
    },
  );

  it.each(KINDS)('S65: cannot tell in which quarter of a bucket the length of %s is', (kind) => {
    for (const size of [256, 512, 1180]) {
      const random = seededRandom(size + kind.length);
      const sightings = Array.from({ length: 12_000 }, () => {
        const { from, to } = lengthsOf(kind, size);
        const quarter = Math.floor(random() * 4);
        const bytes = from + Math.floor(((quarter + random()) / 4) * (to - from));
        return { label: String(quarter), size: datagramSize(kind, bytes) };
      });
      expect(accuracy(sightings)).toBeLessThan(atMost(1 / 4));
    }
  });

  it('finds both at once where there is no padding: the classifier works', () => {
    const random = seededRandom(1);
    const sightings = Array.from({ length: 12_000 }, () => {
      const label = pick(KINDS, random);
      const bytes = Math.floor(random() * 100);
      return {
        label,
        size: bytes + (label === 'control' ? 12 : 23) + (label === 'input' ? 100 : 0),
      };
    });
    expect(accuracy(sightings)).toBeGreaterThan(0.6);
  });
});

describe('the sizes on the wire', () => {
  it('T43: of chat, input, control and acknowledgements of every length are the three of the bucket set', () => {
    const sizes = new Set<number>();
    for (const kind of KINDS)
      for (let bytes = 0; bytes <= Math.min(1157, maxMessageBytes(kind, 'wideband')); bytes++)
        sizes.add(datagramSize(kind, bytes));
    const out = new Uint8Array(1180);
    const [sender, receiver] = [1, 2].map(() => new Channels(SILENT, { callMode: 'wideband' }));
    for (let nowMs = 0; nowMs < 200; nowMs += 2) {
      sender!.send('input', new Uint8Array(nowMs));
      receiver!.onPlaintext(out.slice(0, sender!.nextPlaintext(nowMs, out)), nowMs);
      const length = receiver!.nextPlaintext(nowMs + 1, out);
      sizes.add(length);
      if (nowMs % 10 === 0) sender!.onPlaintext(out.slice(0, length), nowMs + 1);
    }
    expect([...sizes].sort((a, b) => a - b)).toEqual([256, 512, 1180]);
  });

  it('T43: of a file are 1,180 bytes for each datagram, the last one too', () => {
    const sender = new Channels(SILENT, { callMode: 'wideband' });
    const out = new Uint8Array(1180);
    for (let bytes = 0; bytes < 4_000; bytes += 333) sender.send('file', new Uint8Array(bytes));
    const sizes = Array.from({ length: 8 }, (_, i) => sender.nextPlaintext(i * 100, out));
    expect(new Set(sizes)).toEqual(new Set([1180]));
  });

  it('T43: of call frames are three for each codec mode', () => {
    for (const mode of ['narrowband', 'wideband', 'video'] as const) {
      const sizes = new Set<number>();
      const sender = new Channels(SILENT, { callMode: mode });
      for (let bytes = 0; bytes <= maxMessageBytes('call', mode); bytes++) {
        sender.send('call', new Uint8Array(bytes));
        sizes.add(sender.nextPlaintext(0, new Uint8Array(1180)));
      }
      expect(sizes.size).toBe(3);
    }
  });
});

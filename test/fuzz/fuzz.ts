import fc from 'fast-check';

/*
 * Bytes from strangers, made from good ones. Half of the inputs are mutations of a corpus (they get past the first
 * checks), a quarter are bytes of any value, a quarter begin like a member of the corpus and go on at random. The seed
 * makes a run repeatable; a failure names seed, run and the bytes.
 */

/** What to feed, how often, and what may come out. */
export interface FuzzTarget {
  /** Gives the refusal, or anything else for bytes that it takes. A throw is a failure. */
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Every refusal that may come out: a string that is not in it is a failure. */
  readonly refusals: readonly string[];
  /** Bytes that `decode` takes, and such as are wrong in a way that chance would not find. */
  readonly corpus: readonly Uint8Array[];
  readonly runs: number;
  readonly seed: number;
  /** The longest input, 2,048 bytes unless given. */
  readonly maxBytes?: number;
}

/** What came out: how often each refusal, and how often none. */
export interface FuzzCounts {
  readonly accepted: number;
  readonly refused: ReadonlyMap<string, number>;
  readonly total: number;
}

/** Values that sit at the edges of lengths, counters and signs. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff] as const;

/** A small generator (a Weyl sequence through a mixing function): fast, repeatable, and nothing secret depends on it. */
export function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) % below;
  };
}

type Mutation = (bytes: Uint8Array, pick: (below: number) => number) => Uint8Array;

const at = (bytes: Uint8Array, pick: (below: number) => number) => pick(Math.max(1, bytes.length));

const changed = (bytes: Uint8Array, offset: number, value: number): Uint8Array => {
  // Not slice: that of a Buffer is a view, and the corpus would wear away.
  const copy = new Uint8Array(bytes);
  if (offset < copy.length) copy[offset] = value;
  return copy;
};

const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts));

const MUTATIONS: readonly Mutation[] = [
  (bytes, pick) => {
    const offset = at(bytes, pick);
    return changed(bytes, offset, (bytes[offset] ?? 0) ^ (1 << pick(8)));
  },
  (bytes, pick) => changed(bytes, at(bytes, pick), EDGES[pick(EDGES.length)]!),
  (bytes, pick) => changed(bytes, at(bytes, pick), pick(256)),
  (bytes, pick) => bytes.subarray(0, at(bytes, pick)),
  (bytes, pick) => bytes.subarray(at(bytes, pick)),
  (bytes, pick) =>
    joined(
      bytes,
      Uint8Array.from({ length: 1 + pick(32) }, () => pick(256)),
    ),
  (bytes, pick) => {
    const offset = at(bytes, pick);
    return joined(bytes.subarray(0, offset), bytes.subarray(offset + 1 + pick(8)));
  },
  (bytes, pick) => {
    const offset = at(bytes, pick);
    return joined(
      bytes.subarray(0, offset),
      bytes.subarray(offset, offset + 1 + pick(16)),
      bytes.subarray(offset),
    );
  },
];

function mutated(target: FuzzTarget, pick: (below: number) => number): Uint8Array {
  let bytes = target.corpus[pick(target.corpus.length)]!;
  const times = pick(4);
  for (let i = 0; i < times; i++) bytes = MUTATIONS[pick(MUTATIONS.length)]!(bytes, pick);
  return bytes;
}

function anyBytes(pick: (below: number) => number): Uint8Array {
  return Uint8Array.from({ length: pick(pick(4) === 0 ? 600 : 80) }, () => pick(256));
}

function goodBeginning(target: FuzzTarget, pick: (below: number) => number): Uint8Array {
  const bytes = target.corpus[pick(target.corpus.length)]!;
  return joined(bytes.subarray(0, at(bytes, pick)), anyBytes(pick));
}

function nextInput(target: FuzzTarget, pick: (below: number) => number): Uint8Array {
  const kind = pick(4);
  if (kind < 2) return mutated(target, pick);
  return kind === 2 ? goodBeginning(target, pick) : anyBytes(pick);
}

function decodeOrFail(target: FuzzTarget, bytes: Uint8Array, run: string): unknown {
  const before = Buffer.from(bytes);
  let result: unknown;
  try {
    result = target.decode(bytes);
  } catch (cause) {
    throw new Error(`${run} threw on ${before.toString('hex')}`, { cause });
  }
  if (!before.equals(bytes)) throw new Error(`${run} changed its input ${before.toString('hex')}`);
  if (typeof result === 'string' && !target.refusals.includes(result))
    throw new Error(`${run} gave "${result}", which is not in the closed list`);
  return result;
}

/**
 * Feeds `runs` inputs to `decode`, and `runs / 20` more from fast-check, which shrinks what it finds.
 * @throws Error if the decoder throws, changes its input, gives a refusal outside of the list, or counts do not add up.
 */
export function fuzzDecoder(target: FuzzTarget): FuzzCounts {
  const refused = new Map<string, number>();
  let accepted = 0;
  const feed = (bytes: Uint8Array, run: string): void => {
    const result = decodeOrFail(target, bytes.subarray(0, target.maxBytes ?? 2048), run);
    if (typeof result === 'string') refused.set(result, (refused.get(result) ?? 0) + 1);
    else accepted++;
  };
  const pick = numbers(target.seed);
  target.corpus.forEach((bytes, i) => {
    feed(bytes, `corpus ${i}`);
  });
  for (let run = 0; run < target.runs; run++)
    feed(nextInput(target, pick), `seed ${target.seed}, run ${run}`);
  const shrinking = Math.ceil(target.runs / 20);
  let shrunk = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      shrunk++;
      feed(bytes, 'fast-check');
    }),
    { seed: target.seed, numRuns: shrinking },
  );
  const total = accepted + [...refused.values()].reduce((sum, count) => sum + count, 0);
  if (total !== target.corpus.length + target.runs + shrunk)
    throw new Error(`${total} results for ${target.corpus.length + target.runs + shrunk} inputs`);
  return { accepted, refused, total };
}

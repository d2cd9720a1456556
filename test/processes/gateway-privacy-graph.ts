/*
 * The objects of a V8 heap snapshot as a graph: which texts are in it, and which objects lead to the texts of whom.
 */
import { readFileSync } from 'node:fs';

/** Timers of Node and the places of a list lead from each element to the next, whoever owns them. */
const CHAINS = new Set(['_idleNext', '_idlePrev']);
/** What such an object holds on to is not what it says. */
const WEAK = 'weak';

interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[]];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly [readonly string[]];
    };
  };
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  readonly strings: readonly string[];
}

/** A graph of objects. */
export class HeapGraph {
  readonly #heap: Snapshot;
  readonly #nodeSize: number;
  readonly #edgeSize: number;
  readonly #count: number;
  /** Index of each node's first edge; one more at the end. */
  readonly #firstEdge: Int32Array;

  private constructor(heap: Snapshot) {
    this.#heap = heap;
    const { node_fields, edge_fields } = heap.snapshot.meta;
    this.#nodeSize = node_fields.length;
    this.#edgeSize = edge_fields.length;
    this.#count = heap.nodes.length / this.#nodeSize;
    this.#firstEdge = new Int32Array(this.#count + 1);
    const edgeCount = node_fields.indexOf('edge_count');
    for (let at = 0; at < this.#count; at++)
      this.#firstEdge[at + 1] =
        this.#firstEdge[at]! + this.#edgeSize * heap.nodes[at * this.#nodeSize + edgeCount]!;
  }

  /** Reads a file that `v8.writeHeapSnapshot` wrote. */
  static read(file: string): HeapGraph {
    return new HeapGraph(JSON.parse(readFileSync(file, 'utf8')) as Snapshot);
  }

  /** Ids of all objects: an object keeps its id from one snapshot of a process to the next. */
  ids(): Set<number> {
    const ids = new Set<number>();
    for (let at = 0; at < this.#count; at++) ids.add(this.#field(at, 'id'));
    return ids;
  }

  /** Which of `texts` stand in any string of the heap, names of properties and pieces of code included. */
  textsAmong(texts: ReadonlyMap<string, string>): string[] {
    const found = [...texts].filter(([, text]) =>
      this.#heap.strings.some((string) => string.includes(text)),
    );
    return found.map(([name]) => name);
  }

  /** The kinds of object that hold a string with `text`, directly. */
  holdersOf(text: string): string[] {
    const seeds = new Set(this.#stringsWith([text]));
    const holders = new Set<string>();
    for (let at = 0; at < this.#count; at++)
      for (const [name, to] of this.#edgesOf(at))
        if (seeds.has(to)) holders.add(`${this.label(at)}.${name}`);
    return [...holders].sort();
  }

  /**
   * Which of `parties` each object leads to, as bits in their order: through objects that are not among `old` ones, by
   * anything but weak references and the chains of timers. Of an old object only what it holds itself counts: the gateway's
   * own objects lead to everybody in the end.
   */
  reach(parties: readonly (readonly string[])[], old: ReadonlySet<number>): Uint8Array {
    const masks = new Uint8Array(this.#count);
    const holders = this.#holdersOfNew(old);
    parties.forEach((texts, party) => {
      const waiting = this.#stringsWith(texts);
      while (waiting.length > 0) {
        const at = waiting.pop()!;
        if ((masks[at]! & (1 << party)) !== 0) continue;
        masks[at]! |= 1 << party;
        if (!old.has(this.#field(at, 'id'))) waiting.push(...(holders.get(at) ?? []));
      }
    });
    return masks;
  }

  /** What an object is called, with its kind. */
  label(at: number): string {
    const kind = this.#heap.snapshot.meta.node_types[0][this.#field(at, 'type')] ?? '';
    return `${kind} ${(this.#heap.strings[this.#field(at, 'name')] ?? '').slice(0, 60)}`;
  }

  /** Where an object leads to. */
  *#edgesOf(at: number): Generator<readonly [string, number]> {
    const { edges, strings, snapshot } = this.#heap;
    const kinds = snapshot.meta.edge_types[0];
    for (let edge = this.#firstEdge[at]!; edge < this.#firstEdge[at + 1]!; edge += this.#edgeSize) {
      const kind = kinds[edges[edge]!];
      const isNamed = kind !== 'element' && kind !== 'hidden';
      const name = isNamed ? strings[edges[edge + 1]!]! : '[]';
      if (kind !== WEAK && !CHAINS.has(name)) yield [name, edges[edge + 2]! / this.#nodeSize];
    }
  }

  /** Who holds each object that is not among `old` ones. */
  #holdersOfNew(old: ReadonlySet<number>): Map<number, number[]> {
    const holders = new Map<number, number[]>();
    for (let at = 0; at < this.#count; at++)
      for (const [, to] of this.#edgesOf(at)) {
        if (old.has(this.#field(to, 'id'))) continue;
        const known = holders.get(to);
        if (known === undefined) holders.set(to, [at]);
        else known.push(at);
      }
    return holders;
  }

  #stringsWith(texts: readonly string[]): number[] {
    const wanted = new Set<number>();
    this.#heap.strings.forEach((string, at) => {
      if (texts.some((text) => string.includes(text))) wanted.add(at);
    });
    const found: number[] = [];
    for (let at = 0; at < this.#count; at++)
      if (this.#isText(at) && wanted.has(this.#field(at, 'name'))) found.push(at);
    return found;
  }

  #isText(at: number): boolean {
    const { node_types } = this.#heap.snapshot.meta;
    return (node_types[0][this.#field(at, 'type')] ?? '').includes('string');
  }

  #field(at: number, name: string): number {
    const { node_fields } = this.#heap.snapshot.meta;
    return this.#heap.nodes[at * this.#nodeSize + node_fields.indexOf(name)]!;
  }
}

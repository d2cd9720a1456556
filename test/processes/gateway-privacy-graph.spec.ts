import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HeapGraph } from './gateway-privacy-graph.js';

/** Runs in a process of its own: two snapshots, and between them four people and one note about two of them. */
const PROGRAM = `
const { writeHeapSnapshot } = require('node:v8');
const [folder] = process.argv.slice(1);
const world = { table: new Map(), notes: [], last: {} };
writeHeapSnapshot(folder + '/before');
for (const name of ['ann', 'ben', 'cat', 'dan'])
  world.table.set(name, { name: ['person', name].join('-'), world });
writeHeapSnapshot(folder + '/table');
world.notes.push({ from: world.table.get('ann'), to: world.table.get('ben').name });
writeHeapSnapshot(folder + '/note');
world.notes.pop();
world.last.from = world.table.get('cat');
world.last.to = world.table.get('dan').name;
writeHeapSnapshot(folder + '/last');
console.log(world.notes.length);
`;
const PEOPLE = ['ann', 'ben', 'cat', 'dan'].map((name) => [`person-${name}`]);

let folder: string;
let before: HeapGraph;
let table: HeapGraph;
let note: HeapGraph;
let last: HeapGraph;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-heap-'));
  await promisify(execFile)(process.execPath, ['-e', PROGRAM, folder]);
  const read = (name: string) => HeapGraph.read(join(folder, name));
  [before, table, note, last] = [read('before'), read('table'), read('note'), read('last')];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The sets of people that objects lead to which were not there before. */
const groups = (heap: HeapGraph): Set<number> => new Set(heap.reach(PEOPLE, before.ids()));

describe('the graph of a heap with a table of four people', () => {
  it('has objects of each of them, and of all of them, and no others', () => {
    expect(groups(table)).toEqual(new Set([0, 0b0001, 0b0010, 0b0100, 0b1000, 0b1111]));
  });

  it('shows one note about two of them', () => {
    expect(groups(note)).toContain(0b0011);
  });

  it('shows two of them in an object that was there before', () => {
    expect(groups(last)).toContain(0b1100);
    expect(groups(last)).not.toContain(0b0011);
  });

  it('says who holds a text, and which texts are there', () => {
    expect(table.holdersOf('person-ann')).toContain('object Object.name');
    const texts = new Map([['ann', 'person-ann']]);
    expect([before.textsAmong(texts), table.textsAmong(texts)]).toEqual([[], ['ann']]);
  });
});

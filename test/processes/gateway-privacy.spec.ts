import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PrivacyDay, STRANGER_ADDRESS, VISITOR_ADDRESS } from './gateway-privacy-day.js';
import type { HeapGraph } from './gateway-privacy-graph.js';
import { factsOf, rowsOf, tablesIn, type Table } from './gateway-privacy-rows.js';
import { copiesIn } from './process-memory.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Bits of the two couples, in the order of their people. */
const COUPLES = [0b0011, 0b1100];
const EVERYBODY = 0b1111;

let day: PrivacyDay;
/** Objects that the gateway had before anybody of the two couples came. */
let before: ReadonlySet<number>;
/** While both couples have a session. */
let live: ReadonlyMap<string, Table>;
/** After a minute in which nobody said anything; everybody is still connected. */
let files: ReadonlyMap<string, Buffer>;
let tables: ReadonlyMap<string, Table>;
let inMemory: readonly string[];
let heap: HeapGraph;
let written: ReadonlyMap<string, string>;

/** What the programs wrote: audit records, logs, metrics. */
async function writings(): Promise<ReadonlyMap<string, string>> {
  const { gateway, relays } = day.bed;
  const [relay] = relays;
  return new Map([
    ['audit', gateway.stdout],
    ['log', gateway.stderr],
    ['metrics', (await gateway.page('/metrics')).body],
    ['audit of the relay', relay!.process.stdout],
    ['log of the relay', relay!.process.stderr],
  ]);
}

/** Which of `texts` stand in anything that is written, or in the files of the database. */
function durable(texts: Iterable<readonly [string, string]>): string[] {
  return [...texts].flatMap(([name, text]) => [
    ...[...written].filter(([, all]) => all.includes(text)).map(([where]) => `${name} in ${where}`),
    ...[...files].filter(([, all]) => all.includes(text)).map(([where]) => `${name} in ${where}`),
  ]);
}

/** As they stand in memory: one byte for each character, or two. */
const asBytes = (texts: ReadonlyMap<string, string>): [string, Uint8Array][] =>
  [...texts].flatMap(([name, text]) => [
    [name, Buffer.from(text)],
    [`${name}, two bytes each`, Buffer.from(text, 'utf16le')],
  ]);

beforeAll(async () => {
  day = await PrivacyDay.start();
  await day.warmUp();
  before = (await day.heap()).ids();
  await day.meet();
  live = tablesIn(await day.dataFiles());
  await day.visits();
  await day.partings();
  await day.silence();
  const secrets = [...asBytes(day.contents), ...asBytes(day.names), ...day.keys()];
  const known = ['account', Buffer.from(day.people[0]!.client.fingerprint)] as const;
  inMemory = copiesIn(day.bed.gateway.child.pid!, new Map([...secrets, known]));
  heap = await day.heap();
  files = await day.dataFiles();
  tables = tablesIn(files);
  written = await writings();
}, 300_000);
afterAll(async () => {
  await day.stop();
});

describe('what a gateway writes on a day on which two couples met', () => {
  it('S45, S51: is in the tables and columns of docs/privacy.md and no others, and none is for a name', () => {
    const stored = [...tables].map(([name, { columns }]) => `${name}: ${columns.join(', ')}`);
    expect(stored).toEqual(declaredTables());
    expect(stored.join(' ')).not.toMatch(/mail|phone|peer|address|token\b|envelope|agent/);
  });

  it('S49, S50: holds no text, no file, no frame of a call, and nobody calls anybody by a name there', () => {
    expect(durable([...day.contents, ...day.names])).toEqual([]);
  });

  it('S9: holds no private key of anybody, as bytes, digits or letters', () => {
    const keys = [...day.keys()];
    expect(keys).toHaveLength(4 * day.people.length);
    const texts = keys.flatMap(([name, key]) => {
      const bytes = Buffer.from(key);
      return [bytes.toString('hex'), bytes.toString('base64url').slice(0, -1)].map(
        (text) => [name, text] as const,
      );
    });
    expect(durable(texts)).toEqual([]);
    for (const [name, key] of keys)
      for (const [where, all] of files)
        expect([name, where, all.includes(Buffer.from(key))]).toEqual([name, where, false]);
  });

  it('T34: has the token of a session nowhere, although it gave one to each of them', () => {
    const tokens = day.people.map(({ client }) => client.welcome?.session ?? '');
    expect(tokens.map((token) => token.length)).toEqual(day.people.map(() => 43));
    const forms = tokens.flatMap((token, at) => [
      [`token of ${at}`, token.slice(0, -1)] as const,
      [`token of ${at} in digits`, Buffer.from(token, 'base64url').toString('hex')] as const,
    ]);
    expect(durable(forms)).toEqual([]);
    for (const token of tokens)
      for (const all of files.values()) expect(all.includes(token, 0, 'base64url')).toBe(false);
  });

  it('S51: has accounts by their keys alone, and in the database alone', () => {
    const accounts = day.people.map(({ client }) => ['account', client.fingerprint] as const);
    const places = new Set(durable(accounts).map((place) => place.replace(/-wal$/, '')));
    expect([...places]).toEqual(['account in gateway.sqlite']);
    const stored = tables.get('account')!.rows.map((row) => row.get('account'));
    for (const [, account] of accounts) expect(stored).toContain(account);
  });

  it('S52, S53: leads from no account to another, not even while both have a session', () => {
    for (const state of [live, tables]) {
      const people = day.people.map(({ client }) => factsOf(rowsOf(state, client.fingerprint)));
      const [a, b, c, d] = people as [Facts, Facts, Facts, Facts];
      expect(sharedOnlyBy(a, b, [c, d])).toEqual([]);
      expect(sharedOnlyBy(c, d, [a, b])).toEqual([]);
    }
    expect(live.get('lease')!.rows.length).toBeGreaterThanOrEqual(4);
  });

  it('S52, S53: has one pseudonym in each audit record, and none of a first contact or a message', () => {
    const records = day.bed.gateway.stdout.trim().split('\n');
    expect(records.length).toBeGreaterThan(20);
    for (const record of records) expect(record.match(/"pid":/g)).toHaveLength(1);
    const actions = new Set(records.map((record) => /"action":"([^"]+)"/.exec(record)?.[1]));
    expect([...actions].filter((name) => /contact|rendezvous|envelope|prekey/.test(name!))).toEqual(
      [],
    );
  });

  it('S47: holds no address of a client', () => {
    const addresses = [VISITOR_ADDRESS, STRANGER_ADDRESS].map((text) => [text, text] as const);
    expect(durable(addresses)).toEqual([]);
  });

  it('S48: has the day of a registration and the hour of a login', () => {
    const remainders = (table: string, column: string, step: number) =>
      new Set(tables.get(table)!.rows.map((row) => Number(row.get(column)) % step));
    expect(remainders('account', 'registered_on', DAY_MS)).toEqual(new Set([0]));
    expect(remainders('device', 'enrolled_on', DAY_MS)).toEqual(new Set([0]));
    expect(remainders('session', 'began_at', HOUR_MS)).toEqual(new Set([0]));
  });

  it('S48: has of a session that ended whose it was, and hours', () => {
    const ended = tables.get('session')!.rows.filter((row) => row.get('ended_at') !== 'null');
    expect(ended).toHaveLength(1);
    for (const [column, value] of ended[0]!)
      if (column.endsWith('_at') && value !== 'null') expect(Number(value) % HOUR_MS).toBe(0);
    expect(ended[0]!.get('token_hash')).toBe('null');
    expect(ended[0]!.get('second_factor_at')).toBe('null');
  });
});

describe('the memory of that gateway, a minute after the last message', () => {
  it('S9, S49, S50, T34: holds an account, and no text, file, frame, name or private key of an endpoint', () => {
    expect([...new Set(inMemory.map((found) => found.split(' in ')[0]))]).toEqual(['account']);
  });

  it('S46, S52, S53: has objects of one person and of everybody, and none of two who have met and of nobody else', () => {
    const parties = day.people.map((person) => day.textsOf(person));
    const masks = heap.reach(parties, before);
    const kinds = new Set(masks);
    expect([0b0001, 0b0010, 0b0100, 0b1000].filter((one) => !kinds.has(one))).toEqual([]);
    const ofACouple = [...kinds].filter((mask) => COUPLES.some((both) => (mask & both) === both));
    expect(ofACouple).toEqual([EVERYBODY]);
  });

  it('S47: has no address of who has gone a minute ago', () => {
    for (const address of [VISITOR_ADDRESS, STRANGER_ADDRESS])
      expect(heap.holdersOf(address)).toEqual([]);
  });
});

describe('what the relay of that day writes', () => {
  it('S45: names no account, no device and no token', () => {
    const ofRelay = [...written].filter(([where]) => where.endsWith('of the relay'));
    expect(ofRelay.map(([, text]) => text.length > 0)).toEqual([true, true]);
    const texts = day.people.flatMap((person) => day.textsOf(person));
    for (const [, text] of ofRelay) expect(texts.filter((name) => text.includes(name))).toEqual([]);
  });
});

type Facts = ReadonlySet<string>;

/** What two have in common and neither of the others has. */
const sharedOnlyBy = (one: Facts, other: Facts, others: readonly Facts[]): string[] =>
  [...one].filter((fact) => other.has(fact) && !others.some((facts) => facts.has(fact)));

/** The tables and columns that docs/privacy.md declares, sorted. */
function declaredTables(): string[] {
  const page = readFileSync('docs/privacy.md', 'utf8');
  const section = page.split('## What the gateway stores')[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `([a-z_]+)` \| ([^|]*) \|/gm)]
    .map(([, name, columns]) => {
      const names = [...columns!.matchAll(/`([a-z_]+)`/g)].map(([, column]) => column!);
      return `${name}: ${names.sort().join(', ')}`;
    })
    .sort();
}

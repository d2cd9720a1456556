/*
 * The tables of a gateway's database as they stand in its files, and what two accounts have in common there.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** One row: columns and what stands in them, bytes as hexadecimal digits and numbers as decimal ones. */
export type Row = ReadonlyMap<string, string>;

/** A table as it is. */
export interface Table {
  /** Sorted. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** Columns that hold a time or a date. */
const TIME = /_(at|on|until)$|^(at|timestamp)$/;

/** What SQLite keeps for itself. */
const OWN = /^sqlite_/;

/** Every table in these files, which are a copy of a database that may be in use. */
export function tablesIn(files: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Table> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-rows-'));
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  const database = new DatabaseSync(join(folder, 'gateway.sqlite'));
  try {
    const named = database.prepare("select name from sqlite_master where type = 'table'").all();
    const names = named.map(({ name }) => String(name)).filter((name) => !OWN.test(name));
    return new Map(names.sort().map((name) => [name, tableOf(database, name)]));
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
}

/** Every row of every table that names `account`. */
export const rowsOf = (tables: ReadonlyMap<string, Table>, account: string): readonly Row[] =>
  [...tables.values()].flatMap(({ rows }) => rows.filter((row) => row.get('account') === account));

/** What the rows of an account say, by column, without times: two that did the same in the same second share those. */
export function factsOf(rows: readonly Row[]): ReadonlySet<string> {
  const facts = rows.flatMap((row) => [...row].filter(([column]) => !TIME.test(column)));
  return new Set(facts.map(([, value]) => value));
}

function tableOf(database: DatabaseSync, name: string): Table {
  const columns = database.prepare(`select name from pragma_table_info('${name}')`).all();
  const select = database.prepare(`select * from "${name}"`);
  select.setReadBigInts(true);
  const rows = select
    .all()
    .map((row) => new Map(Object.entries(row).map(([column, value]) => [column, textOf(value)])));
  return { columns: columns.map((column) => String(column['name'])).sort(), rows };
}

const textOf = (value: unknown): string =>
  value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);

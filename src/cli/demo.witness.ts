/*
 * What the gateway kept of the demonstration: everything in its folder and its logs is searched for what was said, sent
 * and named, and its tables are counted.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** What was searched for where, and what was found. */
export interface Testimony {
  readonly files: number;
  readonly bytes: number;
  /** Names of what was found, with the file; empty is what is promised. */
  readonly found: readonly string[];
  /** Rows by table, tables of the migrations left out. */
  readonly rows: ReadonlyMap<string, number>;
}

/** Searches every file below `folders` for `secrets` (by name) as they are and as UTF-16 and base64 would show them. */
export function searchFor(
  secrets: ReadonlyMap<string, Uint8Array>,
  folders: readonly string[],
  database: string,
): Testimony {
  const needles = [...secrets].flatMap(([name, bytes]) =>
    formsOf(bytes).map((needle) => [name, needle] as const),
  );
  const files = folders.flatMap(filesBelow);
  let bytes = 0;
  const found: string[] = [];
  for (const file of files) {
    const content = readFileSync(file);
    bytes += content.length;
    for (const [name, needle] of needles)
      if (content.includes(needle)) found.push(`${name} in ${file}`);
  }
  return { files: files.length, bytes, found, rows: rowsOf(database) };
}

function formsOf(bytes: Uint8Array): readonly Buffer[] {
  const plain = Buffer.from(bytes);
  // Base64 of the middle, whatever stands before it: three alignments, without the characters that depend on neighbours.
  const base64 = [0, 1, 2].map((skip) =>
    Buffer.from(plain.subarray(skip).toString('base64').slice(0, -4).replace(/=+$/, '')),
  );
  return [plain, Buffer.from(plain.toString('latin1'), 'utf16le'), ...base64];
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

function rowsOf(path: string): ReadonlyMap<string, number> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      .all()
      .map(({ name }) => String(name))
      .filter((name) => !/^(kysely_|sqlite_)/.test(name));
    return new Map(
      tables.map((name) => {
        const row = database.prepare(`SELECT count(*) AS n FROM "${name}"`).get();
        return [name, Number(row?.['n'] ?? 0)];
      }),
    );
  } finally {
    database.close();
  }
}

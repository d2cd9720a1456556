/*
 * The file with the column keys: JSON, newest key first. Beside SQLite this program makes it; with PostgreSQL it is
 * mounted, because all replicas need the same keys.
 */
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Ajv } from 'ajv';
import { Type, type Static } from 'typebox';
import { ActionableError } from '../../runtime/errors.js';
import { readSmallFile } from '../../runtime/small.file.js';
import type { ColumnKey, ColumnKeys } from './column-key.js';
import { OWN_SCHEMAS } from '../../runtime/own-schemas.js';

/** Cryptographically random bytes. */
export type Random = (bytes: number) => Uint8Array;

const KEY_ID_BYTES = 8;
const KEY_BYTES = 32;
/** Keys in one file, as many as the operator keeps: what is older was sealed again long ago. */
const MAX_KEYS = 64;
/** Permission bits of everybody but owner and group: a mounted Secret is readable by the pod's group. */
const OTHERS = 0o007;

const FILE = Type.Object(
  {
    version: Type.Literal(1),
    keys: Type.Array(
      Type.Object(
        {
          id: Type.String({ pattern: '^[0-9a-f]{16}$' }),
          key: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: MAX_KEYS },
    ),
  },
  { additionalProperties: false },
);
const isFile = new Ajv(OWN_SCHEMAS).compile<Static<typeof FILE>>(FILE);

/** The keys in `file`. @throws ActionableError when it is absent, readable by everybody, or not of this form */
export async function readColumnKeys(file: string): Promise<ColumnKeys> {
  const { text, mode } = await readSmallFile(file, {
    what: 'file of column keys',
    hint: 'Restore it from the backup: without it the second factors in the database cannot be read.',
  });
  if ((mode & OTHERS) !== 0)
    throw refused(file, 'may be read by everybody on this machine', `Run chmod 600 ${file}.`);
  const [newest, ...older] = keysIn(text) ?? [];
  if (newest === undefined)
    throw refused(file, 'is not of the form that docs/operations.md shows', 'Restore it.');
  return [newest, ...older];
}

/** Makes `file` with one new key, unless it is there. Owner only. */
export async function createColumnKeys(file: string, random: Random): Promise<void> {
  const created = await open(file, 'wx', 0o600).catch((error: unknown) => {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  });
  if (created === undefined) return;
  try {
    await created.writeFile(textOf([newKey(random)]));
    await created.sync();
  } finally {
    await created.close();
  }
  await syncFolder(file);
}

/** Puts a new key before the others; what is there is replaced as a whole or not at all. Gives the keys. */
export async function rotateColumnKeys(file: string, random: Random): Promise<ColumnKeys> {
  const before = await readColumnKeys(file);
  const older = before.slice(0, MAX_KEYS - 1);
  const keys: ColumnKeys = [newKey(random), ...older];
  const temporary = `${file}.new`;
  const written = await open(temporary, 'w', 0o600);
  try {
    await written.writeFile(textOf(keys));
    await written.sync();
  } finally {
    await written.close();
  }
  await rename(temporary, file);
  await syncFolder(file);
  return keys;
}

/** The code of an error of the system; undefined for anything else. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

async function syncFolder(file: string): Promise<void> {
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const newKey = (random: Random): ColumnKey => ({
  id: Buffer.from(random(KEY_ID_BYTES)).toString('hex'),
  key: random(KEY_BYTES),
});

const textOf = (keys: readonly ColumnKey[]): string =>
  `${JSON.stringify({
    version: 1,
    keys: keys.map(({ id, key }) => ({ id, key: Buffer.from(key).toString('base64url') })),
  })}\n`;

function keysIn(text: string): readonly ColumnKey[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isFile(value)) return undefined;
    return value.keys.map(({ id, key }) => ({
      id,
      key: Uint8Array.from(Buffer.from(key, 'base64url')),
    }));
  } catch {
    return undefined;
  }
}

function refused(file: string, what: string, hint: string): ActionableError {
  return new ActionableError('ERR_SETTINGS_FILE', `The file of column keys ${file} ${what}.`, hint);
}

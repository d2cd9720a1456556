/*
 * Makes the file of column keys, in the form that a gateway reads (src/gateway/storage/column-keys.file.ts):
 * `{"version":1,"keys":[{"id","key"}]}`, the one that seals first. Keys are text only inside the request that stores
 * them, and never in a log, an error or an event.
 */
import { randomBytes } from 'node:crypto';

import type { Cluster } from '../../kubernetes/cluster.js';
import type { KubernetesObject } from '../../kubernetes/object.js';
import { KeysChanged, readSecretFiles, secretRef } from './carried-keys.reader.js';
import { MAX_COLUMN_KEYS } from './column-keys.js';
import type { ColumnKeyFact } from './facts.js';
import type { ColumnKeysOrder } from './orders.js';
import { KEY_INDEX_FILE, keySecret } from './secret-files.js';

const KEY_ID_BYTES = 8;
const KEY_BYTES = 32;

/** One entry of the file. */
interface ColumnKeyEntry {
  readonly id: string;
  /** 32 bytes as base64url. */
  readonly key: string;
}

/** The Secret that fulfils `order`: with a read of the one that stands, where keys are carried over. @throws KeysChanged */
export async function columnKeysSecret(
  cluster: Cluster,
  order: ColumnKeysOrder,
): Promise<KubernetesObject> {
  const { metadata, rotated, make, carry, keep } = order;
  const found = carry === 'Nothing' ? [] : await carried(cluster, order);
  const made = make.map((fact) => ({ fact: { id: randomHex(), ...fact }, key: newKey() }));
  const before = carry === 'Found' ? foundFacts(found, make[0]?.since ?? '') : keep;
  const keys: readonly ColumnKeyFact[] = inFileOrder([...made.map(({ fact }) => fact), ...before]);
  const material = new Map([
    ...[...found].reverse().map(({ id, key }) => [id, key] as const),
    ...made.map(({ fact, key }) => [fact.id, key] as const),
  ]);
  const entries = keys.map(({ id }): ColumnKeyEntry => {
    const key = material.get(id);
    if (key === undefined) throw new KeysChanged(secretRef(metadata));
    return { id, key };
  });
  const text = `${JSON.stringify({ version: 1, keys: entries })}\n`;
  const data = { [KEY_INDEX_FILE]: Buffer.from(text).toString('base64') };
  return keySecret({ metadata, type: 'Opaque', data, keys, rotated });
}

async function carried(
  cluster: Cluster,
  { metadata, basedOn }: ColumnKeysOrder,
): Promise<readonly ColumnKeyEntry[]> {
  const files = await readSecretFiles(cluster, secretRef(metadata), basedOn);
  return entriesIn(files[KEY_INDEX_FILE] ?? '');
}

/** Every well-formed key of a file that somebody may have written by hand; none if it is no such file. */
function entriesIn(base64: string): readonly ColumnKeyEntry[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    const { keys } = value as { readonly keys?: unknown }; // Null and others throw or have none.
    return Array.isArray(keys) ? keys.filter(isEntry) : [];
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is ColumnKeyEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { id, key } = value as Readonly<Record<string, unknown>>;
  return (
    typeof id === 'string' &&
    /^[0-9a-f]{16}$/.test(id) &&
    typeof key === 'string' &&
    /^[A-Za-z0-9_-]{43}$/.test(key)
  );
}

/** Of two with one id the first counts, as for the reader of the file. */
function foundFacts(found: readonly ColumnKeyEntry[], since: string): readonly ColumnKeyFact[] {
  const ids = [...new Set(found.map(({ id }) => id))].slice(0, MAX_COLUMN_KEYS - 2);
  return ids.map((id) => ({ id, state: 'retired', since }));
}

/** The key that seals comes first. */
function inFileOrder(keys: readonly ColumnKeyFact[]): readonly ColumnKeyFact[] {
  const of = (state: ColumnKeyFact['state']) => keys.filter((fact) => fact.state === state);
  return [...of('current'), ...of('next'), ...of('retired')];
}

const randomHex = (): string => randomBytes(KEY_ID_BYTES).toString('hex');
const newKey = (): string => randomBytes(KEY_BYTES).toString('base64url');

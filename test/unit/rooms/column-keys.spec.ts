import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  openColumn,
  sealColumn,
  type ColumnKeys,
} from '../../../src/gateway/storage/column-key.js';
import { readColumnKeys } from '../../../src/gateway/storage/column-keys.file.js';
import { dataHash } from '../../../src/kubernetes/projection.js';
import { KeysChanged } from '../../../src/operator/keys/carried-keys.reader.js';
import { planColumnKeys } from '../../../src/operator/keys/column-keys.js';
import type { ColumnKeysOrder } from '../../../src/operator/keys/orders.js';
import { DAY, LeafBed } from '../../leaf-bed.js';

const metadata = { name: 'edge-gateway-column-keys', namespace: 'chat' };
const ref = { apiVersion: 'v1', kind: 'Secret', ...metadata };
const owner = { account: 'sp1a', factor: 'f' };
const secret = Buffer.from('a secret');
const nonce = new Uint8Array(12);

let bed: LeafBed;
let folder: string;

beforeEach(() => {
  bed = new LeafBed();
  folder = mkdtempSync(join(tmpdir(), 'column-keys-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const plan = () =>
  planColumnKeys({
    secret: bed.cluster.child(ref),
    metadata,
    everySeconds: DAY,
    isRunning: true,
    now: bed.clock.now(),
  });

async function settle(): Promise<ColumnKeysOrder['reason'] | undefined> {
  const { order } = plan();
  if (order) await bed.keysmith.fulfil(undefined, order);
  expect(plan().order).toBeUndefined();
  return order?.reason;
}

const data = () => bed.cluster.stored(ref)?.['data'] as Readonly<Record<string, string>>;

/** The keys as a gateway reads them from the mounted Secret. */
async function mounted(): Promise<ColumnKeys> {
  const file = join(folder, 'keys.json');
  rmSync(file, { force: true });
  writeFileSync(file, Buffer.from(data()['keys.json'] ?? '', 'base64'));
  chmodSync(file, 0o440);
  return readColumnKeys(file);
}

const ids = async () => (await mounted()).map(({ id }) => id);

describe('the Secret with the column keys that the operator makes', () => {
  it('is read by a gateway, which seals with its first key', async () => {
    expect(await settle()).toBe('KeysCreated');
    const keys = await mounted();
    expect(keys).toHaveLength(2);
    expect(openColumn(keys, owner, sealColumn(keys, owner, secret, nonce))).toEqual(
      Uint8Array.from(secret),
    );
    expect(plan().facts.map(({ id }) => id)).toEqual(await ids());
    expect(plan().facts[0]?.state).toBe('current');
  });

  it('opens after a rotation what was sealed before, and seals with the key that was announced', async () => {
    await settle();
    const before = await mounted();
    const sealed = sealColumn(before, owner, secret, nonce);
    bed.clock.seconds = DAY;
    expect(await settle()).toBe('KeysRotated');
    const after = await mounted();
    expect(after[0]).toEqual(before[1]);
    expect(openColumn(after, owner, sealed)).toEqual(Uint8Array.from(secret));
  });

  it('T51: seals with nothing that somebody wrote there, and still opens what the keys there sealed', async () => {
    await settle();
    const before = await mounted();
    const sealed = sealColumn(before, owner, secret, nonce);
    const known = { id: 'aa'.repeat(8), key: 'A'.repeat(43) };
    const written = JSON.parse(Buffer.from(data()['keys.json'] ?? '', 'base64').toString()) as {
      keys: object[];
    };
    const text = JSON.stringify({ version: 1, keys: [known, ...written.keys] });
    const stored = bed.cluster.stored(ref)!;
    const changed = { 'keys.json': Buffer.from(text).toString('base64') };
    bed.cluster.write({ ...stored, data: changed });
    expect(await settle()).toBe('KeyMaterialChanged');
    const after = await mounted();
    expect([known.id, ...before.map(({ id }) => id)]).not.toContain(after[0].id);
    expect(openColumn(after, owner, sealed)).toEqual(Uint8Array.from(secret));
  });

  it('begins anew when somebody left no key in it', async () => {
    await settle();
    const stored = bed.cluster.stored(ref)!;
    bed.cluster.write({ ...stored, data: { 'keys.json': 'bm90IGpzb24=' } });
    expect(await settle()).toBe('KeyMaterialChanged');
    expect(await mounted()).toHaveLength(2);
  });

  it('is left alone when it was changed between plan and order', async () => {
    await settle();
    bed.clock.seconds = DAY;
    const { order } = plan();
    const stored = bed.cluster.stored(ref)!;
    bed.cluster.write({ ...stored, data: {} });
    await expect(bed.keysmith.fulfil(undefined, order!)).rejects.toThrow(KeysChanged);
  });

  it('shows ids and dates in its annotations, and no key', async () => {
    await settle();
    const { annotations = {} } = bed.cluster.stored(ref)!.metadata;
    const shown = JSON.stringify(annotations);
    for (const { key } of await mounted())
      expect(shown).not.toContain(Buffer.from(key).toString('base64url'));
    expect(annotations['sallyport.dev/material']).toBe(dataHash(data()));
  });
});

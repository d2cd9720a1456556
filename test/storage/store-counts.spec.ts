import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createColumnKeys } from '../../src/gateway/storage/column-keys.file.js';
import { type OpenStore, openStore } from '../../src/gateway/storage/open.store.js';
import { storeCounts } from '../../src/gateway/storage/storage-metrics.js';
import { createMetricsRegistry, type MetricsRegistry } from '../../src/runtime/metrics.registry.js';
import { aFactor, ACCOUNT, anAccount, random, TestClock } from './store-bed.js';

let folder: string;
let metrics: MetricsRegistry;
let store: OpenStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-counts-'));
  metrics = createMetricsRegistry({ processMetrics: false });
  const storage = { type: 'Embedded', directory: folder } as const;
  const parts = { clock: new TestClock(), random, counts: storeCounts(metrics), maxPages: 200 };
  store = await openStore({ storage }, parts);
  await store.createAccount(anAccount());
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

async function value(series: string): Promise<number> {
  const line = (await metrics.text()).split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}

const sealed = (outcome: string) =>
  value(`sallyport_encryption_operations_total{outcome="${outcome}"}`);
const unavailable = (reason: string) =>
  value(`sallyport_gateway_storage_unavailable_total{reason="${reason}"}`);

describe('a store that is counted', () => {
  it('counts a secret that it seals, and each time that it opens one', async () => {
    expect([await sealed('success'), await sealed('failure')]).toEqual([0, 0]);
    await store.addFactor(aFactor(), 5);
    await store.factors(ACCOUNT);
    await store.factors(ACCOUNT);
    expect([await sealed('success'), await sealed('failure')]).toEqual([3, 0]);
  });

  it('counts a secret that does not open, and that its call was refused', async () => {
    await store.addFactor(aFactor(), 5);
    await rm(store.columnKeysFile);
    await createColumnKeys(store.columnKeysFile, random);
    await store.reloadColumnKeys();
    await expect(store.factors(ACCOUNT)).rejects.toMatchObject({ reason: 'failed' });
    expect(await sealed('failure')).toBe(1);
  });

  it('counts what a full database refuses, by that reason', async () => {
    const fill = async () => {
      const identity = new Uint8Array(2_000);
      for (let at = 0; at < 1_000; at += 1)
        await store.createAccount(anAccount({ account: `sp1full${at}`, identity }));
    };
    await expect(fill()).rejects.toMatchObject({ reason: 'full' });
    expect([await unavailable('full'), await unavailable('timeout')]).toEqual([1, 0]);
  });
});

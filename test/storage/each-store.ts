import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { OpenStore } from '../../src/gateway/storage/open.store.js';
import type { StoreBed } from './store-bed.js';

/**
 * Gives each test of the surrounding `describe` an empty store of its own; `begin` takes and fills it. What comes back
 * opens another one, which the test closes.
 */
export function storeForEach(
  start: () => Promise<StoreBed>,
  begin: (store: OpenStore) => Promise<unknown>,
): () => Promise<OpenStore> {
  let bed: StoreBed | undefined;
  const open = async (): Promise<OpenStore> => {
    bed ??= await start();
    return bed.open();
  };
  let store: OpenStore | undefined;
  beforeAll(async () => {
    bed = await start();
  });
  beforeEach(async () => {
    store = await open();
    await begin(store);
  });
  afterEach(() => store?.close());
  afterAll(() => bed?.stop());
  return open;
}

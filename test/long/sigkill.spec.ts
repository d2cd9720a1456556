import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApiServer, type TestApiServer } from '../apiserver/bed/api-server.js';
import { CONTROLLERS, undisturbed } from '../apiserver/crash/crash-walk.js';
import { withKill } from '../apiserver/crash/kill-walk.js';
import { OPERATIONS } from '../apiserver/crash/operations.js';
import { differences } from '../apiserver/crash/snapshot.js';

/** No operation has more writes; a walk that never ends would hide that. */
const MOST_WRITES = 80;

let server: TestApiServer;
beforeAll(async () => {
  server = await startApiServer({ crds: true, controllerManager: true, controllers: CONTROLLERS });
});
afterAll(async () => {
  await server.stop();
});

describe('an operator process that is killed after any of its writes', () => {
  it.each(OPERATIONS.map((operation) => [operation.name, operation] as const))(
    'converges to the same objects: %s',
    async (_, operation) => {
      const { objects } = await undisturbed(server, operation);
      let nth = 1;
      for (; nth <= MOST_WRITES; nth++) {
        const after = await withKill(server, operation, nth);
        if (after === undefined) break;
        const found = { nth, struck: after.struck };
        expect({ ...found, differences: differences(objects, after.objects) }).toEqual({
          ...found,
          differences: [],
        });
      }
      expect(nth).toBeGreaterThan(1);
      expect(nth).toBeLessThan(MOST_WRITES);
    },
    1_800_000,
  );
});

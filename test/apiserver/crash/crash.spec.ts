import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApiServer, type TestApiServer } from '../bed/api-server.js';
import { CONTROLLERS, severalAtATime, undisturbed, withCrash } from './crash-walk.js';
import { OPERATIONS } from './operations.js';
import { differences } from './snapshot.js';

let server: TestApiServer;
beforeAll(async () => {
  server = await startApiServer({
    crds: true,
    controllerManager: true,
    controllers: CONTROLLERS,
  });
});
afterAll(async () => {
  await server.stop();
});

/** No operation has more calls; a walk that never ends would hide that. */
const MOST_CALLS = 80;
const AT_A_TIME = 4;

describe('an operator that crashes', () => {
  it.each(
    OPERATIONS.flatMap((operation) =>
      (['Abort', 'LoseAnswer'] as const).map(
        (ending) => [operation.name, ending, operation] as const,
      ),
    ),
  )(
    'converges to the same objects, whichever call is the last: %s, %s',
    async (_, ending, operation) => {
      const { calls, objects } = await undisturbed(server, operation);
      let struck = 0;
      // The number of calls varies a little with how changes fall together: each run is walked to its own end.
      for (let nth = 1; struck === nth - 1 && nth <= MOST_CALLS; nth += AT_A_TIME) {
        const points = Array.from({ length: AT_A_TIME }, (_, index) => ({
          nth: nth + index,
          ending,
        }));
        await severalAtATime(points, AT_A_TIME, async (point) => {
          const after = await withCrash(server, operation, point);
          if (after === undefined) return;
          struck += 1;
          const found = { ...point, struck: after.struck };
          expect({ ...found, differences: differences(objects, after.objects) }).toEqual({
            ...found,
            differences: [],
          });
        });
      }
      expect(struck).toBeGreaterThanOrEqual(Math.min(calls, 2));
      expect(struck).toBeLessThan(MOST_CALLS);
    },
    240_000,
  );
});

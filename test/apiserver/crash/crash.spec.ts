import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApiServer, type TestApiServer } from '../bed/api-server.js';
import { severalAtATime, undisturbed, withCrash } from './crash-walk.js';
import { OPERATIONS } from './operations.js';
import type { Ending } from './rooms.js';
import { differences } from './snapshot.js';

let server: TestApiServer;
beforeAll(async () => {
  server = await startApiServer({
    crds: true,
    controllerManager: true,
    controllers: ['garbage-collector-controller', 'serviceaccount-controller'],
  });
});
afterAll(async () => {
  await server.stop();
});

describe('an operator that crashes', () => {
  it.each(OPERATIONS.map((operation) => [operation.name, operation] as const))(
    'converges to the same objects, whichever call is the last: %s',
    async (_, operation) => {
      const { calls, objects } = await undisturbed(server, operation);
      expect(calls).toBeGreaterThan(0);
      const points = Array.from({ length: calls }, (_, index) => index + 1).flatMap((nth) =>
        (['Abort', 'LoseAnswer'] as Ending[]).map((ending) => ({ nth, ending })),
      );
      let struck = 0;
      await severalAtATime(points, 4, async (point) => {
        const after = await withCrash(server, operation, point);
        if (after === undefined) return;
        struck += 1;
        expect({
          ...point,
          struck: after.struck,
          differences: differences(objects, after.objects),
        }).toEqual({
          ...point,
          struck: after.struck,
          differences: [],
        });
      });
      // The order of calls varies a little from run to run, their number hardly.
      expect(struck).toBeGreaterThanOrEqual(points.length - 4);
    },
    240_000,
  );
});

import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Journey } from '../faults/nat-journey.js';
import { inNamespaces } from '../faults/nat-run.js';

let journeys: readonly Journey[];
beforeAll(async () => {
  // The program says what it writes.
  journeys = (await inNamespaces('nat-matrix.ts', 200_000)) as readonly Journey[];
}, 210_000);

/** The journey of a pair of kinds, in either order. */
const between = (one: string, other: string): Journey =>
  journeys.find(({ kinds }) => kinds.toSorted().join() === [one, other].toSorted().join())!;

describe('two people behind routers with address translation who may see each other’s addresses', () => {
  it.each([
    ['full-cone', 'full-cone'],
    ['full-cone', 'restricted'],
    ['full-cone', 'port-restricted'],
    ['full-cone', 'symmetric'],
    ['restricted', 'restricted'],
    ['restricted', 'port-restricted'],
    ['restricted', 'symmetric'],
    ['port-restricted', 'port-restricted'],
  ])('S44: (%s, %s) are on the direct path within 5 s', (one, other) => {
    const { ended, directMs } = between(one, other);
    expect(ended).toEqual(['direct', 'direct']);
    expect(directMs).toBeLessThan(5_000);
  });

  it.each([
    // Neither can know the port that a symmetric router takes for the other.
    ['port-restricted', 'symmetric'],
    ['symmetric', 'symmetric'],
  ])('S44: (%s, %s) stay on the relay', (one, other) => {
    expect(between(one, other)).toMatchObject({
      ended: ['relay-udp', 'relay-udp'],
      directMs: null,
    });
  });

  it('S44, S205: talk both ways behind every pair of kinds', () => {
    expect(journeys).toHaveLength(10);
    for (const { saidMs } of journeys) for (const ms of saidMs) expect(ms).toBeLessThan(5_000);
  });

  it('tell each other the address of their router, which the relay’s COOKIE names', () => {
    for (const { reflexive } of journeys) expect(reflexive).toEqual([true, true]);
  });
});

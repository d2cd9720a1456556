import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Moves } from '../faults/nat-moves.js';
import { inNamespaces } from '../faults/nat-run.js';

let moves: Moves;
beforeAll(async () => {
  // The program says what it writes.
  moves = (await inNamespaces('nat-moves.ts', 380_000)) as Moves;
}, 390_000);

describe('an endpoint whose contact is RelayOnly', () => {
  it('tells no address and sends no datagram to anybody but the relay, though the peer names its own', () => {
    const { candidates, destinations, relay, paths } = moves.relayOnly;
    expect(candidates[0]).toEqual([]);
    expect(candidates[1]).toHaveLength(2);
    expect(destinations.map((each) => Object.keys(each))).toEqual([[relay], [relay]]);
    expect(paths).toEqual(['relay-udp', 'relay-udp']);
  });

  it('would be seen to send to the peer: under DirectAllowed the same capture shows it', () => {
    const { candidates, destinations } = moves.direct;
    for (const [i, other] of [1, 0].entries())
      for (const candidate of candidates[other]!)
        expect(Object.keys(destinations[i]!)).toContain(candidate);
  });
});

describe('a session whose way changes', () => {
  it.each(['cut', 'mended', 'renumbered', 'unplugged', 'rebound', 'blocked'] as const)(
    '(%s) is the same session afterwards',
    (name) => {
      expect(moves[name]).toMatchObject({ isSameSession: true, ends: 0 });
    },
  );

  it('S44: is on the relay within 5 s when the way between the routers is cut', () => {
    expect(moves.cut.before).toEqual(['direct', 'direct']);
    expect(moves.cut.after).toEqual(['relay-udp', 'relay-udp']);
    expect(moves.cut.movedMs).toBeLessThan(5_000);
  });

  it('S44: is direct again by itself when that way is there again', () => {
    expect(moves.mended.before).toEqual(['relay-udp', 'relay-udp']);
    expect(moves.mended.after).toEqual(['direct', 'direct']);
  });

  it.each([
    ['the router has another address', 'renumbered'],
    ['the cable was out for 2 s and the machine has another address', 'unplugged'],
  ] as const)('S44: goes on when %s, and is direct again', (_, name) => {
    const { before, after, saidMs } = moves[name];
    expect(before).toEqual(['direct', 'direct']);
    // 5 s, and the 2 s without a cable.
    expect(saidMs[0]).toBeLessThan(7_000);
    expect(after).toEqual(['direct', 'direct']);
  });

  it('goes on through the relay within 5 s when the router has another address and no direct path is possible', () => {
    expect(moves.rebound.after).toEqual(['relay-udp', 'relay-udp']);
    expect(moves.rebound.saidMs[0]).toBeLessThan(5_000);
  });

  it('goes on over 5349 when the router begins to drop UDP', () => {
    expect(moves.blocked.before).toEqual(['relay-udp', 'relay-udp']);
    expect(moves.blocked.after).toEqual(['relay-tls', 'relay-udp']);
    // 1 s until the way is in doubt, and two rounds of HELLO of 1.75 s; with room for a busy machine.
    expect(moves.blocked.saidMs[0]).toBeLessThan(7_000);
  });
});

describe('a session of somebody whose network drops UDP', () => {
  it('S44: begins on 5349, with a peer on UDP or on 5349 as well', () => {
    expect(moves.restarted.ended).toEqual(['relay-tls', 'relay-udp']);
    expect(moves.bothBlocked.ended).toEqual(['relay-tls', 'relay-tls']);
  });
});

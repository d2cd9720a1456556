import { beforeAll, describe, expect, it } from '@jest/globals';
import type { CallsTried } from '../faults/nat-calls.js';
import { inNamespaces } from '../faults/nat-run.js';

let tried: CallsTried;
beforeAll(async () => {
  // The program says what it writes.
  tried = (await inNamespaces('nat-calls.ts', 150_000)) as CallsTried;
}, 160_000);

describe('a call between two people behind routers with address translation', () => {
  it.each([
    ['direct', 'direct'],
    ['relay', 'relay-udp'],
  ] as const)(
    'S206: (%s) is set up within 5 s and loses at most 2 % of its frames',
    (name, path) => {
      const { setupMs, lossPercent, sent, ...more } = tried[name];
      // What a person wants to know who reads the results.
      console.log(`call, ${path}: set up in ${setupMs} ms, ${lossPercent} % of ${sent.sent} lost`);
      expect(more.path).toBe(path);
      expect(sent).toMatchObject({ sent: 150 });
      expect(setupMs).toBeLessThan(5_000);
      expect(lossPercent).toBeLessThanOrEqual(2);
    },
  );

  it('S206: is refused to a caller whose grant does not say startCalls, before a frame goes', () => {
    const { sent, heard } = tried.notStarted;
    expect(sent).toMatchObject({ sent: 0, refused: 'not-allowed' });
    expect(heard).toEqual({ numbers: [], refused: [] });
  });

  it('S206: is not heard by somebody whose grant does not say joinCalls', () => {
    const { sent, heard } = tried.notJoined;
    expect(sent.sent).toBe(150);
    expect(heard.numbers).toEqual([]);
    expect(new Set(heard.refused)).toEqual(new Set(['not-allowed']));
  });
});

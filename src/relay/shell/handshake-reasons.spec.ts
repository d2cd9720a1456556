import { describe, expect, it } from '@jest/globals';
import {
  HANDSHAKE_OUTCOMES,
  handshakeIndex,
  increase,
  newStatistics,
  readStatistics,
} from '../packet/statistics.js';
import { handshakeReasons } from './handshake-reasons.js';

describe('the reasons of handshakes in metrics', () => {
  const block = newStatistics();
  for (const [at, outcome] of HANDSHAKE_OUTCOMES.entries())
    increase(block, handshakeIndex(outcome), 2 ** at);
  const reasons = handshakeReasons(readStatistics(block).handshakes);
  const of = (reason: string) => reasons.find((each) => each.reason === reason);

  it('T35: are twelve, each under one outcome', () => {
    expect(reasons).toHaveLength(12);
    expect(new Set(reasons.map(({ reason }) => reason)).size).toBe(12);
  });
  it('count each end once', () => {
    expect(reasons.reduce((sum, { count }) => sum + count, 0)).toBe(
      2 ** HANDSHAKE_OUTCOMES.length - 1,
    );
    expect(of('opened')).toEqual({ outcome: 'success', reason: 'opened', count: 1 });
    expect(of('proven-again')).toEqual({ outcome: 'success', reason: 'proven-again', count: 14 });
    expect(of('not-in-time')).toMatchObject({ outcome: 'failure', count: 2 ** 4 + 2 ** 13 });
  });
  it('are there before anything was counted', () => {
    const none = handshakeReasons(readStatistics(newStatistics()).handshakes);
    expect(none.map(({ reason, count }) => [reason, count])).toEqual(
      reasons.map(({ reason }) => [reason, 0]),
    );
  });
});

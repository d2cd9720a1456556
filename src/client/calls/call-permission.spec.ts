import { describe, expect, it } from '@jest/globals';
import { judgeCall, judgeFrame } from './call-permission.js';

const STARTS = { startCalls: true, joinCalls: false };
const JOINS = { startCalls: false, joinCalls: true };

describe('a part in a call', () => {
  it.each([
    ['start', STARTS, undefined],
    ['start', JOINS, 'not-allowed'],
    ['join', JOINS, undefined],
    ['join', STARTS, 'not-allowed'],
    ['start', undefined, 'no-grant'],
    ['join', undefined, 'no-grant'],
  ] as const)('S206: (%s with %j) is judged as %s', (part, limits, verdict) => {
    expect(judgeCall(limits, part)).toBe(verdict);
  });
});

describe('a frame of the peer', () => {
  it.each([
    ['start', STARTS, JOINS, undefined],
    ['join', JOINS, STARTS, undefined],
    ['start', STARTS, STARTS, 'peer-not-allowed'],
    ['join', JOINS, JOINS, 'peer-not-allowed'],
    ['join', JOINS, undefined, 'peer-no-grant'],
    ['join', STARTS, STARTS, 'not-allowed'],
    ['join', undefined, STARTS, 'no-grant'],
  ] as const)(
    'S206: (%s with %j, from one with %j) is judged as %s',
    (part, own, peer, verdict) => {
      expect(judgeFrame({ own, peer }, part)).toBe(verdict);
    },
  );
});

import { describe, expect, it } from '@jest/globals';
import { judgeCall } from './call-permission.js';

describe('a part in a call', () => {
  it.each([
    ['start', { startCalls: true, joinCalls: false }, undefined],
    ['start', { startCalls: false, joinCalls: true }, 'not-allowed'],
    ['join', { startCalls: false, joinCalls: true }, undefined],
    ['join', { startCalls: true, joinCalls: false }, 'not-allowed'],
    ['start', undefined, 'no-grant'],
    ['join', undefined, 'no-grant'],
  ] as const)('S206: (%s with %j) is judged as %s', (part, limits, verdict) => {
    expect(judgeCall(limits, part)).toBe(verdict);
  });
});

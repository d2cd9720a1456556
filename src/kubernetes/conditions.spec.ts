import { describe, expect, it } from '@jest/globals';
import {
  commonConditions,
  conditionsOf,
  setCondition,
  timestamp,
  truncateMessage,
} from './conditions.js';

const NOON = new Date('2030-01-01T12:00:00.123Z');
const LATER = new Date('2030-01-01T13:00:00Z');
const at = { generation: 2, now: NOON };
const ready = { type: 'Ready', status: 'True', reason: 'Applied', message: 'ok' } as const;

describe('the common conditions', () => {
  it.each([
    ['Ready', ['True', 'False', 'False']],
    ['Progressing', ['False', 'True', 'False']],
    ['Stalled', ['False', 'False', 'True']],
  ] as const)('of a resource that is %s are %j', (state, expected) => {
    const verdicts = commonConditions({ state, reason: 'Applied', message: 'm' });
    expect(verdicts.map(({ type }) => type)).toEqual(['Ready', 'Reconciling', 'Stalled']);
    expect(verdicts.map(({ status }) => status)).toEqual(expected);
  });
});

describe('a condition', () => {
  it('keeps its transition time while its status holds, whatever else changes', () => {
    const before = conditionsOf([], [ready], at);
    const after = conditionsOf(before, [{ ...ready, reason: 'AllReplicasReady' }], {
      generation: 3,
      now: LATER,
    });
    expect(after).toEqual([
      {
        ...ready,
        reason: 'AllReplicasReady',
        observedGeneration: 3,
        lastTransitionTime: '2030-01-01T12:00:00Z',
      },
    ]);
  });

  it('gets a new time when its status turns', () => {
    const before = conditionsOf([], [ready], at);
    const [after] = setCondition(before, { ...ready, status: 'False' }, { ...at, now: LATER });
    expect(after?.lastTransitionTime).toBe('2030-01-01T13:00:00Z');
  });

  it('stays in its place; a new one comes last; deciding twice gives the same', () => {
    const before = conditionsOf([], [ready, { ...ready, type: 'Paused' }], at);
    const once = setCondition(before, { ...ready, message: 'new' }, at);
    expect(once.map(({ type }) => type)).toEqual(['Ready', 'Paused']);
    expect(setCondition(once, { ...ready, message: 'new' }, { ...at, now: LATER })).toEqual(once);
  });

  it('that no verdict names is gone', () => {
    const before = conditionsOf([], [ready, { ...ready, type: 'Paused' }], at);
    expect(conditionsOf(before, [ready], at)).toHaveLength(1);
  });

  it('has a message of at most 256 characters', () => {
    expect(truncateMessage('x'.repeat(256))).toHaveLength(256);
    expect(Array.from(truncateMessage('😀'.repeat(300)))).toHaveLength(256);
    expect(truncateMessage('x'.repeat(300))).toMatch(/…$/);
  });

  it('has a time in whole seconds, as the API server keeps it', () => {
    expect(timestamp(NOON)).toBe('2030-01-01T12:00:00Z');
  });
});

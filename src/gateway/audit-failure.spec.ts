import { describe, expect, it } from '@jest/globals';
import { auditNotes, auditProblem, auditStop } from './audit-failure.js';

const ALL = ['Block', 'DenyNewSessions', 'BufferEncrypted'] as const;

describe('a gateway whose audit records are written', () => {
  it.each(ALL)('stops nothing with %s', (onFailure) => {
    expect(auditStop(onFailure, false)).toBe('nothing');
    expect(auditProblem('nothing')).toEqual([]);
  });
});

describe('a gateway whose audit records cannot be written', () => {
  it('stops everything, new sessions, or new sessions for want of a place to buffer', () => {
    expect(ALL.map((onFailure) => auditStop(onFailure, true))).toEqual([
      'everything',
      'new-sessions',
      'new-sessions',
    ]);
  });
  it('says what stops, and what it cannot do before it comes to that', () => {
    expect(auditProblem('everything')).toEqual([
      'audit: records cannot be written, so nothing is answered',
    ]);
    expect(ALL.map((onFailure) => auditNotes(onFailure).length)).toEqual([0, 0, 1]);
  });
});

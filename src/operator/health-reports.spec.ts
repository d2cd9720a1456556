import { describe, expect, it } from '@jest/globals';
import { cachesReport, electionReport, liveReport, schemaReport } from './health-reports.js';

const ready = { synced: true, leader: true, lastEventAgeMs: 1_500 };
const states = (health: typeof ready) =>
  [cachesReport(health), electionReport(health)].map(({ state }) => state);

describe('readiness of the operator', () => {
  it('tells synced, role and age of the last event', () => {
    expect([cachesReport(ready), electionReport(ready)]).toEqual([
      { name: 'caches', state: 'up', facts: { synced: true, lastEventAgeSeconds: 1 } },
      { name: 'election', state: 'up', facts: { role: 'leader' } },
    ]);
  });
  it('is down until the caches are synced', () => {
    expect(states({ ...ready, synced: false })).toEqual(['down', 'up']);
  });
  it('is the same for a standby', () => {
    expect(states({ ...ready, leader: false })).toEqual(['up', 'up']);
  });
  it('is degraded, not down, while the API server is silent', () => {
    expect(states({ ...ready, lastEventAgeMs: 200_000 })).toEqual(['degraded', 'up']);
  });
  it('is degraded while a kind is held because its CRD is too old, or is not there', () => {
    const outdated = [{ kind: 'RelayPool', installed: 1, needed: 2 }];
    expect(schemaReport({ outdated, absent: ['AccessRole'] })).toEqual({
      name: 'crds',
      state: 'degraded',
      facts: { outdated: 'RelayPool', absent: 'AccessRole' },
    });
    expect(schemaReport({ outdated: [], absent: [] }).state).toBe('up');
    expect(schemaReport({ outdated: undefined, absent: [] }).state).toBe('up');
  });
  it('does not concern liveness', () => {
    expect(liveReport().state).toBe('up');
  });
});

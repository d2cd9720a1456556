import { describe, expect, it } from '@jest/globals';
import {
  checkTimings,
  decideLease,
  isHeldBy,
  LEASE_TIMINGS,
  microTime,
  observeLease,
  releasedLease,
} from './leader-lease.js';
import type { LeaseInput } from './leader-lease.js';
import type { KubernetesObject } from './object.js';

const NOW = new Date('2030-01-01T12:00:00.123Z');
const ref = { namespace: 'sallyport', name: 'operator' };
const lease = (spec: object, resourceVersion = '1'): KubernetesObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { ...ref, resourceVersion },
  spec,
});
const input = (change: Partial<LeaseInput>): LeaseInput => ({
  lease: undefined,
  observed: undefined,
  identity: 'a',
  timings: LEASE_TIMINGS,
  nowMs: 100_000,
  now: NOW,
  ref,
  ...change,
});
const held = lease({ holderIdentity: 'b', leaseDurationSeconds: 15, leaseTransitions: 3 });

describe('a Lease', () => {
  it('that does not exist is created', () => {
    expect(decideLease(input({}))).toMatchObject({
      action: 'Create',
      lease: {
        metadata: ref,
        spec: {
          holderIdentity: 'a',
          leaseDurationSeconds: 15,
          acquireTime: '2030-01-01T12:00:00.123000Z',
          renewTime: '2030-01-01T12:00:00.123000Z',
          leaseTransitions: 0,
        },
      },
    });
  });

  it('of another is awaited until we have seen no renewal for its whole duration by our own clock', () => {
    const at = (atMs: number) =>
      decideLease(input({ lease: held, observed: { resourceVersion: '1', atMs } }));
    expect(at(85_001)).toEqual({ action: 'Wait', holder: 'b' });
    expect(at(85_000)).toMatchObject({
      action: 'Acquire',
      lease: { spec: { leaseTransitions: 4 } },
    });
  });

  it('T51: clock skew: whose times are long past is awaited all the same: the clock of another machine is not believed', () => {
    const old = lease({ holderIdentity: 'b', renewTime: '2001-01-01T00:00:00.000000Z' });
    expect(
      decideLease(input({ lease: old, observed: observeLease(undefined, old, 100_000) })),
    ).toEqual({
      action: 'Wait',
      holder: 'b',
    });
  });

  it('of a holder with a longer duration is awaited that long', () => {
    const long = lease({ holderIdentity: 'b', leaseDurationSeconds: 60 });
    const decide = (atMs: number) =>
      decideLease(input({ lease: long, observed: { resourceVersion: '1', atMs } }));
    expect(decide(50_000).action).toBe('Wait');
    expect(decide(40_000).action).toBe('Acquire');
  });

  it('that was given back is taken at once', () => {
    const free = releasedLease(held, NOW);
    expect(free['spec']).toMatchObject({
      holderIdentity: '',
      leaseDurationSeconds: 1,
      leaseTransitions: 3,
    });
    expect(decideLease(input({ lease: free })).action).toBe('Acquire');
  });

  it('of our own is renewed: the time of acquiring and the version that was read stay', () => {
    const ours = lease({ holderIdentity: 'a', acquireTime: 'then', leaseTransitions: 3 }, '42');
    expect(decideLease(input({ lease: ours }))).toMatchObject({
      action: 'Renew',
      lease: {
        metadata: { resourceVersion: '42' },
        spec: {
          acquireTime: 'then',
          leaseTransitions: 3,
          renewTime: '2030-01-01T12:00:00.123000Z',
        },
      },
    });
    expect(isHeldBy(ours, 'a')).toBe(true);
    expect(isHeldBy(ours, 'b')).toBe(false);
  });

  it('is seen to change by its version alone', () => {
    const first = observeLease(undefined, held, 1);
    expect(observeLease(first, held, 2)).toBe(first);
    expect(observeLease(first, lease({}, '2'), 3)).toEqual({ resourceVersion: '2', atMs: 3 });
  });

  it('has times of six digits', () => {
    expect(microTime(NOW)).toBe('2030-01-01T12:00:00.123000Z');
  });
});

describe('timings', () => {
  it('by default are accepted', () => {
    expect(() => {
      checkTimings(LEASE_TIMINGS);
    }).not.toThrow();
  });

  it.each([
    [{ leaseDurationMs: 10_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 }],
    [{ leaseDurationMs: 500, renewDeadlineMs: 400, retryPeriodMs: 100 }],
    [{ leaseDurationMs: 15_000, renewDeadlineMs: 2_000, retryPeriodMs: 2_000 }],
    [{ leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 0 }],
    [{ leaseDurationMs: 15_000, renewDeadlineMs: Number.NaN, retryPeriodMs: 2_000 }],
  ])('%j are refused', (timings) => {
    expect(() => {
      checkTimings(timings);
    }).toThrow(RangeError);
  });
});

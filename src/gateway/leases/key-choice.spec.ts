import { describe, expect, it } from '@jest/globals';
import { aKey, NOON } from '../../../test/processes/gateway-leases-bed.js';
import { CONFIRM_MS, judgeRelays, type RelayFacts } from './key-choice.js';
import type { GatewayKey } from './lease-keys.js';

const before = aKey({ state: 'retired', notBeforeMs: NOON - 9_000, notAfterMs: NOON + 1_800_000 });
const current = aKey({ notBeforeMs: NOON - 1_000, publishedAtMs: NOON - 200_000 });
const next = aKey({
  state: 'next',
  publishedAtMs: NOON - 1_000,
  notBeforeMs: NOON + 180_000,
});

const aRelay = (kids: readonly GatewayKey[], changes: Partial<RelayFacts> = {}): RelayFacts => ({
  rid: 'edge/eu/0',
  kids: kids.map(({ kid }) => kid),
  sessions: 0,
  draining: false,
  clockAheadMs: 0,
  alive: true,
  ...changes,
});
const judge = (
  relays: readonly RelayFacts[],
  { keys = [next, current, before], nowMs = NOON, lacks = '' } = {},
) => judgeRelays(relays, { keys, nowMs, canSign: (kid) => kid !== lacks });

describe('the choice of the key that signs', () => {
  it('S22: is the current key when every live relay has it', () => {
    const all = [aRelay([before, current]), aRelay([current], { rid: 'edge/eu/1' })];
    const { kid, states } = judge(all);
    expect(kid).toBe(current.kid);
    expect([...states.values()]).toEqual(['Live', 'Live']);
  });

  it('S22: stays with the key before while one live relay lacks the current one', () => {
    const behind = aRelay([before], { rid: 'edge/eu/1' });
    const { kid, states } = judge([aRelay([before, current]), behind]);
    expect(kid).toBe(before.kid);
    expect(states.get('edge/eu/1')).toBe('Live');
  });

  it('S22: waits no longer than 15 minutes after publication, and gives that relay nothing then', () => {
    const behind = aRelay([before], { rid: 'edge/eu/1' });
    const relays = [aRelay([before, current, next]), behind];
    const publishedAt = current.publishedAtMs + CONFIRM_MS;
    expect(judge(relays, { nowMs: publishedAt - 1 }).kid).toBe(before.kid);
    const { kid, states } = judge(relays, { nowMs: publishedAt });
    expect(kid).toBe(current.kid);
    expect(states.get('edge/eu/0')).toBe('Live');
    expect(states.get('edge/eu/1')).toBe('KeysMissing');
  });

  it('gives nothing to a relay without the signing key when no older key is at hand', () => {
    const { kid, states } = judge([aRelay([before])], { lacks: before.kid });
    expect(kid).toBe(current.kid);
    expect(states.get('edge/eu/0')).toBe('KeysMissing');
  });

  it('does not wait for relays that are draining, silent or off in time', () => {
    const others = [
      aRelay([before], { rid: 'a', draining: true }),
      aRelay([before], { rid: 'b', alive: false }),
      aRelay([before], { rid: 'c', clockAheadMs: 5_001 }),
    ];
    const { kid, states } = judge([aRelay([current]), ...others]);
    expect(kid).toBe(current.kid);
    expect(Object.fromEntries(states)).toEqual({
      'edge/eu/0': 'Live',
      a: 'Draining',
      b: 'Missing',
      c: 'ClockOff',
    });
  });

  it('never is a revoked key, one that has not begun, or one that has ended', () => {
    const revoked = { ...current, state: 'revoked' as const };
    expect(judge([], { keys: [revoked] }).kid).toBeUndefined();
    expect(judge([], { keys: [next] }).kid).toBeUndefined();
    expect(judge([], { keys: [before], nowMs: before.notAfterMs }).kid).toBeUndefined();
    expect(judge([], { keys: [before], nowMs: before.notAfterMs - 1 }).kid).toBe(before.kid);
  });

  it('is the next key only when neither the current one nor the one before will do', () => {
    const keys = [next, before];
    expect(judge([], { keys, nowMs: next.notBeforeMs }).kid).toBe(before.kid);
    expect(judge([], { keys: [next], nowMs: next.notBeforeMs }).kid).toBe(next.kid);
  });
});

describe('a relay', () => {
  it.each([
    ['is live within 5 seconds of the gateway’s clock', -5_000, 'Live'],
    ['gets nothing when it is further behind', -5_001, 'ClockOff'],
    ['gets nothing when it is further ahead', 5_001, 'ClockOff'],
  ])('%s', (_, clockAheadMs, state) => {
    const { states } = judge([aRelay([current], { clockAheadMs })]);
    expect(states.get('edge/eu/0')).toBe(state);
  });

  it('gets nothing before its first heartbeat', () => {
    const { states } = judge([aRelay([current], { clockAheadMs: undefined })]);
    expect(states.get('edge/eu/0')).toBe('Missing');
  });
});

import { describe, expect, it } from '@jest/globals';
import { Registration, SILENT_MS, type RelayState } from './registration.js';

const registrant = { pool: 'edge/eu', ordinal: 3, boot: 'ab'.repeat(16) };
const state: RelayState = {
  sessions: 1,
  packets: 2,
  bytes: 3,
  drops: 4,
  draining: false,
  kids: ['A'.repeat(22)],
};
const UNIX = 1_800_000_000_000;
const at = (ms: number) => ({ monotonicMs: ms, unixMs: UNIX + ms });
const welcome = JSON.stringify({ type: 'welcome', revoked: ['B'.repeat(22)], kids: [] });

/** A registration that was welcomed at `ms`. */
function registered(ms = 0): Registration {
  const made = new Registration(registrant);
  made.tick(at(ms), () => state);
  made.opened(at(ms), state);
  made.received(welcome, at(ms));
  return made;
}
const tick = (registration: Registration, ms: number) => registration.tick(at(ms), () => state);

describe('a registration', () => {
  it('dials at once, registers first, and takes what was revoked from the welcome', () => {
    const made = new Registration(registrant);
    expect(tick(made, 0)).toEqual([{ kind: 'dial' }]);
    expect(tick(made, 1)).toEqual([]);
    expect(made.opened(at(2), state)).toEqual([
      {
        kind: 'send',
        message: {
          type: 'register',
          ...registrant,
          wire: 1,
          profile: 'Standard',
          kids: state.kids,
        },
      },
    ]);
    expect(made.received(welcome, at(3))).toEqual([
      { kind: 'registered' },
      { kind: 'revoke', jti: ['B'.repeat(22)], kids: [] },
    ]);
    expect(made.phase).toBe('registered');
  });

  it('sends a heartbeat every five seconds, and at once when it is told to hurry', () => {
    const made = registered();
    expect(tick(made, 0)).toEqual([
      { kind: 'send', message: { type: 'heartbeat', seq: 1, at: UNIX, ...state } },
    ]);
    expect(tick(made, 4_999)).toEqual([]);
    expect(tick(made, 5_000)).toMatchObject([{ message: { seq: 2 } }]);
    made.hurry();
    expect(tick(made, 5_100)).toMatchObject([{ message: { seq: 3 } }]);
    expect(tick(made, 5_200)).toEqual([]);
  });

  it('learns from an ack how far the clock of the gateway is, halving the round trip', () => {
    const made = registered();
    tick(made, 0);
    made.received(JSON.stringify({ type: 'ack', seq: 1, at: UNIX + 7_000 }), at(200));
    expect(made.skewMs).toBe(100 - 7_000);
  });

  it('gives up a connection that says nothing for three heartbeats', () => {
    const made = registered();
    for (let ms = 0; ms < SILENT_MS; ms += 1_000)
      expect(tick(made, ms).map(({ kind }) => kind)).not.toContain('close');
    expect(tick(made, SILENT_MS)).toEqual([{ kind: 'close', why: 'silent' }]);
  });

  it.each([
    ['text that is no JSON', '{'],
    ['a message with a field more', '{"type":"ack","seq":1,"at":1,"x":1}'],
    ['a message without a field', '{"type":"revoke","jti":[]}'],
    ['a jti that is none', '{"type":"revoke","jti":["short"],"kids":[]}'],
    ['a second welcome', welcome],
    ['a message of a relay', '{"type":"register"}'],
    ['nothing', ''],
  ])('closes at %s', (_, text) => {
    expect(registered().received(text, at(1))).toEqual([{ kind: 'close', why: 'message' }]);
  });

  it('closes when something comes before the welcome', () => {
    const made = new Registration(registrant);
    tick(made, 0);
    made.opened(at(0), state);
    const revoke = JSON.stringify({ type: 'revoke', jti: [], kids: [] });
    expect(made.received(revoke, at(1))).toEqual([{ kind: 'close', why: 'message' }]);
  });

  it('waits longer after each failure, at most 15 seconds, and a random part less', () => {
    const made = new Registration(registrant);
    const waits: number[] = [];
    let now = 0;
    for (let i = 0; i < 8; i++) {
      made.closed(at(now), 0.999999);
      const from = now;
      while (tick(made, now).length === 0) now += 10;
      waits.push(now - from);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    made.closed(at(now), 0);
    expect(tick(made, now + 7_490)).toEqual([]);
    expect(tick(made, now + 7_500)).toEqual([{ kind: 'dial' }]);
  });

  it('comes back soon after a connection that held', () => {
    const made = registered();
    for (let i = 0; i < 5; i++) made.closed(at(0), 0.5);
    const held = registered(100_000);
    held.closed(at(140_000), 0.999999);
    expect(tick(held, 140_500)).toEqual([{ kind: 'dial' }]);
  });
});

import { describe, expect, it } from '@jest/globals';
import {
  RELAY_PATH,
  exchangeControl,
  open,
  seal,
  twoSessions,
  type TestSession,
} from '../../../test/session/two-sessions.js';
import { hex } from '../../../test/identities.js';
import { decodeControlMessage } from './control-message.js';

const TEXT = hex('68656c6c6f');
const DIRECT = 'direct';

/** Every control message that is due, with its path. */
function due(session: TestSession, nowMs: number) {
  const messages: { type: string; payload: Uint8Array; path: string | undefined }[] = [];
  for (let i = 0; i < 50; i++) {
    const control = session.controlToSend(nowMs);
    if (control === undefined) return messages;
    const message = decodeControlMessage(control.payload);
    if (typeof message === 'string') throw new Error(message);
    messages.push({ type: message.type, ...control });
  }
  throw new Error('control messages without end');
}

const settled = () => {
  const sessions = twoSessions();
  exchangeControl(sessions.alice, sessions.bob, 0);
  return sessions;
};

describe('the path of a session', () => {
  it('is proven where the handshake was finished, and nowhere else', () => {
    const { alice, bob } = twoSessions();
    for (const session of [alice, bob]) {
      expect(session.isProven(RELAY_PATH)).toBe(true);
      expect(session.isProven(DIRECT)).toBe(false);
      expect(session.newestPath).toBe(RELAY_PATH);
    }
  });

  it('is proven by a sealed challenge and its answer on that path', () => {
    const { alice, bob } = settled();
    alice.probe(DIRECT, 0);
    const [challenge] = due(alice, 0);
    expect(challenge).toMatchObject({ type: 'challenge', path: DIRECT });
    expect(challenge!.payload).toHaveLength(9);
    expect(bob.onControl(challenge!.payload, DIRECT)).toBeUndefined();
    const [answer] = due(bob, 0);
    expect(answer).toMatchObject({ type: 'answer', path: DIRECT });
    expect(answer!.payload.subarray(1)).toEqual(challenge!.payload.subarray(1));
    alice.onControl(answer!.payload, DIRECT);
    expect(alice.isProven(DIRECT)).toBe(true);
    alice.forgetPath(DIRECT);
    expect(alice.isProven(DIRECT)).toBe(false);
  });

  it('is not proven by an answer on another path, to another challenge, or a second time', () => {
    const { alice } = settled();
    alice.probe(DIRECT, 0);
    alice.probe('other', 0);
    const [direct, other] = due(alice, 0).map(({ payload }) => payload.subarray(1));
    const answer = (bytes: Uint8Array, path: string) =>
      alice.onControl(Uint8Array.of(4, ...bytes), path);
    expect(direct).not.toEqual(other);
    answer(direct!, 'other');
    answer(direct!, RELAY_PATH);
    answer(other!, DIRECT);
    expect([alice.isProven(DIRECT), alice.isProven('other')]).toEqual([false, false]);
    answer(direct!, DIRECT);
    expect(alice.isProven(DIRECT)).toBe(true);
    alice.forgetPath(DIRECT);
    answer(direct!, DIRECT);
    expect(alice.isProven(DIRECT)).toBe(false);
  });

  it('is challenged again until 5 s are over, and then given up', () => {
    const { alice } = settled();
    alice.probe(DIRECT, 0);
    const times: number[] = [];
    let first: Uint8Array | undefined;
    for (let nowMs = 0; nowMs < 20_000; nowMs += 50) {
      for (const { type, payload } of due(alice, nowMs)) {
        if (type !== 'challenge') continue;
        times.push(nowMs);
        first ??= payload;
        expect(payload).toEqual(first);
      }
    }
    expect(times).toEqual([0, 250, 750, 1_750, 2_750, 3_750, 4_750]);
    alice.onControl(Uint8Array.of(4, ...first!.subarray(1)), DIRECT);
    expect(alice.isProven(DIRECT)).toBe(false);
  });

  it('T9: changes only after a tag verified: a forged datagram from elsewhere moves and asks nothing', () => {
    const { alice, bob } = settled();
    const forged = seal(alice, TEXT);
    forged[20]! ^= 1;
    expect(open(bob, forged, 0, 'spoofed')).toBe('wrong-tag');
    expect(bob.newestPath).toBe(RELAY_PATH);
    expect(due(bob, 0)).toEqual([]);
  });

  it('T9: is not trusted for a good datagram that somebody sent on: it is challenged first', () => {
    const { alice, bob } = settled();
    expect(open(bob, seal(alice, TEXT), 0, 'rebound')).toEqual(TEXT);
    expect(bob.newestPath).toBe('rebound');
    expect(bob.isProven('rebound')).toBe(false);
    expect(due(bob, 0)).toMatchObject([{ type: 'challenge', path: 'rebound' }]);
  });

  it('is not moved back by an older datagram that arrives late on the old path', () => {
    const { alice, bob } = settled();
    const [older, newer] = [seal(alice, TEXT), seal(alice, TEXT)];
    open(bob, newer, 0, DIRECT);
    open(bob, older, 0, RELAY_PATH);
    expect(bob.newestPath).toBe(DIRECT);
  });

  it('keeps few challenges and answers, however many a peer asks for', () => {
    const { bob } = settled();
    for (let i = 0; i < 100; i++) {
      bob.onControl(hex('03 0102030405060708'), `from ${i}`);
      bob.probe(`to ${i}`, 0);
    }
    const messages = due(bob, 0);
    expect(messages.filter(({ type }) => type === 'answer')).toHaveLength(8);
    expect(messages.filter(({ type }) => type === 'challenge')).toHaveLength(8);
  });
});

describe('control messages that are lost', () => {
  it('are made good: an epoch is asked for again until it is confirmed, ever more seldom', () => {
    const { alice, bob } = twoSessions();
    const times: number[] = [];
    for (let nowMs = 0; nowMs < 40_000; nowMs += 50)
      if (due(alice, nowMs).length > 0) times.push(nowMs);
    expect(times).toEqual([0, 250, 750, 1_750, 3_750, 7_750, 15_750, 31_750]);
    exchangeControl(alice, bob, 100_000);
    expect(due(alice, 200_000)).toEqual([]);
    expect(alice.wakeMs).toBe(Infinity);
  });

  it('are refused with a reason when they are none', () => {
    const { alice } = settled();
    expect(alice.onControl(new Uint8Array(0), RELAY_PATH)).toBe('empty-control');
    expect(alice.onControl(hex('09'), RELAY_PATH)).toBe('unknown-control');
  });
});

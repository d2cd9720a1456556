import { describe, expect, it } from '@jest/globals';
import { twoSessions } from '../../test/session/two-sessions.js';
import { encodeControlMessage, type ControlMessage } from '../protocol/session/control-message.js';
import type { Session } from '../protocol/session/session.js';
import type { DatagramPath } from './datagram-path.js';
import { SessionReceiver } from './session-receiver.js';

const PATH: DatagramPath = {
  ...{ kind: 'relay-udp', generation: 1, isOpen: true },
  room: () => new Uint8Array(1_212),
  commit: () => undefined,
  flush: () => undefined,
};

/** What Bob's receiver has seen after Alice sent `message` alone. */
function received(message: ControlMessage) {
  const sessions = twoSessions();
  const { alice } = sessions;
  // Paths of a session are opaque: these tests of it name them by strings.
  const bob = sessions.bob as unknown as Session<DatagramPath>;
  const datagram = new Uint8Array(100);
  const length = alice.seal(encodeControlMessage(message), datagram, 0);
  const receiver = new SessionReceiver();
  const opened = receiver.open(bob, datagram.subarray(0, length), { path: PATH, nowMs: 0 });
  if (typeof opened === 'string') throw new Error(opened);
  expect(receiver.control(bob, opened)).toBeUndefined();
  return receiver;
}

describe('a datagram that was opened', () => {
  it('took the way that the peer uses if it asks or confirms', () => {
    expect(received({ type: 'ask-epoch', epoch: 0 }).isPeersChoice).toBe(true);
    expect(received({ type: 'confirm-epoch', epoch: 0 }).isPeersChoice).toBe(true);
  });

  it('says nothing of that if it is a challenge or an answer: they take the way that they are about', () => {
    const bytes = new Uint8Array(8);
    expect(received({ type: 'challenge', bytes }).isPeersChoice).toBe(false);
    expect(received({ type: 'answer', bytes }).isPeersChoice).toBe(false);
  });
});

describe('a datagram that was refused', () => {
  it('gives the reason, and says nothing of ways', () => {
    const receiver = received({ type: 'ask-epoch', epoch: 0 });
    const { bob } = twoSessions();
    const at = { path: PATH, nowMs: 0 };
    const session = bob as unknown as Session<DatagramPath>; // As above.
    expect(receiver.open(session, new Uint8Array(32), at)).toBe('unknown-kind');
    expect(receiver.isPeersChoice).toBe(false);
  });
});

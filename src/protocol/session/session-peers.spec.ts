import { describe, expect, it } from '@jest/globals';
import {
  ALICE,
  BACKENDS,
  BOB,
  MALLORY,
  PARTIES,
  RELAY_PATH,
  open,
  optionsOf,
  randomOf,
  seal,
  sent,
  twoHandshakes,
  type Handshake,
} from '../../../test/session/two-sessions.js';
import { bytesOf, hex } from '../../../test/identities.js';
import { encodeHandshakeDatagram } from './handshake-datagram.js';
import { SessionHandshake } from './session-handshake.js';

const TEXT = hex('68656c6c6f');

/** A peer in the middle with own keys, who shows `binding` to `victim`. */
const mallory = (role: 'initiator' | 'responder', binding: Uint8Array): Handshake =>
  new SessionHandshake(
    optionsOf(role, MALLORY, ALICE, { binding, random: randomOf(66), judgePeer: () => 'ok' }),
  );

describe.each(BACKENDS)('a man in the middle against the %s back end', (_, backend) => {
  it.each([
    ['his own binding', MALLORY.binding, 'binding-other-identity'],
    ["the true responder's binding, replayed", BOB.binding, 'binding-other-static-key'],
    ['no binding', new Uint8Array(0), 'binding-length'],
  ])('T2: swaps the static key in message 2 and shows %s: refused', (_name, binding, refusal) => {
    const { alice, bob } = twoHandshakes({ backend });
    const [message1] = sent(alice);
    const between = mallory('responder', binding);
    between.receive(message1!, RELAY_PATH, 0);
    expect(alice.receive(sent(between)[0]!, RELAY_PATH, 0)).toBe(refusal);
    expect(alice.session).toBeUndefined();
    // The true answer still counts: the refused one has left the handshake as it was.
    bob.receive(message1!, RELAY_PATH, 0);
    expect(alice.receive(sent(bob)[0]!, RELAY_PATH, 0)).toBeUndefined();
    expect(bob.receive(sent(alice)[0]!, RELAY_PATH, 0)).toBeUndefined();
    expect(open(bob.session!, seal(alice.session!, TEXT))).toEqual(TEXT);
  });

  it.each([
    ['his own binding', MALLORY.binding, 'binding-other-identity'],
    ["the true initiator's binding, replayed", ALICE.binding, 'binding-other-static-key'],
  ])('T2: swaps the static key in message 3 and shows %s: refused', (_name, binding, refusal) => {
    const { alice, bob } = twoHandshakes({ backend });
    const between = mallory('initiator', binding);
    bob.receive(sent(between)[0]!, RELAY_PATH, 0);
    between.receive(sent(bob)[0]!, RELAY_PATH, 0);
    const [message3] = sent(between);
    expect(bob.receive(message3!, RELAY_PATH, 0)).toBe(refusal);
    expect(bob.receive(message3!, RELAY_PATH, 0)).toBe(refusal);
    expect(bob.session).toBeUndefined();
    bob.receive(sent(alice)[0]!, RELAY_PATH, 0);
    alice.receive(sent(bob)[0]!, RELAY_PATH, 0);
    expect(bob.receive(sent(alice)[0]!, RELAY_PATH, 0)).toBeUndefined();
  });

  it.each([
    ['zero', '00'.repeat(32)],
    ['one', '01' + '00'.repeat(31)],
    ['order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
    ['p - 1', 'ec' + 'ff'.repeat(30) + '7f'],
    ['p, not canonical', 'ed' + 'ff'.repeat(30) + '7f'],
  ])('T45: sends an ephemeral key of low order (%s): refused, not answered', (_name, point) => {
    const { alice, bob } = twoHandshakes({ backend });
    const forge = (kind: 1 | 2, receiverIndex: number, message: Uint8Array) =>
      encodeHandshakeDatagram({
        kind,
        receiverIndex,
        token: PARTIES.token,
        senderIndex: 7,
        message,
      });
    expect(bob.receive(forge(1, 0, hex(point)), RELAY_PATH, 0)).toBe('zero-shared-secret');
    expect(sent(bob)).toEqual([]);
    const message2 = new Uint8Array(297);
    message2.set(hex(point));
    sent(alice);
    expect(alice.receive(forge(2, 0x0a0a0a0a, message2), RELAY_PATH, 0)).toBe('zero-shared-secret');
    expect([alice.status, bob.status]).toEqual(['under-way', 'under-way']);
  });
});

describe('two peers that mean different things', () => {
  it.each([
    ['session ids', { sessionId: bytesOf(0xb1, 16) }],
    ['initiators', { initiatorIdentity: MALLORY.identity }],
    ['responders', { responderIdentity: MALLORY.identity }],
    ['profiles', { profile: 'Other' as 'Standard' }],
  ])('have no session: other %s', (_, change) => {
    const { alice, bob } = twoHandshakes({}, { parties: { ...PARTIES, ...change } });
    bob.receive(sent(alice)[0]!, RELAY_PATH, 0);
    expect(alice.receive(sent(bob)[0]!, RELAY_PATH, 0)).toBe('wrong-tag');
  });
});

describe('the application', () => {
  it('T2: gets no session before judgePeer has said ok, and never a binding that it refused', () => {
    const judged: string[] = [];
    const { alice, bob } = twoHandshakes({
      judgePeer: (binding, staticKey) => {
        judged.push(`${binding.length}/${staticKey.length}`);
        return 'binding-revoked';
      },
    });
    bob.receive(sent(alice)[0]!, RELAY_PATH, 0);
    expect(alice.receive(sent(bob)[0]!, RELAY_PATH, 0)).toBe('binding-revoked');
    expect(judged).toEqual(['201/32']);
    expect(alice.session).toBeUndefined();
    expect(sent(alice, 250)[0]![12]).toBe(1);
  });
});

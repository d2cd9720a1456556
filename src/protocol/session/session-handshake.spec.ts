import { describe, expect, it } from '@jest/globals';
import {
  ALICE,
  BACKENDS,
  BOB,
  PARTIES,
  RELAY_PATH,
  open,
  optionsOf,
  randomOf,
  seal,
  sent,
  twoHandshakes,
  twoSessions,
} from '../../../test/session/two-sessions.js';
import { numbers } from '../../../test/fuzz/fuzz.js';
import { bytesOf, hex } from '../../../test/identities.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import type { CryptoBackend } from '../crypto-backend.js';
import { KeyStore } from '../key-store.js';
import { SessionHandshake } from './session-handshake.js';

const TEXT = hex('68656c6c6f');

/** A real back end that counts its operations. */
function counting() {
  const counts = { curve: 0, signatures: 0 };
  const backend: CryptoBackend = {
    ...nodeBackend,
    x25519: (...args) => {
      counts.curve++;
      return nodeBackend.x25519(...args);
    },
    x25519PublicKey: (...args) => {
      counts.curve++;
      nodeBackend.x25519PublicKey(...args);
    },
    ed25519Sign: (...args) => {
      counts.signatures++;
      return nodeBackend.ed25519Sign(...args);
    },
  };
  return { backend, counts };
}

describe.each(BACKENDS)('a handshake with the %s back end', (_, backend) => {
  it('S6: ends in a session on both sides after three datagrams of 512 bytes', () => {
    const { alice, bob, transcript, handshakes } = twoSessions({ backend });
    expect(transcript.map((datagram) => [datagram.length, datagram[12]])).toEqual([
      [512, 1],
      [512, 2],
      [512, 3],
    ]);
    expect([handshakes.alice.status, handshakes.bob.status]).toEqual([
      'established',
      'established',
    ]);
    expect(open(bob, seal(alice, TEXT))).toEqual(TEXT);
  });
});

it.each(BACKENDS.flatMap(([a, one]) => BACKENDS.map(([b, two]) => [a, b, one, two] as const)))(
  'S6: %s and %s understand each other',
  (_a, _b, one, two) => {
    const { alice, bob } = twoSessions({ backend: one }, { backend: two });
    expect(open(bob, seal(alice, TEXT))).toEqual(TEXT);
    expect(open(alice, seal(bob, TEXT))).toEqual(TEXT);
  },
);

describe('a handshake over a lossy path', () => {
  it('repeats message 1 after 250 ms, 500 ms and so on, unchanged, and gives up after 60 s', () => {
    const { alice } = twoHandshakes();
    const times: number[] = [];
    const datagrams = new Set<string>();
    for (let nowMs = 0; nowMs <= 61_000; nowMs += 50) {
      for (const datagram of sent(alice, nowMs)) {
        times.push(nowMs);
        datagrams.add(Buffer.from(datagram).toString('hex'));
      }
    }
    expect(times.slice(0, 7)).toEqual([0, 250, 750, 1_750, 3_750, 7_750, 11_750]);
    expect(times.length).toBeLessThan(20);
    expect(datagrams.size).toBe(1);
    expect(alice.status).toBe('gave-up');
    expect(alice.wakeMs).toBe(Infinity);
  });

  it('answers the same message 1 with the same message 2, one for one', () => {
    const { alice, bob } = twoHandshakes();
    const [message1] = sent(alice);
    bob.receive(message1!, RELAY_PATH, 0);
    const [first, ...more] = sent(bob);
    bob.receive(message1!, RELAY_PATH, 250);
    const [second] = sent(bob, 250);
    expect(second).toEqual(first);
    expect(more).toEqual([]);
    expect(sent(bob, 10_000)).toEqual([]);
  });

  it('repeats message 3 until the peer is heard, or at once when message 2 comes again', () => {
    const { alice, bob } = twoHandshakes();
    bob.receive(sent(alice)[0]!, RELAY_PATH, 0);
    const message2 = sent(bob)[0]!;
    expect(alice.receive(message2, RELAY_PATH, 10)).toBeUndefined();
    const lost = sent(alice, 10);
    expect(lost[0]![12]).toBe(3);
    expect(alice.receive(message2, RELAY_PATH, 20)).toBeUndefined();
    expect(sent(alice, 20)).toEqual(lost);
    expect(sent(alice, 270)).toEqual(lost);
    expect(bob.receive(lost[0]!, RELAY_PATH, 270)).toBeUndefined();
    expect(bob.receive(lost[0]!, RELAY_PATH, 280)).toBeUndefined();
    expect(open(alice.session!, seal(bob.session!, TEXT, 280), 280)).toEqual(TEXT);
    expect(sent(alice, 50_000)).toEqual([]);
    expect(alice.datagramToSend(60_000)).toBeUndefined();
    expect(alice.status).toBe('established');
  });

  it('lets the initiator send transport datagrams at once, and closes its session if the peer is never heard', () => {
    const { alice, bob } = twoHandshakes();
    bob.receive(sent(alice)[0]!, RELAY_PATH, 0);
    alice.receive(sent(bob)[0]!, RELAY_PATH, 0);
    const early = seal(alice.session!, TEXT);
    expect(bob.receive(early, RELAY_PATH, 0)).toBe('not-a-handshake');
    bob.receive(sent(alice)[0]!, RELAY_PATH, 0);
    expect(open(bob.session!, early)).toEqual(TEXT);
    expect(alice.wakeMs).toBeLessThanOrEqual(60_000);
    alice.datagramToSend(60_000);
    expect(alice.status).toBe('gave-up');
    expect(alice.session!.end).toBe('closed-here');
  });

  it('ends in one session whatever is lost, repeated or reordered, as long as something arrives', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { alice, bob } = overLossyPath(seed);
      expect([seed, alice.status, bob.status]).toEqual([seed, 'established', 'established']);
      expect(open(bob.session!, seal(alice.session!, TEXT))).toEqual(TEXT);
    }
  });
});

/** Both sides after 55 s on a path that loses half, sends message 1 and 3 twice and delivers in any order. */
function overLossyPath(seed: number) {
  const pick = numbers(seed * 104_729);
  const { alice, bob } = twoHandshakes({ random: randomOf(seed) });
  const wire: [typeof alice, Uint8Array][] = [];
  for (let nowMs = 0; nowMs < 55_000; nowMs += 125) {
    for (const datagram of sent(alice, nowMs)) wire.push([bob, datagram], [bob, datagram]);
    for (const datagram of sent(bob, nowMs)) wire.push([alice, datagram]);
    const arriving = wire.length > 0 ? wire.splice(pick(wire.length), 1) : [];
    for (const [to, datagram] of arriving)
      if (pick(1_000) < 500) to.receive(datagram, RELAY_PATH, nowMs);
  }
  return { alice, bob };
}

describe('the token of a handshake', () => {
  it('is compared before any curve operation', () => {
    const { backend, counts } = counting();
    const { alice } = twoHandshakes();
    const bob = new SessionHandshake(
      optionsOf('responder', BOB, ALICE, {
        backend,
        parties: { ...PARTIES, token: bytesOf(0xa3, 16) },
      }),
    );
    expect(bob.receive(sent(alice)[0]!, RELAY_PATH, 0)).toBe('wrong-token');
    expect(counts.curve).toBe(0);
  });

  it('serves for 60 s', () => {
    const { alice, bob } = twoHandshakes();
    const [message1] = sent(alice);
    expect(bob.receive(message1!, RELAY_PATH, 60_000)).toBe('token-expired');
    expect(bob.receive(message1!, RELAY_PATH, 59_999)).toBeUndefined();
  });

  it('serves one handshake: after it another message 1, 2 or 3 is refused', () => {
    const { handshakes } = twoSessions();
    const late = twoHandshakes({ random: randomOf(77) }, { random: randomOf(78) });
    const [message1] = sent(late.alice);
    expect(handshakes.bob.receive(message1!, RELAY_PATH, 1)).toBe('token-used');
    late.bob.receive(message1!, RELAY_PATH, 1);
    const [message2] = sent(late.bob);
    expect(handshakes.alice.receive(message2!, RELAY_PATH, 1)).toBe('token-used');
    late.alice.receive(message2!, RELAY_PATH, 1);
    expect(handshakes.bob.receive(sent(late.alice, 1)[0]!, RELAY_PATH, 1)).toBe('token-used');
  });

  it('costs at most 64 attempts of whoever saw it', () => {
    const { backend, counts } = counting();
    const { bob } = twoHandshakes({}, { backend });
    const refusals = new Set<string | undefined>();
    for (let i = 0; i < 200; i++) {
      const stranger = twoHandshakes({ random: randomOf(1_000 + i) }).alice;
      refusals.add(bob.receive(sent(stranger)[0]!, RELAY_PATH, 0));
      sent(bob);
    }
    expect([...refusals]).toEqual([undefined, 'too-many-attempts']);
    expect(counts.curve).toBeLessThanOrEqual(3 * 64);
  });
});

describe('a message that fails', () => {
  it('leaves the handshake as it was: forged messages 1, 2 and 3 in between change nothing', () => {
    const { alice, bob } = twoHandshakes();
    const [message1] = sent(alice);
    const racing = twoHandshakes({ random: randomOf(55) }).alice;
    expect(bob.receive(sent(racing)[0]!, RELAY_PATH, 0)).toBeUndefined();
    sent(bob);
    bob.receive(message1!, RELAY_PATH, 0);
    const [message2] = sent(bob);
    for (let i = 38; i < 38 + 297; i++) {
      const forged = message2!.slice();
      forged[i]! ^= 1;
      expect(typeof alice.receive(forged, RELAY_PATH, 0)).toBe('string');
    }
    expect(alice.session).toBeUndefined();
    expect(alice.receive(message2!, RELAY_PATH, 0)).toBeUndefined();
    const [message3] = sent(alice);
    for (let i = 38; i < 38 + 265; i++) {
      const forged = message3!.slice();
      forged[i]! ^= 1;
      expect(typeof bob.receive(forged, RELAY_PATH, 0)).toBe('string');
    }
    expect(bob.session).toBeUndefined();
    expect(bob.receive(message3!, RELAY_PATH, 0)).toBeUndefined();
    expect(open(bob.session!, seal(alice.session!, TEXT))).toEqual(TEXT);
  });

  it('is refused when it is out of turn or for another index', () => {
    const { alice, bob } = twoHandshakes();
    const [message1] = sent(alice);
    expect(alice.receive(message1!, RELAY_PATH, 0)).toBe('wrong-turn');
    bob.receive(message1!, RELAY_PATH, 0);
    const [message2] = sent(bob);
    expect(bob.receive(message2!, RELAY_PATH, 0)).toBe('wrong-turn');
    const misled = message2!.slice();
    misled[11]! ^= 1;
    expect(alice.receive(misled, RELAY_PATH, 0)).toBe('wrong-receiver');
  });
});

describe('the keys of a handshake', () => {
  it('are erased when it is closed or gives up, and belong to the session after it', () => {
    for (const stop of ['close', 'give-up'] as const) {
      const keys = new KeyStore();
      const { alice } = twoHandshakes({ keys });
      expect(keys.liveSlices).toBeGreaterThan(0);
      if (stop === 'close') alice.close();
      else alice.datagramToSend(60_000);
      expect(keys.liveSlices).toBe(0);
      expect(alice.receive(new Uint8Array(512), RELAY_PATH, 0)).toBe('unknown-kind');
    }
    const keys = new KeyStore();
    const { bob } = twoSessions({}, { keys });
    // Two directions, and the next key of the receiving one: nothing of the handshake is left.
    expect(keys.liveSlices).toBe(3);
    bob.close();
    expect(keys.liveSlices).toBe(0);
  });

  it('S61, T47: never sign: a session makes no signature, so none covers content', () => {
    const { backend, counts } = counting();
    const { alice, bob } = twoSessions({ backend });
    expect(open(bob, seal(alice, TEXT))).toEqual(TEXT);
    expect(counts.curve).toBeGreaterThan(0);
    expect(counts.signatures).toBe(0);
  });

  it('come with a binding of at most 378 bytes', () => {
    const make = (length: number) => twoHandshakes({ binding: bytesOf(1, length) });
    expect(() => make(378)).not.toThrow();
    expect(() => make(379)).toThrow(RangeError);
  });
});

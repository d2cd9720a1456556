import { describe, expect, it } from '@jest/globals';
import {
  BACKENDS,
  RELAY_PATH,
  open,
  seal,
  twoSessions,
} from '../../../test/session/two-sessions.js';
import { bytesOf, hex } from '../../../test/identities.js';
import { KeyStore } from '../key-store.js';
import { CloseReason, encodeControlMessage } from './control-message.js';
import { SessionClosedError } from './session-error.js';

const TEXT = hex('68656c6c6f');

describe.each(BACKENDS)('two sessions with the %s back end', (_, backend) => {
  it('S2, S7: exchange sealed datagrams both ways', () => {
    const { alice, bob } = twoSessions({ backend });
    const datagram = seal(alice, TEXT);
    expect(Buffer.from(datagram).includes(Buffer.from(TEXT))).toBe(false);
    expect(open(bob, datagram)).toEqual(TEXT);
    expect(open(alice, seal(bob, TEXT))).toEqual(TEXT);
  });

  it('S4, S58: refuse each single flipped bit of a datagram, and open it afterwards', () => {
    const { alice, bob } = twoSessions({ backend });
    const datagram = seal(alice, TEXT);
    for (let i = 0; i < datagram.length * 8; i++) {
      const flipped = datagram.slice();
      flipped[i >> 3]! ^= 1 << (i & 7);
      expect(typeof open(bob, flipped)).toBe('string');
    }
    expect(bob.failedTags).toBeGreaterThan((datagram.length - 16) * 8);
    expect(open(bob, datagram)).toEqual(TEXT);
    expect(open(bob, datagram)).toBe('replayed');
  });
});

describe('a session', () => {
  it('S7: counts from 0 in each direction and writes header and counter as specified', () => {
    const { alice, bob } = twoSessions();
    const header = (datagram: Uint8Array) => Buffer.from(datagram.subarray(0, 16)).toString('hex');
    expect(header(seal(alice, TEXT))).toBe('0000000000000000' + '0b0b0b0b' + '04' + '00' + '0000');
    expect(header(seal(alice, TEXT))).toBe('0000000000000001' + '0b0b0b0b' + '04' + '00' + '0000');
    expect(header(seal(bob, TEXT))).toBe('0000000000000000' + '0a0a0a0a' + '04' + '00' + '0000');
  });

  it('takes every length up to 1,180 bytes and throws on one more', () => {
    const { alice, bob } = twoSessions();
    for (const length of [0, 1, 255, 256, 1_179, 1_180]) {
      expect(open(bob, seal(alice, bytesOf(7, length)))).toEqual(bytesOf(7, length));
    }
    expect(() => seal(alice, bytesOf(7, 1_181))).toThrow(RangeError);
    expect(() => alice.seal(TEXT, new Uint8Array(TEXT.length + 31), 0)).toThrow(RangeError);
    const full = seal(alice, bytesOf(7, 100));
    expect(() => bob.open(full, new Uint8Array(99), RELAY_PATH, 0)).toThrow(RangeError);
    expect(open(bob, full)).toEqual(bytesOf(7, 100));
  });

  it('opens in any order and refuses what another session, a handshake or nobody sealed', () => {
    const { alice, bob, transcript } = twoSessions();
    const stranger = twoSessions(
      { random: (out) => out.fill(9) },
      { random: (out) => out.fill(8) },
    );
    const [first, second] = [seal(alice, TEXT), seal(alice, TEXT)];
    expect(open(bob, second)).toEqual(TEXT);
    expect(open(bob, first)).toEqual(TEXT);
    expect(open(bob, seal(stranger.alice, TEXT))).toBe('replayed');
    seal(stranger.alice, TEXT);
    expect(open(bob, seal(stranger.alice, TEXT))).toBe('wrong-tag');
    expect(open(bob, transcript[2])).toBe('not-transport');
    expect(open(alice, first)).toBe('wrong-receiver');
    expect(open(bob, new Uint8Array(31))).toBe('too-short');
    expect(open(bob, new Uint8Array(1_213))).toBe('too-long');
  });

  it('leaves the plaintext buffer alone when a tag is wrong', () => {
    const { alice, bob } = twoSessions();
    const datagram = seal(alice, TEXT);
    datagram[20]! ^= 1;
    const out = bytesOf(0x55, 64);
    expect(bob.open(datagram, out, RELAY_PATH, 0)).toBe('wrong-tag');
    expect(out).toEqual(bytesOf(0x55, 64));
  });

  it('asks for a new handshake after 24 hours, not before', () => {
    const { alice } = twoSessions();
    expect(alice.needsNewHandshake(86_399_999)).toBe(false);
    expect(alice.needsNewHandshake(86_400_000)).toBe(true);
  });
});

describe('a closed session', () => {
  it('T44: throws SessionClosedError on every use, and may be closed again', () => {
    const { alice, bob } = twoSessions();
    expect(open(bob, seal(alice, TEXT))).toEqual(TEXT);
    const datagram = seal(alice, TEXT);
    bob.close();
    expect(bob.end).toBe('closed-here');
    expect(() => seal(bob, TEXT)).toThrow(SessionClosedError);
    expect(() => open(bob, datagram)).toThrow(SessionClosedError);
    expect(() => bob.controlToSend(0)).toThrow(SessionClosedError);
    expect(() => bob.onControl(hex('0500'), RELAY_PATH)).toThrow(SessionClosedError);
    expect(() => {
      bob.probe('lan', 0);
    }).toThrow(SessionClosedError);
    expect(() => {
      bob.close();
    }).not.toThrow();
  });

  it('leaves no live slice and no byte but zeros in its key store', () => {
    const keys = new KeyStore();
    const taken: Uint8Array[] = [];
    const take = keys.take.bind(keys);
    keys.take = (length) => {
      const slice = take(length);
      taken.push(slice);
      return slice;
    };
    const { alice, bob } = twoSessions({}, { keys });
    expect(open(bob, seal(alice, TEXT))).toEqual(TEXT);
    expect(taken.some((slice) => slice.some((byte) => byte !== 0))).toBe(true);
    bob.close();
    expect(keys.liveSlices).toBe(0);
    expect(taken.every((slice) => slice.every((byte) => byte === 0))).toBe(true);
  });

  it('was closed by a sealed message of the peer, which says why', () => {
    const { alice, bob } = twoSessions();
    const close = encodeControlMessage({ type: 'close', reason: CloseReason.revoked });
    bob.onControl(open(bob, seal(alice, close)) as Uint8Array, RELAY_PATH);
    expect(bob.end).toBe('closed-by-peer');
    expect(bob.peerCloseReason).toBe(CloseReason.revoked);
    expect(() => seal(bob, TEXT)).toThrow(SessionClosedError);
  });

  it('T44: cannot be cloned, stored or restored: a copy holds no key and no method', () => {
    const { alice } = twoSessions();
    expect(JSON.stringify(alice)).toBe('{"localIndex":168430090,"remoteIndex":185273099}');
    expect(structuredClone(alice)).not.toHaveProperty('seal');
    const imitation = Object.create(Object.getPrototypeOf(alice) as object) as typeof alice;
    expect(() => imitation.seal(TEXT, new Uint8Array(100), 0)).toThrow(TypeError);
  });

  it('S60, T44: is followed by other keys after a restart, and in a second tab of the same identity', () => {
    const tabs = [3, 4].map((seed) =>
      twoSessions({ random: (out) => out.fill(seed) }, { random: (out) => out.fill(seed + 10) }),
    );
    const [first, second] = tabs.map(({ alice }) => seal(alice, TEXT));
    expect(first!.subarray(0, 16)).toEqual(second!.subarray(0, 16));
    expect(first!.subarray(16)).not.toEqual(second!.subarray(16));
  });
});

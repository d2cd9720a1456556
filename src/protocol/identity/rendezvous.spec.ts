import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { nodeBackend } from '../../crypto/node.backend.js';
import { aContext, bytesOf, hex, keyPairOf } from '../../../test/identities.js';
import { concat, toHex, u32 } from '../bytes.js';
import { listeningDays, rendezvousToken, sendingDay } from './rendezvous.js';

const alice = keyPairOf(bytesOf(0x11));
const bob = keyPairOf(bytesOf(0x22));
const carol = keyPairOf(bytesOf(0x33));
const DAY = 20_697;
const MIDNIGHT_MS = DAY * 86_400_000;
const TEN_MINUTES_MS = 600_000;

type Pair = Readonly<Record<'privateKey' | 'publicKey', Uint8Array>>;
const tokenOf = (own: Pair, peer: Pair, recipient: 'own' | 'peer', day = DAY) =>
  toHex(
    rendezvousToken(
      aContext(),
      {
        ownPrivateKey: own.privateKey,
        ownPublicKey: own.publicKey,
        peerPublicKey: peer.publicKey,
        recipient,
      },
      day,
    ) ?? new Uint8Array(),
  );

describe('a rendezvous token', () => {
  it('is HKDF of the shared secret, its salt, the key of the recipient and the day', () => {
    const shared = new Uint8Array(32);
    nodeBackend.x25519(alice.privateKey, bob.publicKey, shared);
    const info = concat([bob.publicKey, u32(DAY)]);
    const okm = hkdfSync('sha256', shared, 'sallyport rendezvous v1', info, 16);
    expect(tokenOf(alice, bob, 'peer')).toBe(toHex(new Uint8Array(okm)));
  });

  it('is the same for the sender and the recipient, in both directions', () => {
    expect(tokenOf(alice, bob, 'peer')).toBe(tokenOf(bob, alice, 'own'));
    expect(tokenOf(alice, bob, 'own')).toBe(tokenOf(bob, alice, 'peer'));
  });

  it('is another one in the other direction, on another day, and for another pair', () => {
    const tokens = [
      tokenOf(alice, bob, 'peer'),
      tokenOf(alice, bob, 'own'),
      tokenOf(alice, bob, 'peer', DAY + 1),
      tokenOf(alice, bob, 'peer', DAY - 1),
      tokenOf(alice, carol, 'peer'),
      tokenOf(carol, bob, 'peer'),
    ];
    expect(new Set(tokens).size).toBe(6);
  });

  it.each([
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ])('T45: does not exist with the low-order key %s', (key) => {
    const peer = { privateKey: new Uint8Array(32), publicKey: hex(key) };
    expect(tokenOf(alice, peer, 'own')).toBe('');
  });

  it('has a day that is a u32', () => {
    for (const day of [-1, 0.5, 2 ** 32, Number.NaN])
      expect(() => tokenOf(alice, bob, 'own', day)).toThrow(RangeError);
  });
});

describe('the days of rendezvous tokens', () => {
  it.each([
    ['noon', MIDNIGHT_MS + 43_200_000, [DAY]],
    ['the last ms before the overlap', MIDNIGHT_MS - TEN_MINUTES_MS - 1, [DAY - 1]],
    ['23:50:00.000', MIDNIGHT_MS - TEN_MINUTES_MS, [DAY - 1, DAY]],
    ['the last ms of a day', MIDNIGHT_MS - 1, [DAY - 1, DAY]],
    ['midnight', MIDNIGHT_MS, [DAY - 1, DAY]],
    ['00:10:00.000', MIDNIGHT_MS + TEN_MINUTES_MS, [DAY - 1, DAY]],
    ['the first ms after the overlap', MIDNIGHT_MS + TEN_MINUTES_MS + 1, [DAY]],
    ['the first ms of 1970', 0, [0]],
  ])('at %s are the right ones for who listens', (_, nowMs, days) => {
    expect(listeningDays(nowMs)).toEqual(days);
  });

  it('always hold the day of a sender whose clock is up to ten minutes off', () => {
    for (let ms = -2 * TEN_MINUTES_MS; ms <= 2 * TEN_MINUTES_MS; ms += 7_919)
      for (const off of [-TEN_MINUTES_MS + 1, 0, TEN_MINUTES_MS])
        expect(listeningDays(MIDNIGHT_MS + ms)).toContain(sendingDay(MIDNIGHT_MS + ms + off));
  });

  it('change at midnight for who sends', () => {
    expect(sendingDay(MIDNIGHT_MS - 1)).toBe(DAY - 1);
    expect(sendingDay(MIDNIGHT_MS)).toBe(DAY);
    expect(() => sendingDay(-1)).toThrow(RangeError);
    expect(() => sendingDay(0.5)).toThrow(RangeError);
  });
});

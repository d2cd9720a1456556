import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { bytesOf, hex } from '../../../test/identities.js';
import { concat, toHex } from '../../protocol/bytes.js';
import { seenAddress } from '../../protocol/relay/address.js';
import { mayTry } from './candidate-list.js';
import { decodeCandidatesBody, encodeCandidatesBody } from './candidates-body.js';
import { decodeChatMessage, encodeChatMessage, ShownMessages } from './chat-message.js';
import { decodeInvitation, encodeInvitation } from './invitation-body.js';
import { decodeOffer, encodeOffer } from './offer-body.js';

const ADDRESS = seenAddress(hex('c0000201'), 40_000);
const OFFER = {
  sessionSeed: bytesOf(0x11),
  token: bytesOf(0x22, 16),
  callMode: 'wideband',
  relayId: 'edge/eu/0',
  candidates: [ADDRESS],
} as const;
const OFFER_HEX = [
  '01',
  '11'.repeat(32),
  '22'.repeat(16),
  '01',
  '0009',
  '656467652f65752f30',
  '01',
  '04c0000201000000000000000000000000' + '9c40',
].join('');

describe('the body of an offer', () => {
  it('is written byte by byte as the table says, and read back', () => {
    expect(toHex(encodeOffer(OFFER))).toBe(OFFER_HEX);
    expect(decodeOffer(hex(OFFER_HEX))).toEqual(OFFER);
  });

  it.each([
    ['is cut', OFFER_HEX.slice(0, 100), 'offer-length'],
    ['has another version', `02${OFFER_HEX.slice(2)}`, 'offer-version'],
    ['has another call mode', OFFER_HEX.replace('22010009', '22030009'), 'offer-call-mode'],
    [
      'has a relay id that runs past its end',
      OFFER_HEX.replace('22010009', '22010f09'),
      'offer-length',
    ],
    ['has a relay id of other characters', OFFER_HEX.replace('656467', '45643a'), 'offer-relay'],
    ['has bytes behind its end', `${OFFER_HEX}00`, 'offer-candidates'],
    [
      'has a candidate of another family',
      OFFER_HEX.replace('04c000', '05c000'),
      'offer-candidates',
    ],
    ['has port 0', OFFER_HEX.replace(/9c40$/, '0000'), 'offer-candidates'],
  ])('is refused when it %s', (_, text, refusal) => {
    expect(decodeOffer(hex(text))).toBe(refusal);
  });
});

describe('the body of candidates', () => {
  const text = `01${'33'.repeat(16)}0009656467652f65752f3101${OFFER_HEX.slice(-38)}`;
  const news = { sessionId: bytesOf(0x33, 16), relayId: 'edge/eu/1', candidates: [ADDRESS] };

  it('is written byte by byte as the table says, and read back, with a relay or without', () => {
    expect(toHex(encodeCandidatesBody(news))).toBe(text);
    expect(decodeCandidatesBody(hex(text))).toEqual(news);
    const without = { ...news, relayId: undefined, candidates: [] };
    expect(decodeCandidatesBody(encodeCandidatesBody(without))).toEqual(without);
  });

  it('is refused when it is cut, has another version or more', () => {
    expect(decodeCandidatesBody(hex(text).subarray(0, 18))).toBe('candidates-length');
    expect(decodeCandidatesBody(hex(`02${text.slice(2)}`))).toBe('candidates-version');
    expect(decodeCandidatesBody(hex(`${text}00`))).toBe('candidates-addresses');
  });
});

describe('a candidate of a peer', () => {
  it.each([
    ['192.0.2.1', 'c0000201', true, true],
    ['10.0.0.1', '0a000001', true, true],
    ['127.0.0.1', '7f000001', false, true],
    ['0.0.0.0', '00000000', false, false],
    ['224.0.0.1', 'e0000001', false, false],
    ['255.255.255.255', 'ffffffff', false, false],
    ['2001:db8::1', '20010db8000000000000000000000001', true, true],
    ['::1', '00000000000000000000000000000001', false, true],
    ['::', '00000000000000000000000000000000', false, false],
    ['ff02::1', 'ff020000000000000000000000000001', false, false],
    ['fe80::1', 'fe800000000000000000000000000001', false, false],
  ])(
    '%s is tried only where that knocks at no door of this machine',
    (_, bytes, usual, loopback) => {
      const candidate = seenAddress(hex(bytes), 1);
      expect([mayTry(candidate, false), mayTry(candidate, true)]).toEqual([usual, loopback]);
    },
  );
});

describe('an invitation', () => {
  it('is two bytes', () => {
    expect(toHex(encodeInvitation('ask'))).toBe('0101');
    expect(decodeInvitation(hex('0102'))).toBe('accept');
    for (const [text, refusal] of [
      ['', 'invitation-length'],
      ['010100', 'invitation-length'],
      ['0201', 'invitation-version'],
      ['0103', 'invitation-intent'],
    ] as const)
      expect(decodeInvitation(hex(text))).toBe(refusal);
  });
});

describe('a chat message', () => {
  it('is its kind, its id and UTF-8', () => {
    const message = { id: bytesOf(0x44, 16), text: 'héllo' };
    expect(toHex(encodeChatMessage(message))).toBe(`01${'44'.repeat(16)}68c3a96c6c6f`);
    expect(decodeChatMessage(encodeChatMessage(message))).toEqual(message);
  });

  it('is refused when it is empty, of another kind or no UTF-8', () => {
    const head = concat([hex('01'), bytesOf(0x44, 16)]);
    expect(decodeChatMessage(head)).toBe('chat-length');
    expect(decodeChatMessage(concat([hex('02'), head]))).toBe('chat-kind');
    expect(decodeChatMessage(concat([head, hex('ff')]))).toBe('chat-not-unicode');
    expect(() => encodeChatMessage({ id: bytesOf(1, 16), text: '' })).toThrow(RangeError);
    expect(() => encodeChatMessage({ id: bytesOf(1, 16), text: '\ud800' })).toThrow(RangeError);
    expect(() => encodeChatMessage({ id: bytesOf(1, 16), text: 'x'.repeat(65_537) })).toThrow(
      RangeError,
    );
  });

  it('is shown once', () => {
    const shown = new ShownMessages();
    expect([bytesOf(1, 16), bytesOf(2, 16), bytesOf(1, 16)].map((id) => shown.isNew(id))).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('bytes of strangers', () => {
  it('are refused by every decoder without a throw', () => {
    const decoders = [decodeOffer, decodeCandidatesBody, decodeInvitation, decodeChatMessage];
    const mutated = fc.tuple(fc.nat(hex(OFFER_HEX).length - 1), fc.nat(255)).map(([at, byte]) => {
      const bytes = hex(OFFER_HEX).slice();
      bytes[at] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        for (const decode of decoders) expect(['string', 'object']).toContain(typeof decode(bytes));
      }),
      { numRuns: 5_000 },
    );
  });
});

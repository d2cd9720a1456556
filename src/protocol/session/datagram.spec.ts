import { describe, expect, it } from '@jest/globals';
import { fuzzDecoder } from '../../../test/fuzz/fuzz.js';
import { bytesOf, hex } from '../../../test/identities.js';
import { concat } from '../bytes.js';
import {
  decodeControlMessage,
  encodeControlMessage,
  type ControlMessage,
} from './control-message.js';
import { decodeHeader, emptyHeader, encodeHeader } from './datagram.js';
import { decodeHandshakeDatagram, encodeHandshakeDatagram } from './handshake-datagram.js';

const HEADER_REFUSALS = [
  'too-short',
  'too-long',
  'unknown-kind',
  'reserved-not-zero',
  'bad-handshake-size',
  'bad-handshake-header',
  'counter-limit',
];

const decoded = (bytes: Uint8Array) => {
  const header = emptyHeader();
  return decodeHeader(bytes, header) ?? header;
};
const transport = (header: string, rest = 16) => concat([hex(header), new Uint8Array(rest)]);

describe('the header of a session datagram', () => {
  it.each([
    ['0000000000000000 00000000 04 00 0000', [0, 0, 0, 4, 0]],
    ['0000000000000001 01020304 04 ff 0000', [0, 1, 0x01020304, 4, 255]],
    ['fffffffffffffffe ffffffff 04 80 0000', [0xffffffff, 0xfffffffe, 0xffffffff, 4, 128]],
    ['0020000000000001 00000001 04 01 0000', [0x00200000, 1, 1, 4, 1]],
  ])('%s is written and read', (wire, [counterHigh, counterLow, receiverIndex, kind, keyEpoch]) => {
    const header = {
      counterHigh: counterHigh!,
      counterLow: counterLow!,
      receiverIndex: receiverIndex!,
      kind: kind!,
      keyEpoch: keyEpoch!,
    };
    const out = bytesOf(0xee, 16);
    encodeHeader(header, out);
    expect(out).toEqual(new Uint8Array(hex(wire)));
    expect(decoded(transport(wire))).toEqual(header);
  });

  it.each([
    [
      'one byte less than header and tag',
      transport('0000000000000000 00000000 04 00 0000', 15),
      'too-short',
    ],
    ['nothing', new Uint8Array(0), 'too-short'],
    ['1,213 bytes', transport('0000000000000000 00000000 04 00 0000', 1_197), 'too-long'],
    ['kind 0', transport('0000000000000000 00000000 00 00 0000'), 'unknown-kind'],
    ['kind 5', transport('0000000000000000 00000000 05 00 0000'), 'unknown-kind'],
    ['a reserved bit', transport('0000000000000000 00000000 04 00 0001'), 'reserved-not-zero'],
    ['T9: counter 2^64 - 1', transport('ffffffffffffffff 00000000 04 00 0000'), 'counter-limit'],
    [
      'a handshake of 511 bytes',
      transport('0000000000000000 00000000 01 00 0000', 495),
      'bad-handshake-size',
    ],
    [
      'a handshake with a counter',
      transport('0000000000000001 00000000 01 00 0000', 496),
      'bad-handshake-header',
    ],
    [
      'a handshake with an epoch',
      transport('0000000000000000 00000000 02 01 0000', 496),
      'bad-handshake-header',
    ],
    [
      'message 1 with a receiver',
      transport('0000000000000000 00000001 01 00 0000', 496),
      'bad-handshake-header',
    ],
  ])('refuses %s', (_, bytes, refusal) => {
    expect(decoded(bytes)).toBe(refusal);
  });

  it('is decoded from 20,000 inputs without a throw', () => {
    const corpus = [
      transport('0000000000000001 01020304 04 ff 0000', 272),
      transport('fffffffffffffffe 00000000 04 80 0000'),
      transport('0000000000000000 00000000 01 00 0000', 496),
    ];
    const { refused, accepted } = fuzzDecoder({
      decode: decoded,
      refusals: HEADER_REFUSALS,
      corpus,
      runs: 20_000,
      seed: 41,
    });
    expect(accepted).toBeGreaterThan(1_000);
    expect(refused.size).toBeGreaterThan(4);
  });
});

describe('a handshake datagram', () => {
  const message2 = {
    kind: 2 as const,
    receiverIndex: 0x01020304,
    token: bytesOf(0xa2, 16),
    senderIndex: 0x0a0b0c0d,
    message: hex('cafe'),
  };
  const wire = concat([
    hex('0000000000000000 01020304 02 00 0000'),
    hex('a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2 0a0b0c0d 0002 cafe'),
    new Uint8Array(472),
  ]);

  it('is 512 bytes, written and read as specified', () => {
    expect(wire).toHaveLength(512);
    expect(encodeHandshakeDatagram(message2)).toEqual(wire);
    expect(decodeHandshakeDatagram(wire)).toEqual(message2);
  });

  it('is read without a copy', () => {
    const read = decodeHandshakeDatagram(wire);
    expect(typeof read === 'string' ? read : read.message.buffer).toBe(wire.buffer);
  });

  it.each([
    ['a transport datagram', transport('0000000000000000 00000000 04 00 0000'), 'not-a-handshake'],
    ['a Noise message longer than the datagram', changed(36, 0x01, 0xdb), 'bad-noise-length'],
    ['a byte behind the Noise message', changed(511, 1), 'padding-not-zero'],
    ['a Noise message said to be shorter', changed(36, 0, 1), 'padding-not-zero'],
  ])('refuses %s', (_, bytes, refusal) => {
    expect(decodeHandshakeDatagram(bytes)).toBe(refusal);
  });

  it('takes a Noise message of 474 bytes and throws on one more or another token length', () => {
    const full = { ...message2, message: bytesOf(1, 474) };
    expect(decodeHandshakeDatagram(encodeHandshakeDatagram(full))).toEqual(full);
    const longer = { ...message2, message: bytesOf(1, 475) };
    expect(() => encodeHandshakeDatagram(longer)).toThrow(RangeError);
    const short = { ...message2, token: bytesOf(1, 15) };
    expect(() => encodeHandshakeDatagram(short)).toThrow(RangeError);
  });

  it('is decoded from 20,000 inputs without a throw', () => {
    const { accepted, refused } = fuzzDecoder({
      decode: decodeHandshakeDatagram,
      refusals: [...HEADER_REFUSALS, 'not-a-handshake', 'bad-noise-length', 'padding-not-zero'],
      corpus: [wire, encodeHandshakeDatagram({ ...message2, message: bytesOf(3, 474) })],
      runs: 20_000,
      seed: 42,
    });
    expect(accepted).toBeGreaterThan(1_000);
    expect(refused.size).toBeGreaterThan(4);
  });

  function changed(at: number, ...values: number[]): Uint8Array {
    const copy = wire.slice();
    copy.set(values, at);
    return copy;
  }
});

describe('a control message', () => {
  const MESSAGES: readonly (readonly [string, ControlMessage])[] = [
    ['01 00000000', { type: 'ask-epoch', epoch: 0 }],
    ['02 ffffffff', { type: 'confirm-epoch', epoch: 2 ** 32 - 1 }],
    ['03 0102030405060708', { type: 'challenge', bytes: hex('0102030405060708') }],
    ['04 0102030405060708', { type: 'answer', bytes: hex('0102030405060708') }],
    ['05 02', { type: 'close', reason: 2 }],
  ];

  it.each(MESSAGES)('%s is written and read', (wire, message) => {
    expect(encodeControlMessage(message)).toEqual(new Uint8Array(hex(wire)));
    expect(decodeControlMessage(hex(wire))).toEqual(message);
  });

  it.each([
    ['nothing', '', 'empty-control'],
    ['type 0', '00', 'unknown-control'],
    ['type 6', '06 00', 'unknown-control'],
    ['an epoch cut short', '01 000000', 'bad-control-length'],
    ['a challenge of 9 bytes', '03 010203040506070809', 'bad-control-length'],
  ])('refuses %s', (_, wire, refusal) => {
    expect(decodeControlMessage(hex(wire))).toBe(refusal);
  });

  it('reads a reason to close from the future as failed, and never writes a challenge of another length', () => {
    expect(decodeControlMessage(hex('05 63'))).toEqual({ type: 'close', reason: 3 });
    expect(() => encodeControlMessage({ type: 'answer', bytes: bytesOf(1, 7) })).toThrow(
      RangeError,
    );
  });

  it('is decoded from 20,000 inputs without a throw', () => {
    const { accepted, refused } = fuzzDecoder({
      decode: decodeControlMessage,
      refusals: ['empty-control', 'unknown-control', 'bad-control-length'],
      corpus: MESSAGES.map(([wire]) => hex(wire)),
      runs: 20_000,
      seed: 43,
    });
    expect(accepted).toBeGreaterThan(100);
    expect(refused.size).toBe(3);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BusMessage } from '../bus.js';
import { decodeFrame, encodeFrame, MAX_FRAME_BYTES, type BusFrame } from './bus-frames.js';
import { MAX_NAMES, splitMessage } from './bus-schemas.js';

const NAME = 'AAAAAAAAAAAAAAAAAAAAAA';
const ACCOUNT = `sp1${'a'.repeat(32)}`;
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

const MESSAGES: readonly BusMessage[] = [
  { type: 'deliver', token: NAME, envelope: 'A'.repeat(10_923) },
  { type: 'introduce', account: ACCOUNT, device: NAME, envelope: 'A'.repeat(683) },
  { type: 'prekey', token: NAME },
  { type: 'devices', account: ACCOUNT },
  { type: 'tokens', tokens: new Array<string>(256).fill(NAME) },
  { type: 'connected', account: ACCOUNT, device: NAME, connection: 'c-1' },
  { type: 'sessions-ended', sessions: [NAME] },
  { type: 'account-changed', account: ACCOUNT },
  { type: 'leases-revoked', jti: [NAME], kids: [] },
  { type: 'login', account: ACCOUNT },
  { type: 'connections', account: ACCOUNT, device: NAME },
  {
    type: 'relay',
    relay: {
      rid: 'ns/pool/0',
      boot: '0123456789abcdef0123456789abcdef',
      kids: [NAME],
      sessions: 3,
      draining: false,
      clockAheadMs: -12.5,
      connected: true,
    },
  },
];
const head = { v: 1, from: 'r', n: 3, at: 1_700_000_000_000 } as const;
const frameOf = (message: BusMessage): BusFrame => ({ ...head, kind: 'tell', message });

describe('a frame between replicas', () => {
  it.each(MESSAGES.map((message) => [message.type, message] as const))(
    'of %s is read as it was written, and with a field more it is refused',
    (_, message) => {
      expect(decodeFrame(encodeFrame(frameOf(message)) as Uint8Array)).toEqual(frameOf(message));
      const more = { ...frameOf(message), message: { ...message, more: 1 } };
      expect(decodeFrame(bytes(more))).toBe('bad-message');
    },
  );
  it('has the bytes that are documented', () => {
    expect(text(encodeFrame({ ...head, kind: 'here' }) as Uint8Array)).toBe(
      '{"v":1,"from":"r","n":3,"at":1700000000000,"kind":"here"}',
    );
    expect(
      text(
        encodeFrame({
          ...head,
          kind: 'ask',
          id: 7,
          message: { type: 'prekey', token: NAME },
        }) as Uint8Array,
      ),
    ).toBe(
      `{"v":1,"from":"r","n":3,"at":1700000000000,"kind":"ask","id":7,"message":{"type":"prekey","token":"${NAME}"}}`,
    );
  });
  it.each([
    ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'not-json'],
    ['half a message', bytes('{"v":1'), 'not-json'],
    ['an array', bytes([]), 'bad-frame'],
    ['another version', bytes({ ...head, v: 2, kind: 'here' }), 'bad-frame'],
    ['no sender', bytes({ ...head, from: undefined, kind: 'here' }), 'bad-frame'],
    ['no number', bytes({ ...head, n: undefined, kind: 'here' }), 'bad-frame'],
    ['a number that is none', bytes({ ...head, n: 1.5, kind: 'here' }), 'bad-frame'],
    ['no time', bytes({ ...head, at: undefined, kind: 'here' }), 'bad-frame'],
    ['a sender with a line end', bytes({ ...head, from: 'a\nb', kind: 'here' }), 'bad-frame'],
    ['a tell without a message', bytes({ ...head, kind: 'tell' }), 'bad-frame'],
    [
      'a question that cannot be asked',
      bytes({ ...head, kind: 'ask', id: 1, message: { type: 'here' } }),
      'bad-message',
    ],
    [
      'a message of an inherited name',
      bytes({ ...head, kind: 'tell', message: { type: 'constructor' } }),
      'bad-message',
    ],
  ])('with %s is refused', (_, wire, refusal) => {
    expect(decodeFrame(wire)).toBe(refusal);
  });
  it('is refused one byte above the limit, and looked at when it has exactly that many', () => {
    expect(decodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1).fill(0x20))).toBe('too-long');
    expect(decodeFrame(new Uint8Array(MAX_FRAME_BYTES).fill(0x20))).toBe('not-json');
    const body = { padding: 'x'.repeat(MAX_FRAME_BYTES) };
    expect(encodeFrame({ ...head, kind: 'answer', id: 1, body })).toBe('too-long');
  });
  it('never throws, whatever arrives', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.jsonValue({ maxDepth: 4 }).map(bytes),
      fc
        .record({
          v: fc.constant(1),
          from: fc.string(),
          n: fc.nat(),
          at: fc.nat(),
          kind: fc.string(),
          message: fc.jsonValue(),
        })
        .map(bytes),
    );
    fc.assert(
      fc.property(anything, (wire) => {
        expect(['string', 'object']).toContain(typeof decodeFrame(wire));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a list that is longer than a message may be', () => {
  it('is split into messages that replicas take, in order and without loss', () => {
    const jti = Array.from(
      { length: 2 * MAX_NAMES + 1 },
      (_, n) => NAME.slice(6) + String(n).padStart(6, '0'),
    );
    const parts = splitMessage({ type: 'leases-revoked', jti, kids: [NAME] });
    expect(parts).toHaveLength(4);
    for (const part of parts)
      expect(decodeFrame(encodeFrame(frameOf(part)) as Uint8Array)).toEqual(frameOf(part));
    expect(parts.flatMap((part) => (part.type === 'leases-revoked' ? part.jti : []))).toEqual(jti);
  });
  it('says nothing when it is empty', () => {
    expect(splitMessage({ type: 'sessions-ended', sessions: [] })).toEqual([]);
  });
});

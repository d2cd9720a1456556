import { describe, expect, it } from '@jest/globals';
import { textFrame } from './text-frame.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('the frame of a text', () => {
  it('is that of RFC 6455, section 5.7', () => {
    expect(hex(textFrame('Hello'))).toBe('810548656c6c6f');
    expect(hex(textFrame(''))).toBe('8100');
  });

  it.each([
    [125, '817d'],
    [126, '817e007e'],
    [65_535, '817effff'],
    [65_536, '817f0000000000010000'],
  ])('of %d bytes says its length in as few bytes as there are: %s', (length, head) => {
    const frame = textFrame('a'.repeat(length));
    expect(hex(frame.subarray(0, head.length / 2))).toBe(head);
    expect(frame.length).toBe(head.length / 2 + length);
    expect(frame.subarray(head.length / 2).every((byte) => byte === 0x61)).toBe(true);
  });

  it('counts bytes, not characters', () => {
    expect(hex(textFrame('é€😀'))).toBe('8109c3a9e282acf09f9880');
  });
});

import { describe, expect, it } from '@jest/globals';
import { anAccount, bytesOf, NOON_MS, patched } from '../../../test/identities.js';
import { toHex, u16, u64 } from '../bytes.js';
import {
  decodeSealedMessage,
  encodeSealedMessage,
  sealedMessageBytes,
  type SealedMessage,
} from './sealed-message.js';

const alice = anAccount(0x10);
const message: SealedMessage = {
  kind: 'candidates',
  id: bytesOf(0x1d, 16),
  timeMs: NOON_MS,
  binding: alice.binding,
  revocations: [alice.revocation(bytesOf(1, 16)), alice.revocation(bytesOf(2, 16))],
  body: bytesOf(0xb0, 5),
};
const bytes = encodeSealedMessage(message, 500);

describe('the message inside an envelope', () => {
  it('is written byte by byte as the table says, and read as it was written', () => {
    expect(toHex(bytes)).toBe(
      [
        '02',
        '1d'.repeat(16),
        toHex(u64(BigInt(NOON_MS))),
        toHex(alice.binding),
        '02',
        ...message.revocations.map(toHex),
        '0005',
        'b0'.repeat(5),
        '00'.repeat(500 - 490),
      ].join(''),
    );
    expect(sealedMessageBytes(message)).toBe(490);
    expect(decodeSealedMessage(bytes)).toEqual(message);
  });

  it('is read as views of the bytes given', () => {
    expect(decodeSealedMessage(bytes)).toHaveProperty('body.buffer', bytes.buffer);
  });

  it('takes all of its length, or does not fit', () => {
    expect(decodeSealedMessage(encodeSealedMessage(message, 490))).toEqual(message);
    expect(() => encodeSealedMessage(message, 489)).toThrow(RangeError);
  });

  it.each([
    ['is too short for its fixed fields', bytes.subarray(0, 228), 'message-length'],
    ['is empty', new Uint8Array(), 'message-length'],
    ['has kind 0', patched(bytes, 0, bytesOf(0, 1)), 'message-kind'],
    ['has kind 4', patched(bytes, 0, bytesOf(4, 1)), 'message-kind'],
    ['has a time beyond 2^53 - 1', patched(bytes, 17, u64(2n ** 53n)), 'message-time'],
    ['counts more revocations than fit', patched(bytes, 226, bytesOf(4, 1)), 'message-length'],
    ['has a body longer than what is left', patched(bytes, 483, u16(16)), 'message-length'],
    ['has something after its body', patched(bytes, 499, bytesOf(1, 1)), 'message-padding'],
    ['has a body shorter than was written', patched(bytes, 483, u16(4)), 'message-padding'],
  ])('is refused when it %s', (_, given, refusal) => {
    expect(decodeSealedMessage(given)).toBe(refusal);
  });

  it('is refused when it counts 17 revocations, even if they fit', () => {
    const long = encodeSealedMessage(message, 4_000);
    expect(decodeSealedMessage(patched(long, 226, bytesOf(17, 1)))).toBe('message-length');
  });
});

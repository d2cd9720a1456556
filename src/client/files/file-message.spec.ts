import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { fromHex } from '../../protocol/bytes.js';
import { END_REASONS } from './end-reason.js';
import {
  decodeFileMessage,
  emptyChunkMessage,
  encodeFileMessage,
  type FileMessage,
} from './file-message.js';

const ID = fromHex('000102030405060708090a0b0c0d0e0f');
const bytes = (...values: number[]) => Uint8Array.from(values);

describe('a message on the file channel', () => {
  it.each<[string, string, Exclude<FileMessage, { type: 'chunk' }>]>([
    ['GRANT', '01 7634', { type: 'grant', token: fromHex('7634') }],
    [
      'OFFER',
      '02 000102030405060708090a0b0c0d0e0f cafe',
      { type: 'offer', id: ID, manifest: fromHex('cafe') },
    ],
    [
      'ACCEPT',
      '03 000102030405060708090a0b0c0d0e0f c0',
      { type: 'accept', id: ID, wanted: bytes(0xc0) },
    ],
    ['DONE', '05 000102030405060708090a0b0c0d0e0f', { type: 'done', id: ID }],
    ['END', '06 000102030405060708090a0b0c0d0e0f 01', { type: 'end', id: ID, reason: 'declined' }],
    [
      'END of a scan',
      '06 000102030405060708090a0b0c0d0e0f 11',
      { type: 'end', id: ID, reason: 'scan-failed' },
    ],
  ])('%s is written and read', (_, wire, message) => {
    expect(encodeFileMessage(message)).toEqual(fromHex(wire));
    expect(decodeFileMessage(fromHex(wire))).toEqual(message);
  });

  it('CHUNK has room for plaintext and tag behind its header', () => {
    const message = emptyChunkMessage(ID, 258, 3);
    expect(message).toEqual(
      fromHex(
        '04 000102030405060708090a0b0c0d0e0f 00000102 000000 00000000000000000000000000000000',
      ),
    );
    expect(decodeFileMessage(message)).toEqual({
      ...{ type: 'chunk', id: ID, index: 258 },
      sealed: new Uint8Array(19),
    });
  });

  it.each([
    ['nothing', '', 'file-kind'],
    ['kind 0', '00', 'file-kind'],
    ['a kind of tomorrow', '07 000102030405060708090a0b0c0d0e0f', 'file-kind'],
    ['an empty grant', '01', 'file-length'],
    ['a grant of 2,049 bytes', `01${'61'.repeat(2_049)}`, 'file-length'],
    ['an id cut short', '05 0001020304', 'file-length'],
    ['something behind DONE', '05 000102030405060708090a0b0c0d0e0f 00', 'file-length'],
    [
      'a chunk without a byte',
      '04 000102030405060708090a0b0c0d0e0f 00000000 00000000000000000000000000000000',
      'file-length',
    ],
    ['an end without a reason', '06 000102030405060708090a0b0c0d0e0f', 'file-length'],
    ['reason 0', '06 000102030405060708090a0b0c0d0e0f 00', 'file-reason'],
    ['a reason of tomorrow', '06 000102030405060708090a0b0c0d0e0f 12', 'file-reason'],
  ])('refuses %s', (_, wire, refusal) => {
    expect(decodeFileMessage(fromHex(wire))).toBe(refusal);
  });

  it('never throws on bytes from strangers, and what it reads is written as the same bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.integer({ min: 0, max: 8 }),
        (rest, kind) => {
          const wire = Uint8Array.from([kind, ...rest]);
          const message = decodeFileMessage(wire);
          if (typeof message === 'string' || message.type === 'chunk') return;
          expect(encodeFileMessage(message)).toEqual(wire);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('has a code for each reason', () => {
    for (const reason of END_REASONS) {
      const message = { type: 'end', id: ID, reason } as const;
      expect(decodeFileMessage(encodeFileMessage(message))).toEqual(message);
    }
    expect(END_REASONS).toHaveLength(17);
  });
});

import { describe, expect, it } from '@jest/globals';
import { ascii, fromHex, toHex } from '../bytes.js';
import { crc16Kermit } from './crc16.js';
import {
  decodeForwardBody,
  decodeRift,
  encodeRiftHandshake,
  encodeRiftTransport,
  RIFT_REFUSALS,
} from './rift.js';

const TRANSPORT = '5249 0001 01020304 0000000000000007 b5b8 aabb';
const HANDSHAKE = '5249 0001 00000000445566778899aabbccddeeff 0000000000000000 06dc';

describe('CRC-16/KERMIT', () => {
  it('has its check value', () => {
    expect(crc16Kermit(ascii('123456789'))).toBe(0x2189);
  });
  it('is that of a part, if one is named', () => {
    expect(crc16Kermit(ascii('xx123456789x'), 2, 11)).toBe(0x2189);
  });
});

describe('RIFT packets of version 1', () => {
  it('are written and read with the golden bytes of transport', () => {
    const packet = { alias: 0x01020304, packetId: 7n, payload: fromHex('aabb') };
    expect(encodeRiftTransport(packet)).toEqual(fromHex(TRANSPORT));
    expect(decodeRift(fromHex(TRANSPORT))).toEqual({ kind: 'transport', ...packet });
  });

  it('are written and read with the golden bytes of a handshake', () => {
    const packet = {
      session: fromHex('00000000 4455 6677 8899 aabbccddeeff'),
      packetId: 0n,
      payload: new Uint8Array(0),
    };
    expect(encodeRiftHandshake(packet)).toEqual(fromHex(HANDSHAKE));
    expect(decodeRift(fromHex(HANDSHAKE))).toEqual({ kind: 'handshake', ...packet });
  });

  it('are transport below 30 bytes, though their alias is 0', () => {
    const header = fromHex('5249 0001 00000000 0000000000000007');
    const crc = crc16Kermit(header);
    const packet = Uint8Array.of(...header, crc >>> 8, crc & 0xff, 1, 2);
    expect(decodeRift(packet)).toMatchObject({ kind: 'transport', alias: 0, packetId: 7n });
  });

  it('are not written where others would misread them', () => {
    const payload = new Uint8Array(0);
    expect(() => encodeRiftTransport({ alias: 0, packetId: 1n, payload })).toThrow(RangeError);
    const session = fromHex('00000001 4455 6677 8899 aabbccddeeff');
    expect(() => encodeRiftHandshake({ session, packetId: 1n, payload })).toThrow(RangeError);
  });

  it.each([
    ['17 bytes', fromHex(TRANSPORT).subarray(0, 17), 'too-short'],
    ['another magic', fromHex(TRANSPORT.replace('5249', '5248')), 'bad-magic'],
    ['version 0', fromHex(TRANSPORT.replace('5249 0001', '5249 0000')), 'unknown-version'],
    ['version 2', fromHex(TRANSPORT.replace('5249 0001', '5249 0002')), 'unknown-version'],
  ])('with %s are refused', (_, bytes, refusal) => {
    expect(decodeRift(bytes)).toBe(refusal);
  });

  it.each([TRANSPORT, HANDSHAKE])(
    'T10: %s with any bit of its header flipped is refused',
    (hex) => {
      const good = fromHex(hex);
      const headerBytes = hex === TRANSPORT ? 18 : 30;
      for (let bit = 0; bit < headerBytes * 8; bit++) {
        const bad = good.slice();
        bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(RIFT_REFUSALS).toContain(decodeRift(bad));
      }
    },
  );
});

describe('the body of a FORWARD of version 1', () => {
  it('is RIFT if it begins so', () => {
    expect(decodeForwardBody(fromHex(TRANSPORT))).toMatchObject({
      kind: 'transport',
      packetId: 7n,
    });
    expect(decodeForwardBody(fromHex('5249'))).toBe('too-short');
  });

  it('is a sequence number and a payload otherwise', () => {
    expect(decodeForwardBody(fromHex('000000000000002a deadbeef'))).toEqual({
      kind: 'plain',
      sequence: 42n,
      payload: fromHex('deadbeef'),
    });
    expect(decodeForwardBody(fromHex('00000000000000'))).toBe('too-short');
  });

  it.each([
    ['0020000000000000', 2n ** 53n],
    ['0020000000000001', 2n ** 53n + 1n],
    ['7fffffffffffffff', 2n ** 63n - 1n],
    ['8000000000000000', 2n ** 63n],
    ['ffffffffffffffff', 2n ** 64n - 1n],
  ])('T9: has the sequence number %s to the last bit', (hex, sequence) => {
    expect(decodeForwardBody(fromHex(hex))).toMatchObject({ sequence });
    const rift = encodeRiftTransport({ alias: 1, packetId: sequence, payload: new Uint8Array(0) });
    expect(toHex(rift.subarray(8, 16))).toBe(hex);
    expect(decodeRift(rift)).toMatchObject({ packetId: sequence });
  });
});

import { describe, expect, it } from '@jest/globals';
import { Cookies } from './cookie.js';
import { ipText, parseIpAddress } from '../../runtime/ip-address.js';
import {
  FIRST_TCP_LINK,
  isIpv4,
  newAddress,
  sameAddress,
  setAddress,
  sourceOf,
} from './address.js';
import { dropsOfPort } from '../socket/kernel-drops.js';
import { DropLog } from './drop-log.js';
import { DROP } from './drop-reason.js';
import { dropIndex, newStatistics, receiveBatchIndex } from './statistics.js';

const at = (text: string, port = 3_000, link = 0) => {
  const words = newAddress();
  setAddress(words, parseIpAddress(text)!, { port, link });
  return words;
};

describe('an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:201', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0:0:0:0:1'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1::8', '1:0:0:0:0:0:0:8'],
    ['64:ff9b::192.0.2.33', '64:ff9b:0:0:0:0:c000:221'],
  ])('T18: %s has the one form %s', (text, form) => {
    expect(ipText(parseIpAddress(text)!)).toBe(form);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '1.2.3.4::',
    '::1.2.3',
    '1:2:3:4:5:6:7::8',
    '[::1]',
  ])('%j is none', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  it('T18: is the same only with address, port and link', () => {
    const a = at('192.0.2.1');
    expect(sameAddress(a, 0, at('::ffff:192.0.2.1'), 0)).toBe(true);
    for (const other of [
      at('192.0.2.2'),
      at('192.0.2.1', 3_001),
      at('192.0.2.1', 3_000, 1),
      at('::192.0.2.1'),
    ])
      expect(sameAddress(a, 0, other, 0)).toBe(false);
    expect([isIpv4(a), isIpv4(at('::1'))]).toEqual([true, false]);
    expect(sourceOf(at('2001:db8::1'))).toBe(sourceOf(at('2001:db8::2:0:0:1')));
  });
});

describe('a cookie', () => {
  const cookies = new Cookies(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
  const question = { session: new Uint8Array(16).fill(7), nonce: new Uint8Array(16).fill(9) };
  const from = at('192.0.2.1');
  const cookie = cookies.make(from, 0, question, 45_000);
  const holds = (words = from, changes: object = {}, now = 45_000) =>
    cookies.isValid(words, 0, { ...question, cookie, ...changes }, now);

  it('is HMAC-SHA-256 over label, epoch, address, session and nonce', () => {
    // Python: hmac.new(b'\x01'*32, b'sallyport cookie v1\0'+bytes.fromhex('0000000000000001'+'04'+'c0000201'+'00'*12+'0bb8')+b'\x07'*16+b'\x09'*16, 'sha256')
    expect(Buffer.from(cookie).toString('hex')).toBe(
      '63acb4a42344a5fc9b22226db1bcf921257f2bb77531aa0a37ccb44ab3357d74',
    );
  });

  it('holds in its epoch and the next', () => {
    expect([30_000, 59_999, 60_000, 89_999].map((now) => holds(from, {}, now))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([29_999, 0, 90_000].map((now) => holds(from, {}, now))).toEqual([false, false, false]);
  });

  it('T3: holds for one address, port, session and nonce', () => {
    for (const words of [
      at('192.0.2.2'),
      at('192.0.2.1', 3_001),
      at('192.0.2.1', 3_000, FIRST_TCP_LINK + 1),
    ])
      expect(holds(words)).toBe(false);
    expect(holds(from, { session: new Uint8Array(16) })).toBe(false);
    expect(holds(from, { nonce: new Uint8Array(16) })).toBe(false);
    expect(holds(from, { cookie: new Uint8Array(32) })).toBe(false);
  });
});

describe('what a relay counts', () => {
  it('reads the drops of its sockets from the kernel (proc(5))', () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1: 0100007F:0D96 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 1 2 0 17
 2: 00000000000000000000000000000000:0D96 0:0000 07 0:0 0:0 0  1000        0 1 2 0 5
 3: 0100007F:0D97 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 1 2 0 99`;
    expect(dropsOfPort(table, 3_478)).toBe(22);
    expect(dropsOfPort('', 3_478)).toBe(0);
  });

  it('T8: is logged once per window, with what was dropped in it', () => {
    const block = newStatistics();
    const log = new DropLog(block, 0);
    block[dropIndex(DROP.cookie)] = 1_000_000;
    expect(log.take(9_999)).toBeUndefined();
    expect(log.take(10_000)).toEqual({ cookie: 1_000_000 });
    block[dropIndex(DROP.cookie)] = 1_000_007;
    expect(log.take(15_000)).toBeUndefined();
    expect(log.take(20_000)).toEqual({ cookie: 7 });
    expect(log.take(30_000)).toBeUndefined();
  });

  it('puts batches into buckets of 1, 2, 4 and so on up to 128 and above', () => {
    const first = receiveBatchIndex(1);
    const bucket = (size: number) => receiveBatchIndex(size) - first;
    expect([1, 2, 3, 4, 5, 8, 9, 64, 65, 129, 1_000].map(bucket)).toEqual([
      0, 1, 2, 2, 3, 3, 4, 6, 7, 8, 8,
    ]);
  });
});

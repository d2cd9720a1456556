import { describe, expect, it } from '@jest/globals';
import { ipText, isInRange, parseIpAddress, parseIpRange, sourceOf } from './ip-address.js';

const bytes = (text: string) => parseIpAddress(text)!;

describe('an address as text', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['2001:db8::7', '2001:db8:0:0:0:0:0:7'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['1::8', '1:0:0:0:0:0:0:8'],
    ['64:ff9b::192.0.2.33', '64:ff9b:0:0:0:0:c000:221'],
  ])('%s is %s', (text, form) => {
    expect(ipText(bytes(text))).toBe(form);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '0x7f.0.0.1',
    '256.1.1.1',
    '2130706433',
    '1.2.3.4 ',
    'fe80::1%eth0',
    '[::1]',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8:9',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '::12345',
    '::g',
    `::${'0'.repeat(10_000)}1`,
  ])('is none if it is %j', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });
});

describe('a range', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['192.0.2.128/25', '192.0.2.128', true],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['0.0.0.0/0', '2001:db8::1', false],
  ])('%s holds %s: %s', (range, address, isIn) => {
    expect(isInRange(bytes(address), parseIpRange(range)!)).toBe(isIn);
  });

  it.each(['', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/08', '10.0.0.0/8/8', '::/129', 'a/8'])(
    'is none if it is %j',
    (text) => {
      expect(parseIpRange(text)).toBeUndefined();
    },
  );
});

describe('the source of an address', () => {
  it('T25: is the /64 of IPv6 and the whole of IPv4', () => {
    expect(sourceOf(bytes('2001:db8:1:2::1'))).toBe(sourceOf(bytes('2001:db8:1:2:ffff::9')));
    expect(sourceOf(bytes('2001:db8:1:2::1'))).not.toBe(sourceOf(bytes('2001:db8:1:3::1')));
    expect(sourceOf(bytes('192.0.2.1'))).not.toBe(sourceOf(bytes('192.0.2.2')));
    expect(sourceOf(bytes('192.0.2.1'))).toBe(sourceOf(bytes('::ffff:192.0.2.1')));
  });
});

import { describe, expect, it } from '@jest/globals';
import { exceptOf, isAddress, isCidr, isTooWide } from './cidr.js';

const MIXED = ['0.0.0.0/8', '127.0.0.0/8', '::1/128', '::ffff:0:0/96', 'fe80::/10'];

describe('the exceptions of an address block', () => {
  it('are of its own family, and never IPv4-mapped, which the API server refuses', () => {
    expect(exceptOf('IPv4', MIXED)).toEqual(['0.0.0.0/8', '127.0.0.0/8']);
    expect(exceptOf('IPv6', MIXED)).toEqual(['::1/128', 'fe80::/10']);
  });

  it('leave out what another one covers, and keep one of two ways to write the same range', () => {
    expect(exceptOf('IPv4', ['10.1.2.0/24', '10.0.0.0/8', '10.0.0.0/8'])).toEqual(['10.0.0.0/8']);
    expect(exceptOf('IPv6', ['fd00:0:0::/48', 'FD00::/48'])).toHaveLength(1);
  });

  it('leave out what is no range, instead of making the whole policy invalid', () => {
    expect(exceptOf('IPv4', ['10.0.0.0/33', 'ten/8', '10.0.0.1'])).toEqual([]);
  });
});

describe('a range', () => {
  it.each([
    '0.0.0.0/0',
    '10.0.0.0/8',
    '192.0.2.1/32',
    '::/0',
    'fd00:10::/32',
    '2001:db8:0:0:0:0:0:0/64',
    '1::/16',
  ])('%s is one', (text) => {
    expect(isCidr(text)).toBe(true);
  });
  it.each([
    '10.0.0.1/8',
    '010.0.0.0/8',
    '10.0.0/8',
    '256.0.0.0/8',
    '10.0.0.0/08',
    '10.0.0.0/33',
    '10.0.0.0',
    '10.0.0.0/8/8',
    'fd00::1::/64',
    '1:2:3:4:5:6:7:8:9/64',
    '1:2:3:4:5:6:7::8/127',
    'fd00::/129',
    '::ffff:10.0.0.0/104',
    '',
  ])('%s is none', (text) => {
    expect(isCidr(text)).toBe(false);
  });
});

describe('an address', () => {
  it.each(['10.0.0.1', '::', '2001:db8::1'])('%s is one', (text) => {
    expect(isAddress(text)).toBe(true);
  });
  it.each(['10.0.0.1/32', '10.0.0.256', 'localhost', 'fe80::1%eth0', '10.0.0.1\n'])(
    '%j is none',
    (text) => {
      expect(isAddress(text)).toBe(false);
    },
  );
});

describe('a range to which egress may be opened', () => {
  it('is a /8 of IPv4 or a /32 of IPv6 at the widest', () => {
    const ranges = [
      '10.0.0.0/8',
      '8.0.0.0/7',
      '0.0.0.0/0',
      '2001:db8::/32',
      '2001:db0::/31',
      '::/0',
    ];
    expect(ranges.filter(isTooWide)).toEqual(['8.0.0.0/7', '0.0.0.0/0', '2001:db0::/31', '::/0']);
  });
});

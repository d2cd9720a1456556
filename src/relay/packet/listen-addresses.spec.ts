import { describe, expect, it } from '@jest/globals';
import { listenAddresses } from './listen-addresses.js';

const of = (address: string, internal = false) => ({
  address,
  family: address.includes(':') ? 'IPv6' : 'IPv4',
  internal,
});
const LO = [of('127.0.0.1', true), of('::1', true)];

describe('where a relay listens', () => {
  it('S72: is where it is told to, whatever the host has', () => {
    const host = { lo: LO, a: [of('10.0.0.1')], b: [of('10.0.1.1')] };
    expect(listenAddresses(['10.0.0.1'], host)).toEqual(['10.0.0.1']);
  });

  it('is one socket for all on a host with one address of each family', () => {
    const host = { lo: LO, a: [of('10.0.0.1'), of('2001:db8::1'), of('fe80::1')] };
    expect(listenAddresses([], host)).toEqual([]);
    expect(listenAddresses([], { lo: LO })).toEqual([]);
  });

  it('is one socket per address on a host with several, so that answers leave from where the question went', () => {
    const host = {
      lo: LO,
      a: [of('10.0.0.1'), of('fe80::1'), of('169.254.3.4')],
      b: [of('10.0.1.1'), of('2001:db8::1')],
    };
    expect(listenAddresses([], host)).toEqual(['10.0.0.1', '10.0.1.1', '2001:db8::1']);
  });
});

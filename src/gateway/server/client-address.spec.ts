import { describe, expect, it } from '@jest/globals';
import { parseIpAddress } from '../../runtime/ip-address.js';
import { addressText, clientAddress, trustedProxies } from './client-address.js';

const PROXY = '10.0.0.1';
const addressOf = (
  peer: string,
  forwardedFor: readonly string[],
  settings = { cidrs: ['10.0.0.0/24', 'fd00::/64'], hops: 1, required: false },
): string => {
  const source = { peer: parseIpAddress(peer)!, forwardedFor };
  const client = clientAddress(source, trustedProxies(settings));
  if ('refused' in client) return client.refused;
  return `${addressText(client.address)}${client.viaTrustedProxy ? ' via proxy' : ''}`;
};
const hops = (count: number) => ({ cidrs: ['10.0.0.0/24'], hops: count, required: false });
const required = { cidrs: ['10.0.0.0/24'], hops: 1, required: true };

describe('a client that comes directly', () => {
  it('T21, S17: is its own address, whatever it says in headers', () => {
    expect(addressOf('192.0.2.9', [])).toBe('192.0.2.9');
    expect(addressOf('192.0.2.9', ['198.51.100.1'])).toBe('192.0.2.9');
    expect(addressOf('192.0.2.9', ['10.0.0.1', '198.51.100.1'])).toBe('192.0.2.9');
  });

  it('T21, S14, S17: is refused where proxies are required', () => {
    expect(addressOf('192.0.2.9', ['198.51.100.1'], required)).toBe('proxy');
    expect(addressOf(PROXY, ['198.51.100.1'], required)).toBe('198.51.100.1 via proxy');
  });

  it('T21, S17: is not believed when nobody is trusted', () => {
    const nobody = { cidrs: [], hops: 1, required: false };
    expect(addressOf(PROXY, ['198.51.100.1'], nobody)).toBe(PROXY);
  });
});

describe('a client behind one proxy', () => {
  it.each([
    [['198.51.100.1']],
    [['203.0.113.5, 198.51.100.1']],
    [['203.0.113.5', '198.51.100.1']],
    [['garbage, <script>, 198.51.100.1']],
    [['10.0.0.7, 198.51.100.1']],
    [[`${'1.1.1.1, '.repeat(1_000)}198.51.100.1`]],
    [['198.51.100.1:51000']],
  ])('T21, S17: is the entry on the right of %j, which the proxy wrote', (headers) => {
    expect(addressOf(PROXY, headers)).toBe('198.51.100.1 via proxy');
  });

  it.each([
    [['2001:db8::1'], '2001:db8:0:0:0:0:0:1 via proxy'],
    [['[2001:db8::1]'], '2001:db8:0:0:0:0:0:1 via proxy'],
    [['[2001:db8::1]:443'], '2001:db8:0:0:0:0:0:1 via proxy'],
    [['::ffff:198.51.100.1'], '198.51.100.1 via proxy'],
  ])('T21: may write IPv6 as in %j', (headers, address) => {
    expect(addressOf('fd00::5', headers)).toBe(address);
  });

  it.each([
    [[]],
    [['']],
    [['198.51.100.1,']],
    [['unknown']],
    [['fe80::1%eth0']],
    [['[::1']],
    [['198.51.100.1:99999999']],
    [['0xc6336401']],
    [['198.51.100.1\t198.51.100.2']],
    [['9'.repeat(10_000)]],
  ])('T21, S17: is refused when the entry on the right is no address: %j', (headers) => {
    expect(addressOf(PROXY, headers)).toBe('proxy');
  });
});

describe('a client behind several proxies', () => {
  it('T21, S17: is the entry that the outermost of them wrote', () => {
    const chain = ['203.0.113.66, 198.51.100.1, 10.0.0.2'];
    expect(addressOf(PROXY, chain, hops(2))).toBe('198.51.100.1 via proxy');
  });

  it('T21, S17: is refused when somebody unknown stands between them', () => {
    expect(addressOf(PROXY, ['198.51.100.1, 203.0.113.2'], hops(2))).toBe('proxy');
    expect(addressOf(PROXY, ['198.51.100.1'], hops(2))).toBe('proxy');
  });

  it('has the address of the proxy when none writes any', () => {
    expect(addressOf(PROXY, ['198.51.100.1'], hops(0))).toBe('10.0.0.1 via proxy');
  });
});

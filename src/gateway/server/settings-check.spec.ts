import { describe, expect, it } from '@jest/globals';
import { parseIpAddress, parseIpRange } from '../../runtime/ip-address.js';
import type { GatewaySettings } from '../settings.js';
import { badSetting } from './settings-check.js';

const CHECKS = {
  isAddress: (text: string) => parseIpAddress(text) !== undefined,
  isRange: (text: string) => parseIpRange(text) !== undefined,
};
const listener = (...addresses: string[]) => ({ port: 8443, addresses });
const right = {
  listeners: { public: listener('127.0.0.1'), internal: listener('::1'), health: listener() },
  trustedProxies: { cidrs: ['10.0.0.0/8', 'fd00::/8'], hops: 1, required: true },
  allowedOrigins: ['https://app.example.org', 'https://app.example.org:8443'],
  hosts: ['gw.example.org', '::1'],
  authentication: { secondFactors: { allowed: ['WebAuthn', 'Totp'], requiredFor: 'Nobody' } },
};
const bad = (change: object) =>
  // Only what the check looks at.
  badSetting({ ...right, ...change } as unknown as GatewaySettings, CHECKS);

describe('settings of a gateway', () => {
  it('are right as they are', () => {
    expect(bad({})).toBeUndefined();
  });

  it.each([
    ['an address', { listeners: { ...right.listeners, public: listener('eth0') } }, /eth0/],
    ['a range', { trustedProxies: { ...right.trustedProxies, cidrs: ['10.0.0.0/40'] } }, /cidrs/],
    ['an origin of plain HTTP', { allowedOrigins: ['http://app.example.org'] }, /allowedOrigins/],
    ['an origin with a path', { allowedOrigins: ['https://app.example.org/'] }, /allowedOrigins/],
    ['an origin with a wildcard', { allowedOrigins: ['https://*.example.org'] }, /allowedOrigins/],
    ['every origin', { allowedOrigins: ['*'] }, /allowedOrigins/],
    ['the origin null', { allowedOrigins: ['null'] }, /allowedOrigins/],
    ['a host in capitals', { hosts: ['GW.example.org'] }, /hosts/],
    ['no host', { hosts: [] }, /hosts is empty/],
    [
      'an ingress without proxies',
      { trustedProxies: { cidrs: [], hops: 0, required: true } },
      /nobody could connect/,
    ],
    [
      'hops without proxies',
      { trustedProxies: { cidrs: [], hops: 2, required: false } },
      /hops is 2/,
    ],
  ])('T20, T21: are refused with %s', (_, change, problem) => {
    expect(bad(change)?.problem).toMatch(problem);
  });
});

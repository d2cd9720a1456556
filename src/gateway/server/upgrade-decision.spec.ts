import { describe, expect, it } from '@jest/globals';
import {
  MAX_HEADERS,
  REFUSAL_STATUS,
  UPGRADE_REFUSALS,
  upgradeRefusal,
} from './upgrade-decision.js';

const HEADERS: readonly (readonly [string, string])[] = [
  ['Host', 'gw.example.org'],
  ['Connection', 'keep-alive, Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ['Sec-WebSocket-Protocol', 'sallyport.signaling.v1'],
];
const RULES = {
  path: '/signaling',
  protocol: 'sallyport.signaling.v1',
  hosts: ['gw.example.org', '::1'],
  origins: ['https://good.example', 'https://xn--bcher-kva.example'],
};
type Header = readonly [string, string];
const refusal = (
  { replace = [], add = [] }: { replace?: readonly Header[]; add?: readonly Header[] } = {},
  request: object = {},
) => {
  const gone = replace.map(([name]) => name);
  const headers = [...HEADERS.filter(([name]) => !gone.includes(name)), ...replace, ...add];
  const rawHeaders = headers.filter(([, value]) => value !== 'absent').flat();
  const all = { method: 'GET', target: '/signaling', httpVersion: '1.1', rawHeaders, ...request };
  return upgradeRefusal(all, RULES);
};

describe('a request for the one path with the one protocol', () => {
  it('becomes a WebSocket', () => {
    expect(refusal()).toBeUndefined();
  });

  it.each([
    '/',
    '/signaling/',
    '//signaling',
    '/./signaling',
    '/x/../signaling',
    '/%73ignaling',
    '/signaling%2e',
    '/SIGNALING',
    '/signaling?token=abc',
    '/signaling#x',
    '/signaling;a=b',
    '\\signaling',
    'https://gw.example.org/signaling',
    '*',
    'gw.example.org:443',
    '/metrics',
    '/livez',
    '/admin',
    '/relay-registry',
  ])('T32, T33: is not found at %s: targets are compared as they came', (target) => {
    expect(refusal({}, { target })).toBe('not-found');
  });

  it.each(['POST', 'HEAD', 'OPTIONS', 'PUT', 'get', 'CONNECT', 'TRACE'])(
    'T32: is refused with the method %s, override or not',
    (method) => {
      const add: readonly Header[] = [['X-HTTP-Method-Override', 'GET']];
      expect(refusal({ add }, { method })).toBe('method');
    },
  );

  it.each<Header>([
    ['Content-Length', '0'],
    ['Content-Length', '44'],
    ['Transfer-Encoding', 'chunked'],
    ['Transfer-Encoding', 'identity, chunked;x=y'],
    ['Expect', '100-continue'],
  ])('T33: is refused with a body: %s: %s', (name, value) => {
    expect(refusal({ add: [[name, value]] })).toBe('bad-request');
  });

  it('T33: is refused as HTTP/1.0 and with more headers than a browser sends', () => {
    expect(refusal({}, { httpVersion: '1.0' })).toBe('bad-request');
    const add = Array.from({ length: MAX_HEADERS }, (_, i) => [`X-${i}`, 'y'] as const);
    expect(refusal({ add })).toBe('bad-request');
  });
});

describe('the host of a request', () => {
  it.each(['gw.example.org', 'GW.example.org', 'gw.example.org:8443', '[::1]:8443', '[::1]'])(
    'may be %s',
    (host) => {
      expect(refusal({ replace: [['Host', host]] })).toBeUndefined();
    },
  );

  it.each([
    'absent',
    '',
    'evil.example',
    'gw.example.org.',
    'gw.example.org.evil.example',
    'gw.example.org@evil.example',
    'evil.example#gw.example.org',
    'gw.example.org:',
    'gw.example.org:abc',
    'gw.example.org, evil.example',
    'gw.example.org/../',
  ])('T33: may not be %j, which could poison what is made of it', (host) => {
    expect(refusal({ replace: [['Host', host]] })).toBe('host');
  });

  it('T33: may not be there twice', () => {
    expect(refusal({ add: [['host', 'gw.example.org']] })).toBe('host');
  });
});

describe('the origin of a request', () => {
  it('T20: may be absent: who sends none is no browser', () => {
    expect(refusal()).toBeUndefined();
  });

  it.each(RULES.origins)('T20: may be %s', (origin) => {
    expect(refusal({ add: [['Origin', origin]] })).toBeUndefined();
  });

  it.each([
    '',
    'null',
    'https://evil.example',
    'https://good.example.evil.example',
    'https://good.example:444',
    'https://good.example:443',
    'https://good.example.',
    'https://good.example/',
    'HTTPS://good.example',
    'https://GOOD.example',
    'http://good.example',
    'https://bücher.example',
    'https://good.example, https://good.example',
    'good.example',
    'file://',
    'chrome-extension://good.example',
  ])('T20: may not be %j', (origin) => {
    expect(refusal({ add: [['Origin', origin]] })).toBe('origin');
  });

  it('T20: may not be there twice, and a cookie opens nothing', () => {
    const good: Header = ['Origin', 'https://good.example'];
    expect(refusal({ add: [good, good] })).toBe('origin');
    const cookie: Header = ['Cookie', 'session=abc'];
    expect(refusal({ add: [['Origin', 'https://evil.example'], cookie] })).toBe('origin');
  });
});

describe('what is asked for', () => {
  it.each<Header>([
    ['Upgrade', 'h2c'],
    ['Upgrade', 'websocket, h2c'],
    ['Connection', 'close'],
    ['Connection', 'Upgraded'],
    ['Sec-WebSocket-Version', '8'],
    ['Sec-WebSocket-Version', 'absent'],
  ])('T33: is no upgrade with %s: %s', (name, value) => {
    expect(refusal({ replace: [[name, value]] })).toBe('no-upgrade');
  });

  it.each([
    'absent',
    'sallyport.signaling.v2',
    'sallyport.signaling.v1, other',
    ',',
    `a${' '.repeat(5_000)}b`,
  ])('T23: is another protocol: %j', (protocol) => {
    expect(refusal({ replace: [['Sec-WebSocket-Protocol', protocol]] })).toBe('protocol');
  });

  it.each(['absent', 'short', 'dGhlIHNhbXBsZSBub25jZQ', 'dGhlIHNhbXBsZSBub25jZQ==='])(
    'has no right key: %s',
    (key) => {
      expect(refusal({ replace: [['Sec-WebSocket-Key', key]] })).toBe('bad-request');
    },
  );
});

describe('reasons of refusals', () => {
  it('T35: are at most twelve and each has a status', () => {
    expect(UPGRADE_REFUSALS.length).toBeLessThanOrEqual(11);
    expect(Object.keys(REFUSAL_STATUS).sort()).toEqual([...UPGRADE_REFUSALS].sort());
  });
});

import { describe, expect, it } from '@jest/globals';
import { bytesOf } from '../../../test/identities.js';
import { toHex } from '../bytes.js';
import { loginSigningInput } from './login.js';

const challenge = bytesOf(0xc1);
const exporter = bytesOf(0xe7);
const host = 'gw.example.org';

describe('what a device signs to log in', () => {
  it('is the label, the host after its length, the challenge, 1 and the exporter', () => {
    expect(toHex(loginSigningInput({ host, challenge, exporter }))).toBe(
      [
        toHex(Buffer.from('sallyport login v1\0', 'latin1')),
        '000e',
        toHex(Buffer.from('gw.example.org')),
        'c1'.repeat(32),
        '01',
        'e7'.repeat(32),
      ].join(''),
    );
  });

  it('ends in 0 and 32 zeros without an exporter', () => {
    const input = loginSigningInput({ host, challenge, exporter: 'none' });
    expect(toHex(input.subarray(-33))).toBe('00'.repeat(33));
  });

  it('is the same for capitals in the host, and another for another host, challenge or exporter', () => {
    const input = (changes: object) =>
      toHex(loginSigningInput({ host, challenge, exporter, ...changes }));
    expect(input({ host: 'GW.Example.ORG' })).toBe(input({}));
    const others = [
      { host: 'gw.example.net' },
      { challenge: bytesOf(0xc2) },
      { exporter: bytesOf(0xe8) },
      { exporter: 'none' },
      { exporter: new Uint8Array(32) },
    ].map(input);
    expect(new Set([input({}), ...others]).size).toBe(6);
  });

  it.each(['localhost', '127.0.0.1', '::1', '2001:db8::7', 'a', 'xn--bcher-kva.example'])(
    'may name %s',
    (name) => {
      expect(() => loginSigningInput({ host: name, challenge, exporter })).not.toThrow();
    },
  );

  it.each([
    '',
    '.',
    'a.',
    '-a',
    'a b',
    'bücher.example',
    '[::1]',
    'a/b',
    'a\u0000',
    'a'.repeat(254),
  ])('never names %j', (name) => {
    expect(() => loginSigningInput({ host: name, challenge, exporter })).toThrow(RangeError);
  });

  it('never holds fields of another length', () => {
    const short = bytesOf(1, 31);
    expect(() => loginSigningInput({ host, challenge: short, exporter })).toThrow(RangeError);
    expect(() => loginSigningInput({ host, challenge, exporter: short })).toThrow(RangeError);
  });
});

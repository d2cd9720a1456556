import { describe, expect, it } from '@jest/globals';
import { textOfCandidate } from '../../client/contacts/local.addresses.js';
import { judgeClock } from './clock-offset.js';
import { judgeMtu, judgeNat } from './nat.js';
import { bindingRequest, seenIn } from './stun.js';

const hex = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex');
const TRANSACTION = hex('b7e7a701bc34d686fa87dfae');

describe('STUN', () => {
  it('asks with padding, in multiples of four', () => {
    expect(Buffer.from(bindingRequest(TRANSACTION, 28)).toString('hex')).toBe(
      '0001' + '0008' + '2112a442' + 'b7e7a701bc34d686fa87dfae' + '0026' + '0004' + '00000000',
    );
    expect(bindingRequest(TRANSACTION, 1_232)).toHaveLength(1_232);
    expect(() => bindingRequest(TRANSACTION, 30)).toThrow(RangeError);
  });

  it('reads the sample answers of RFC 5769, 2.2 and 2.3', () => {
    const four = hex(`0101003c 2112a442 b7e7a701bc34d686fa87dfae
      8022000b 7465737420766563746f7220
      00200008 0001a147 e112a643
      00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7
      80280004 c07d4c96`);
    const six = hex(`01010048 2112a442 b7e7a701bc34d686fa87dfae
      8022000b 7465737420766563746f7220
      00200014 0002a147 0113a9faa5d3f179bc25f4b5bed2b9d9
      00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
      80280004 c8fb0b4c`);
    const seen = [four, six].map((bytes) => seenIn(bytes, TRANSACTION)!);
    expect(seen.map((one) => [textOfCandidate(one), one.port])).toEqual([
      ['192.0.2.1', 32_853],
      ['2001:db8:1234:5678:11:2233:4455:6677', 32_853],
    ]);
  });

  it('takes no answer to something else, cut off, or of another kind', () => {
    const good = hex('0101000c 2112a442 b7e7a701bc34d686fa87dfae 00200008 0001a147 e112a643');
    expect(seenIn(good, TRANSACTION)).toBeDefined();
    expect(seenIn(good, hex('c7e7a701bc34d686fa87dfae'))).toBeUndefined();
    for (let length = 0; length < good.length; length++)
      expect(seenIn(good.subarray(0, length), TRANSACTION)).toBeUndefined();
    for (const at of [0, 1, 3, 4, 25]) {
      const bad = good.slice();
      bad[at]! ^= 4;
      expect(seenIn(bad, TRANSACTION)).toBeUndefined();
    }
  });
});

describe('the kind of NAT', () => {
  const at = (...seen: readonly (string | undefined)[]) =>
    judgeNat(
      seen.map((one, i) => ({ relay: `r${i}`, seen: one })),
      ['10.0.0.5 4000'],
    );

  it('is told from what two relays see of one socket', () => {
    expect(at('10.0.0.5 4000', '10.0.0.5 4000').detail).toContain('none');
    expect(at('192.0.2.1 61000', '192.0.2.1 61000').detail).toContain('endpoint-independent');
    expect(at('192.0.2.1 61000', '192.0.2.1 61001').detail).toContain('symmetric');
    expect(at('192.0.2.1 61000', undefined).outcome).toBe('unknown');
    expect(at(undefined, undefined)).toMatchObject({ outcome: 'warning' });
  });
});

describe('the way to a relay', () => {
  it('carries the longest datagram, a shorter one, or none', () => {
    expect(judgeMtu(1_232).outcome).toBe('ok');
    expect(judgeMtu(1_024).outcome).toBe('failed');
    expect(judgeMtu(undefined).outcome).toBe('unknown');
  });
});

describe('the clock of a gateway', () => {
  it('is judged by what the measurement cannot explain', () => {
    expect(judgeClock(400, 50).outcome).toBe('ok');
    expect(judgeClock(-9_000, 8_500).outcome).toBe('ok');
    expect(judgeClock(-9_000, 100)).toMatchObject({ outcome: 'warning' });
    expect(judgeClock(-9_000, 100).detail).toContain('9.0 s behind');
    expect(judgeClock(31_000, 100)).toMatchObject({ outcome: 'failed' });
  });
});

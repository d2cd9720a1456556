import { describe, expect, it } from '@jest/globals';
import { FALLBACK_KIND, FallbackWriter, readFallback } from './fallback-port.js';

describe('messages between packet worker and TLS thread', () => {
  it('are these bytes', () => {
    const writer = new FallbackWriter();
    writer.add(FALLBACK_KIND.frame, 0x01020304, Uint8Array.of(0xde, 0xad));
    writer.add(FALLBACK_KIND.close, 7, new Uint8Array(0));
    expect(Buffer.from(writer.take()!).toString('hex')).toBe(
      '0200000201020304dead' + '0300000000000007',
    );
    expect(writer.take()).toBeUndefined();
  });

  it('come back as they were written, however many', () => {
    const writer = new FallbackWriter();
    const bodies = Array.from({ length: 300 }, (_, i) => new Uint8Array(i * 5).fill(i));
    for (const [i, body] of bodies.entries()) writer.add(FALLBACK_KIND.frame, i + 1, body);
    const records = [...readFallback(writer.take()!)];
    expect(records.map(({ connection }) => connection)).toEqual(bodies.map((_, i) => i + 1));
    expect(records.map(({ body }) => Buffer.from(body))).toEqual(bodies.map((b) => Buffer.from(b)));
  });

  it('leave out a record that is cut off', () => {
    const writer = new FallbackWriter();
    writer.add(FALLBACK_KIND.frame, 1, new Uint8Array(10));
    const message = writer.take()!;
    for (let length = 0; length < message.byteLength; length++)
      expect([...readFallback(message.slice(0, length))]).toEqual([]);
  });

  it('hold no body longer than a length can tell', () => {
    expect(() => {
      new FallbackWriter().add(FALLBACK_KIND.frame, 1, new Uint8Array(65_536));
    }).toThrow(RangeError);
  });
});

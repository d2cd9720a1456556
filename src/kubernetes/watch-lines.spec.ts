import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BadWatchLine, LineSplitter, decodeWatchLine } from './watch-lines.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a stream of lines', () => {
  it('is the same however it is cut into chunks, in the middle of a character too', () => {
    const lines = fc.array(
      fc.string({ unit: 'grapheme' }).map((text) => `${text.replaceAll('\n', '')}é.`),
    );
    fc.assert(
      fc.property(
        lines,
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        (expected, sizes) => {
          const whole = bytes(expected.map((line) => `${line}\n`).join(''));
          const splitter = new LineSplitter();
          const found: string[] = [];
          for (let at = 0, i = 0; at < whole.length; i += 1) {
            const size = sizes[i % sizes.length] ?? 1;
            found.push(...splitter.push(whole.subarray(at, at + size)));
            at += size;
          }
          expect(found).toEqual(expected);
        },
      ),
    );
  });

  it('keeps back a line that has not ended, and skips empty ones', () => {
    const splitter = new LineSplitter();
    expect(splitter.push(bytes('a\n\n \nb'))).toEqual(['a']);
    expect(splitter.push(bytes('c\n'))).toEqual(['bc']);
  });

  it('refuses a line without end', () => {
    const splitter = new LineSplitter();
    const chunk = new Uint8Array(4 * 1024 * 1024).fill(0x20);
    expect(() => {
      for (let i = 0; i < 5; i += 1) splitter.push(chunk);
    }).toThrow(BadWatchLine);
  });
});

describe('a line of a watch', () => {
  const object = { kind: 'Secret', metadata: { name: 'a', uid: 'u', resourceVersion: '5' } };
  const line = (value: unknown): string => JSON.stringify(value);

  it('is an event with the whole object', () => {
    expect(decodeWatchLine(line({ type: 'ADDED', object: { ...object, odd: 1 } }))).toEqual({
      type: 'ADDED',
      object: { ...object, odd: 1 },
    });
  });

  it('is a bookmark, which may end the initial events', () => {
    const metadata = { resourceVersion: '9' };
    expect(decodeWatchLine(line({ type: 'BOOKMARK', object: { metadata } }))).toEqual({
      type: 'BOOKMARK',
      resourceVersion: '9',
      initialEventsEnd: false,
    });
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    expect(
      decodeWatchLine(
        line({ type: 'BOOKMARK', object: { metadata: { ...metadata, annotations } } }),
      ),
    ).toMatchObject({ initialEventsEnd: true });
  });

  it('is the error that the server reports in the stream', () => {
    const status = {
      kind: 'Status',
      code: 410,
      reason: 'Expired',
      message: 'too old resource version',
    };
    expect(() => decodeWatchLine(line({ type: 'ERROR', object: status }))).toThrow(
      expect.objectContaining({ kind: 'Gone', code: 410 }),
    );
  });

  it.each([
    ['no JSON', '{"type":"ADDED","object":{"da'],
    ['no object', '"ADDED"'],
    ['without an object', line({ type: 'ADDED' })],
    ['of unknown type', line({ type: 'RENAMED', object })],
    [
      'without a name',
      line({ type: 'ADDED', object: { metadata: { uid: 'u', resourceVersion: '1' } } }),
    ],
    [
      'without UID',
      line({ type: 'ADDED', object: { metadata: { name: 'a', resourceVersion: '1' } } }),
    ],
    ['without version', line({ type: 'DELETED', object: { metadata: { name: 'a', uid: 'u' } } })],
    ['a bookmark of nothing', line({ type: 'BOOKMARK', object: {} })],
  ])('is bad when it is %s', (_how, text) => {
    expect(() => decodeWatchLine(text)).toThrow(BadWatchLine);
  });

  it('S21: does not repeat the bytes of a bad line in its error: they may be of a Secret', () => {
    expect(() => decodeWatchLine('{"type":"ADDED","object":{"data":{"k":"canary')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('canary') }),
    );
  });
});

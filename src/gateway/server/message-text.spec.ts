import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readMessageText } from './message-text.js';

const refusalOf = (text: string): string | undefined => {
  const read = readMessageText(text);
  return 'refused' in read ? read.refused : undefined;
};

describe('a message as text', () => {
  it('T24: is read as it is written', () => {
    const text = ' {"a":[1,-2,0,9007199254740991,true,null,"x\\u00e9\\"\\\\"],"b":{"c":{}}} ';
    expect(readMessageText(text)).toEqual({ value: JSON.parse(text) as unknown });
  });

  it.each([
    ['no JSON', '{"a":}', 'not-json'],
    ['nothing', '', 'not-json'],
    ['two values', '{}{}', 'not-json'],
    ['a comment', '{}//', 'not-json'],
    ['NaN', '{"a":NaN}', 'not-json'],
    ['a byte order mark', '\ufeff{}', 'not-json'],
    ['nesting of 100,000', '['.repeat(100_000) + ']'.repeat(100_000), 'too-deep'],
    ['nesting of nine', '{"a":'.repeat(9) + '1' + '}'.repeat(9), 'too-deep'],
    ['a name twice', '{"a":1,"a":2}', 'repeated-name'],
    ['a name twice in other letters', '{"a":1,"\\u0061":2}', 'repeated-name'],
    ['a name twice, deep', '{"x":[{"a":{"b":1,"c":{},"b":2}}]}', 'repeated-name'],
    ['__proto__', '{"__proto__":{"administrator":true}}', 'forbidden-name'],
    ['__proto__ in other letters', '{"__pr\\u006fto__":1}', 'forbidden-name'],
    ['constructor.prototype', '{"constructor":{"prototype":1}}', 'forbidden-name'],
    ['1e999', '{"a":1e999}', 'number'],
    ['-0', '{"a":-0}', 'number'],
    ['a fraction', '{"a":1.0}', 'number'],
    ['a number beyond all', '{"a":123456789012345678}', 'number'],
    ['half a surrogate pair', '{"a":"\\ud800"}', 'surrogate'],
    ['half a surrogate pair as a name', '{"\\udc00":1}', 'surrogate'],
  ])('T24: is refused if it holds %s', (_, text, reason) => {
    expect(refusalOf(text)).toBe(reason);
  });

  it('T24: may use names of JavaScript as values', () => {
    expect(refusalOf('{"a":"__proto__","b":["constructor","a","a"]}')).toBeUndefined();
    expect(refusalOf('{"a":{"x":1},"b":{"x":1}}')).toBeUndefined();
  });

  it('T24: never throws, and gives what JSON.parse gives or nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.json({ maxDepth: 3 })), (text) => {
        const read = readMessageText(text);
        if ('value' in read) expect(read.value).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('T24: of 16 kB of quotes and escapes is read in one pass', () => {
    const text = JSON.stringify({ a: '\\"'.repeat(4_000) });
    expect(refusalOf(text)).toBeUndefined();
    expect(refusalOf(`[${'"a",'.repeat(4_000)}"b"]`)).toBeUndefined();
  });
});

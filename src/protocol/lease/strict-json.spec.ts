import { describe, expect, it } from '@jest/globals';
import { parseFlatObject } from './strict-json.js';

const parse = (text: string) => parseFlatObject(new TextEncoder().encode(text));

describe('strict JSON', () => {
  it('reads strings, whole numbers and booleans of one object', () => {
    expect(parse('{"a":"b","n":0,"m":9007199254740991,"t":true,"f":false}')).toEqual(
      new Map<string, unknown>([
        ['a', 'b'],
        ['n', 0],
        ['m', Number.MAX_SAFE_INTEGER],
        ['t', true],
        ['f', false],
      ]),
    );
    expect(parse('{}')).toEqual(new Map());
  });

  it.each([
    ['a name twice', '{"a":1,"a":1}', 'json-duplicate'],
    ['a name twice, far apart', '{"a":1,"b":2,"a":"x"}', 'json-duplicate'],
    ['an object inside', '{"a":{}}', 'json-nested'],
    ['a list inside', '{"a":[]}', 'json-nested'],
    ['deep nesting', `{"a":${'['.repeat(100_000)}`, 'json-nested'],
    ['a number above 2^53 - 1', '{"a":9007199254740992}', 'json-number'],
    ['2^64 - 1', '{"a":18446744073709551615}', 'json-number'],
    ['a thousand digits', `{"a":${'9'.repeat(1000)}}`, 'json-number'],
    ['a leading zero', '{"a":01}', 'json-number'],
    ['minus', '{"a":-1}', 'not-json'],
    ['minus zero', '{"a":-0}', 'not-json'],
    ['an exponent', '{"a":1e3}', 'not-json'],
    ['1e999', '{"a":1e999}', 'not-json'],
    ['a fraction', '{"a":1.0}', 'not-json'],
    ['null', '{"a":null}', 'not-json'],
    ['a blank', '{"a": 1}', 'not-json'],
    ['a blank in front', ' {"a":1}', 'not-json'],
    ['a line break behind', '{"a":1}\n', 'not-json'],
    ['an escape', '{"a":"\\u0061"}', 'not-json'],
    ['an escaped name', '{"\\u0061":1}', 'not-json'],
    ['a control character', '{"a":"\u0001"}', 'not-json'],
    ['a character beyond ASCII', '{"a":"\u00e9"}', 'not-json'],
    ['a byte order mark', '\ufeff{"a":1}', 'not-json'],
    ['a comma at the end', '{"a":1,}', 'not-json'],
    ['no comma', '{"a":1"b":2}', 'not-json'],
    ['no colon', '{"a"1}', 'not-json'],
    ['no value', '{"a":}', 'not-json'],
    ['no end', '{"a":1', 'not-json'],
    ['no end of a string', '{"a":"b', 'not-json'],
    ['two objects', '{"a":1}{"a":1}', 'not-json'],
    ['half a word', '{"a":tru}', 'not-json'],
    ['a list', '[]', 'not-json'],
    ['a string', '"a"', 'not-json'],
    ['nothing', '', 'not-json'],
  ])('T17: refuses %s', (_, text, refusal) => {
    expect(parse(text)).toBe(refusal);
  });

  it('T17: gives names that objects know no meaning', () => {
    const members = parse('{"__proto__":"x","constructor":1,"toString":true}');
    expect(members).toBeInstanceOf(Map);
    expect([...(members as Map<string, unknown>).keys()]).toEqual([
      '__proto__',
      'constructor',
      'toString',
    ]);
    expect(Object.prototype).not.toHaveProperty('x');
  });
});

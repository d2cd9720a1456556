import { describe, expect, it } from '@jest/globals';
import { judgePassphrase, passphraseBytes } from './passphrase.js';

const judge = (text: string) => judgePassphrase(Buffer.from(text));

describe('a passphrase for a new file', () => {
  it.each([
    'vivid otter quarrels gently 88',
    'Tr4umhafte Zugvögel!',
    'пять зелёных слонов',
    '7f0c1d9e8b2a4c6d',
  ])('S191: is taken: %s', (text) => {
    expect(judge(text)).toBeUndefined();
  });

  it.each([
    ['11 characters', 'otter88quar', 'passphrase-too-short'],
    ['1,025 characters', 'vivid otter'.repeat(94).slice(0, 1_025), 'passphrase-too-long'],
    ['four different characters', 'abcdabcdadbcbd', 'passphrase-predictable'],
    ['a row upwards', 'abcdefghijklmnop', 'passphrase-predictable'],
    ['a row downwards', 'zyxwvutsrqponm', 'passphrase-predictable'],
    ['digits in a row', '890123456789012', 'passphrase-predictable'],
    ['a piece of four repeated', 'qXz9qXz9qXz9q', 'passphrase-predictable'],
    ['a listed one', 'correcthorsebatterystaple', 'passphrase-breached'],
    ['listed ones with blanks', 'Correct Horse Battery Staple', 'passphrase-breached'],
    ['a listed one with digits and signs', '!!password123456', 'passphrase-breached'],
    ['a listed one with exchanges', 'P@$$w0rdP@$$w0rd', 'passphrase-breached'],
    ['listed ones in a row', 'MonkeyDragon2024', 'passphrase-breached'],
    ['the same in full-width letters', 'ＭｏｎｋｅｙＤｒａｇｏｎ2024', 'passphrase-breached'],
  ])('S191: is refused for %s', (_, text, refusal) => {
    expect(judge(text)).toBe(refusal);
  });

  it('S191: is refused when it is not UTF-8, and when it is endless', () => {
    expect(judgePassphrase(new Uint8Array(20).fill(0xff))).toBe('passphrase-not-unicode');
    expect(judgePassphrase(new Uint8Array(1 << 20).fill(0x61))).toBe('passphrase-too-long');
  });

  it('has the same bytes however a keyboard composes it', () => {
    expect(passphraseBytes(Buffer.from('Zugvo\u0308gel'))).toEqual(
      passphraseBytes(Buffer.from('Zugvögel')),
    );
  });
});

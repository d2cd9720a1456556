import { readFileSync } from 'node:fs';
import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { wordlist as simplifiedChinese } from '@scure/bip39/wordlists/simplified-chinese.js';
import { wordlist as traditionalChinese } from '@scure/bip39/wordlists/traditional-chinese.js';
import { wordlist as czech } from '@scure/bip39/wordlists/czech.js';
import { wordlist as english } from '@scure/bip39/wordlists/english.js';
import { wordlist as french } from '@scure/bip39/wordlists/french.js';
import { wordlist as italian } from '@scure/bip39/wordlists/italian.js';
import { wordlist as japanese } from '@scure/bip39/wordlists/japanese.js';
import { wordlist as korean } from '@scure/bip39/wordlists/korean.js';
import { wordlist as portuguese } from '@scure/bip39/wordlists/portuguese.js';
import { wordlist as spanish } from '@scure/bip39/wordlists/spanish.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import { aContext, bytesOf, hex } from '../../../test/identities.js';
import { toHex } from '../bytes.js';
import type { PhraseRefusal, WordList } from './phrase.js';
import { bip39Seed, identitySeed, phraseOf, readPhrase } from './phrase.js';

/** Entropy, phrase, seed with the passphrase TREZOR, and a BIP32 key that we do not use. */
type Vector = readonly [entropy: string, phrase: string, seed: string, xprv: string];
const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/bip39-trezor.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, readonly Vector[]>>;

const LISTS: Readonly<Record<string, WordList>> = {
  english,
  chinese_simplified: simplifiedChinese,
  chinese_traditional: traditionalChinese,
  czech,
  french,
  italian,
  japanese,
  korean,
  portuguese,
  spanish,
};

/** For languages whose list the library lacks: their words at the places that the vectors use, and fillers. */
function listFromVectors(given: readonly Vector[]): WordList {
  const list = Array.from({ length: 2_048 }, (_, i) => `filler${i}`);
  for (const [entropy, phrase] of given) {
    const words = phrase.normalize('NFKD').split(' ');
    phraseOf(hex(entropy))
      .split(' ')
      .forEach((word, i) => (list[english.indexOf(word)] = words[i]!));
  }
  return list;
}

const PHRASE = vectors['english']![2]![1];
const seedOf = (phrase: string, passphrase = '') => {
  const seed = bip39Seed({ phrase, passphrase });
  return typeof seed === 'string' ? seed : toHex(seed);
};

describe('a phrase', () => {
  it.each(Object.entries(vectors))(
    'T48: of each %s vector is made from its entropy, read back, and gives its seed',
    (language, given) => {
      const words = LISTS[language] ?? listFromVectors(given);
      for (const [entropy, phrase, seed] of given) {
        const made = phraseOf(hex(entropy), words);
        expect(made.normalize('NFKD')).toBe(phrase.normalize('NFKD'));
        expect(toHex(bip39Seed({ phrase, passphrase: 'TREZOR', words }) as Uint8Array)).toBe(seed);
      }
    },
    60_000,
  );

  it.each([
    [12, 16],
    [15, 20],
    [18, 24],
    [21, 28],
    [24, 32],
  ])('T48: of %i words is accepted', (count, entropyBytes) => {
    const phrase = phraseOf(bytesOf(0x5a, entropyBytes));
    expect(readPhrase(phrase)).toEqual({ words: phrase.split(' ') });
    expect(phrase.split(' ')).toHaveLength(count);
  });

  it.each([
    ['spaces around and between', `  ${PHRASE.replaceAll(' ', '   ')} `],
    ['lines and tabs', `\t${PHRASE.replaceAll(' ', '\r\n')}\n`],
    ['ideographic and no-break spaces', PHRASE.replace(' ', '\u3000').replace(' ', '\u00a0')],
    ['capitals', PHRASE.toUpperCase()],
    ['full-width letters, which NFKD makes plain', PHRASE.replace(/^l/, '\uff4c')],
  ])('T48: with %s is the same phrase', (_, typed) => {
    expect(typed).not.toBe(PHRASE);
    expect(seedOf(typed)).toBe(seedOf(PHRASE));
  });

  it('T48: is the same in NFC and in NFKD', () => {
    const phrase = vectors['spanish']![0]![1];
    expect(phrase.normalize('NFC')).not.toBe(phrase.normalize('NFKD'));
    for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'])
      expect(readPhrase(phrase.normalize(form), spanish)).toEqual({
        words: phrase.normalize('NFKD').split(' '),
      });
  });

  it('T48: gives another seed with another passphrase, of which every character counts', () => {
    const passphrases = ['', ' ', 'TREZOR', 'trezor', 'TREZOR ', 'TRE ZOR'];
    expect(new Set(passphrases.map((text) => seedOf(PHRASE, text))).size).toBe(6);
    expect(seedOf(PHRASE, 'caf\u00e9')).toBe(seedOf(PHRASE, 'cafe\u0301'));
  });
});

describe('a text that is no phrase', () => {
  const words = PHRASE.split(' ');
  const refusals: readonly (readonly [string, string, PhraseRefusal])[] = [
    ['is empty', '', 'phrase-word-count'],
    ['has 11 words', words.slice(1).join(' '), 'phrase-word-count'],
    ['has 13 words', `${PHRASE} above`, 'phrase-word-count'],
    ['has 27 words', 'abandon '.repeat(27), 'phrase-word-count'],
    ['has a strange word', PHRASE.replace('letter', 'lettre'), 'phrase-unknown-word'],
    ['has a word cut to four letters', PHRASE.replace('letter', 'lett'), 'phrase-unknown-word'],
    ['has a zero-width space', PHRASE.replace('letter', 'let\u200bter'), 'phrase-unknown-word'],
    ['has commas', words.join(', '), 'phrase-unknown-word'],
    ['is in another language', vectors['spanish']![0]![1], 'phrase-unknown-word'],
    ['has a wrong checksum', PHRASE.replace(/above$/, 'advice'), 'phrase-checksum'],
    [
      'has two words exchanged',
      [words[1], words[0], ...words.slice(2)].join(' '),
      'phrase-checksum',
    ],
    ['holds half a surrogate pair', `${PHRASE}\ud800`, 'phrase-not-unicode'],
    ['is endless', 'zoo '.repeat(1_000_000), 'phrase-too-long'],
  ];

  it.each(refusals)('T48: is refused when it %s', (_, typed, refusal) => {
    const out = bytesOf(0xee);
    expect(identitySeed(aContext(), { phrase: typed, passphrase: '' }, out)).toBe(refusal);
    expect(out).toEqual(bytesOf(0xee));
  });

  it.each(refusals)('T48: is nowhere in the answer when it %s', (_, typed) => {
    const answer = String(identitySeed(aContext(), { phrase: typed, passphrase: '' }, bytesOf(0)));
    const typedWords = typed.split(/[\s,]+/).filter((word) => word.length > 2);
    expect(typedWords.filter((word) => answer.includes(word))).toEqual([]);
  });

  it('T48: is refused for its passphrase when that is endless or no Unicode', () => {
    const of = (passphrase: string) => bip39Seed({ phrase: PHRASE, passphrase });
    expect(of('x'.repeat(1_025))).toBe('passphrase-too-long');
    expect(of('\udc00')).toBe('passphrase-not-unicode');
  });
});

describe('the identity seed of a phrase', () => {
  it('is HKDF-SHA-256 of the BIP39 seed under its label', () => {
    const out = new Uint8Array(32);
    expect(identitySeed(aContext(), { phrase: PHRASE, passphrase: 'TREZOR' }, out)).toBeUndefined();
    const seed = hex(vectors['english']![2]![2]);
    const okm = hkdfSync('sha256', seed, 'sallyport identity v1', '', 32);
    expect(out).toEqual(new Uint8Array(okm));
    expect(toHex(nodeBackend.ed25519PublicKey(out))).toBe(
      '0429cb6d0c72f792a5513ff56fa235a0752fd8b31e5fcf2b318418fa5ea9614d',
    );
  });

  it('has 32 bytes and no other number', () => {
    const into = (length: number) => () =>
      identitySeed(aContext(), { phrase: PHRASE, passphrase: '' }, new Uint8Array(length));
    expect(into(31)).toThrow(RangeError);
    expect(into(64)).toThrow(RangeError);
  });
});

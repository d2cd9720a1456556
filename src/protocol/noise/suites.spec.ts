import { describe, expect, it } from '@jest/globals';
import { aHandshake } from '../../../test/vectors/a-handshake.js';
import { patternNamed, type PatternName } from './patterns.js';
import { SUITE, suiteNamed, SUITES, type SuiteName } from './suites.js';

const NOT_SUITES = [
  '',
  'none',
  'NULL',
  'null',
  'plaintext',
  'ChaChaPoly',
  'ChaChaPoly_none',
  'none_BLAKE2s',
  'NULL_SHA256',
  'chachapoly_blake2s',
  'ChaChaPoly_BLAKE2s ',
  'ChaChaPoly_BLAKE2s_none',
  'XChaChaPoly_BLAKE2s',
  '__proto__',
  'constructor',
  'toString',
];

describe('the suites of Noise', () => {
  it('have one that the product runs on, and each has a cipher', () => {
    expect(SUITE).toBe('ChaChaPoly_BLAKE2s');
    expect(suiteNamed(SUITE)).toEqual({ aead: 'ChaChaPoly', hash: 'BLAKE2s', hashBytes: 32 });
    for (const { aead } of Object.values(SUITES)) expect(['ChaChaPoly', 'AESGCM']).toContain(aead);
  });

  it.each(NOT_SUITES)('S210: have none called "%s": a handshake with it cannot be made', (name) => {
    const code = expect.objectContaining({ code: 'ERR_NOISE_UNKNOWN_SUITE' });
    expect(() => suiteNamed(name)).toThrow(code);
    expect(() => aHandshake(true, { suite: name as SuiteName })).toThrow(code);
  });
});

describe('the patterns of Noise', () => {
  it.each(['', 'NN', 'N', 'xx', 'XXpsk3', '__proto__', 'toString'])(
    'have none called "%s"',
    (name) => {
      const code = expect.objectContaining({ code: 'ERR_NOISE_UNKNOWN_PATTERN' });
      expect(() => patternNamed(name)).toThrow(code);
      expect(() => aHandshake(true, { pattern: name as PatternName })).toThrow(code);
    },
  );

  it('prove both sides: XX and X each send the initiator’s static key sealed', () => {
    expect(patternNamed('XX').messages).toEqual([['e'], ['e', 'ee', 's', 'es'], ['s', 'se']]);
    expect(patternNamed('X').messages).toEqual([['e', 'es', 's', 'ss']]);
  });
});

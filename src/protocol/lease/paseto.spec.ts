import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { publicKeyOf, signWith, verifyWith } from '../../../test/lease-builders.js';
import { ascii, concat, fromHex, toHex } from '../bytes.js';
import { fromBase64urlText, toBase64url } from './base64url.js';
import { pae, parsePaseto, signPaseto, verifyPaseto, type PasetoRefusal } from './paseto.js';

interface Vector {
  readonly name: string;
  readonly 'expect-fail': boolean;
  readonly 'public-key'?: string;
  readonly 'secret-key-seed'?: string;
  readonly token: string;
  readonly payload: string | null;
  readonly footer: string;
  readonly 'implicit-assertion': string;
}

const { tests } = JSON.parse(readFileSync('test/vectors/paseto-v4.json', 'utf8')) as {
  readonly tests: readonly Vector[];
};
const VECTOR_KEY = fromHex('1eb9dbbbbc047c03fd70604e0071f0987e16b28b757225c11f00415d0e20b1a2');
const MAX = 4096;
const bytes = (text: string) => new TextEncoder().encode(text);

function open(
  token: string,
  assertion: string,
  publicKey = VECTOR_KEY,
): { payload: string; footer: string } | PasetoRefusal {
  const parts = parsePaseto(bytes(token), MAX);
  if (typeof parts === 'string') return parts;
  const refusal = verifyPaseto(parts, bytes(assertion), publicKey, verifyWith);
  const text = (part: Uint8Array) => new TextDecoder().decode(part);
  return refusal ?? { payload: text(parts.payload), footer: text(parts.footer) };
}

describe('the published vectors of PASETO v4', () => {
  const named = (start: string) =>
    tests.filter(({ name }) => name.startsWith(start)).map((test) => [test.name, test] as const);

  it('are all here', () => {
    expect([named('4-S-').length, named('4-F-').length, named('4-E-').length]).toEqual([3, 5, 9]);
  });

  it.each(named('4-S-'))('%s is signed to the byte and verifies', (_, vector) => {
    const { payload, footer, 'implicit-assertion': assertion } = vector;
    const content = {
      payload: bytes(payload!),
      footer: bytes(footer),
      assertion: bytes(assertion),
    };
    expect(signPaseto(content, fromHex(vector['secret-key-seed']!), signWith)).toBe(vector.token);
    expect(open(vector.token, assertion, fromHex(vector['public-key']!))).toEqual({
      payload,
      footer,
    });
  });

  it.each(named('4-F-'))('T17: %s fails', (_, vector) => {
    const publicKey = vector['public-key'];
    const result = open(
      vector.token,
      vector['implicit-assertion'],
      publicKey === undefined ? VECTOR_KEY : fromHex(publicKey),
    );
    const expected = vector.token.startsWith('v4.public.') ? 'bad-signature' : 'not-v4-public';
    expect(vector['expect-fail']).toBe(true);
    expect(result).toBe(expected);
  });

  it.each(named('4-E-'))(
    'T17: %s, which is encrypted, is never taken for a signed one',
    (_, { token }) => {
      expect(open(token, '')).toBe('not-v4-public');
    },
  );
});

describe('PAE', () => {
  it('counts pieces and lengths in eight bytes, little-endian', () => {
    expect(toHex(pae([]))).toBe('0000000000000000');
    expect(toHex(pae([ascii('')]))).toBe('01000000000000000000000000000000');
    expect(toHex(pae([ascii('test')]))).toBe('0100000000000000040000000000000074657374');
  });

  it('differs when bytes move from one piece to the next', () => {
    expect(pae([ascii('ab'), ascii('c')])).not.toEqual(pae([ascii('a'), ascii('bc')]));
  });
});

describe('a PASETO v4.public in the hands of an attacker', () => {
  const seed = new Uint8Array(32).fill(7);
  const key = publicKeyOf(seed);
  const content = {
    payload: ascii('{"a":1}'),
    footer: ascii('foot'),
    assertion: ascii('purpose/1'),
  };
  const token = signPaseto(content, seed, signWith);
  const [, , body, footer] = token.split('.') as [string, string, string, string];

  it('verifies as it was signed', () => {
    expect(open(token, 'purpose/1', key)).toEqual({ payload: '{"a":1}', footer: 'foot' });
  });

  it.each([
    'v1.public.',
    'v2.public.',
    'v3.public.',
    'v4.local.',
    'V4.public.',
    'v4.Public.',
    'v4.',
    '',
  ])('T17: is refused under the header "%s"', (header) => {
    expect(open(`${header}${body}.${footer}`, 'purpose/1', key)).toBe('not-v4-public');
  });

  it('T17: is refused with another footer, without one, and with one that it never had', () => {
    const other = signPaseto({ ...content, footer: ascii('tool') }, seed, signWith).split('.')[3]!;
    const bare = signPaseto({ ...content, footer: new Uint8Array(0) }, seed, signWith);
    expect(open(`v4.public.${body}.${other}`, 'purpose/1', key)).toBe('bad-signature');
    expect(open(`v4.public.${body}`, 'purpose/1', key)).toBe('bad-signature');
    expect(open(`${bare}.${footer}`, 'purpose/1', key)).toBe('bad-signature');
  });

  it('T17: is refused for another purpose than it was signed for', () => {
    for (const assertion of ['', 'purpose/2', 'purpose/1 ', 'Purpose/1'])
      expect(open(token, assertion, key)).toBe('bad-signature');
  });

  it('T17: is refused with padding or characters outside of the alphabet', () => {
    for (const bad of ['=', '==', '+', '/', ' ', '\n', '\0', '\u00e9'])
      for (const text of [`v4.public.${body}${bad}.${footer}`, `v4.public.${body}.${footer}${bad}`])
        expect(open(text, 'purpose/1', key)).toBe('not-base64url');
  });

  it('T17: is refused with other parts than two to four', () => {
    for (const text of [`${token}.`, `${token}.x`, `v4.public.${body}.`, `v4.public.${body}..`])
      expect(open(text, 'purpose/1', key)).toBe('wrong-parts');
    expect(open('v4.public.', 'purpose/1', key)).toBe('token-too-short');
    expect(open(`v4.public..${footer}`, 'purpose/1', key)).toBe('token-too-short');
  });

  it('T17: is refused in every text that is not the canonical one of its bytes', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (const part of [body, footer]) {
      const others = alphabet.split('').filter((last) => last !== part.at(-1));
      const same = others.filter((last) => fromBase64urlText(part.slice(0, -1) + last));
      for (const last of same)
        expect(toBase64url(fromBase64urlText(part.slice(0, -1) + last)!)).toBe(
          part.slice(0, -1) + last,
        );
      for (const last of others) {
        const text = token.replace(part, part.slice(0, -1) + last);
        expect(['not-base64url', 'bad-signature']).toContain(open(text, 'purpose/1', key));
      }
    }
  });

  it('T17: is refused with any bit of its body or footer flipped', () => {
    const parts = [fromBase64urlText(body)!, fromBase64urlText(footer)!] as const;
    parts.forEach((part, which) => {
      for (let bit = 0; bit < part.length * 8; bit++) {
        const bad = part.slice();
        bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const text = which === 0 ? `${toBase64url(bad)}.${footer}` : `${body}.${toBase64url(bad)}`;
        expect(open(`v4.public.${text}`, 'purpose/1', key)).toBe('bad-signature');
      }
    });
  });

  it('T17: is refused under a key of small order or in a form that is not canonical, whatever the verifier says', () => {
    const parts = parsePaseto(ascii(token), MAX);
    if (typeof parts === 'string') throw new Error(parts);
    const weak = [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      `01${'00'.repeat(30)}80`,
      `ec${'ff'.repeat(30)}7f`,
      `ed${'ff'.repeat(30)}7f`,
      `ee${'ff'.repeat(30)}7f`,
      'ff'.repeat(32),
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    ].map(fromHex);
    for (const each of weak)
      expect(verifyPaseto(parts, ascii('purpose/1'), each, () => true)).toBe('weak-key');
  });

  it('T17: is refused with a signature whose S is written a second way', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const signed = fromBase64urlText(body)!;
    const s = BigInt(`0x${toHex(signed.slice(-32).reverse())}`) + order;
    const second = fromHex(s.toString(16).padStart(64, '0')).reverse();
    const forged = toBase64url(concat([signed.subarray(0, -32), second]));
    const parts = parsePaseto(ascii(`v4.public.${forged}.${footer}`), MAX);
    if (typeof parts === 'string') throw new Error(parts);
    expect(verifyPaseto(parts, ascii('purpose/1'), key, () => true)).toBe('bad-signature');
  });

  it('T17: is refused by its length before anything is read, 1 MB as well as one byte too much', () => {
    const huge = bytes(`v4.public.${'A'.repeat(1_000_000)}`);
    expect(parsePaseto(huge, MAX)).toBe('token-too-long');
    expect(parsePaseto(bytes(token), token.length - 1)).toBe('token-too-long');
    expect(parsePaseto(bytes(token), token.length)).toMatchObject({ footer: ascii('foot') });
  });
});

describe('base64url', () => {
  it.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('writes "%s" as "%s" and reads it back (RFC 4648, section 10)', (plain, text) => {
    expect(toBase64url(ascii(plain))).toBe(text);
    expect(fromBase64urlText(text)).toEqual(ascii(plain));
  });

  it('uses - and _ and agrees with another implementation on all bytes', () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => 255 - i);
    expect(toBase64url(all)).toBe(Buffer.from(all).toString('base64url'));
    expect(fromBase64urlText(toBase64url(all))).toEqual(all);
  });

  it.each(['A', 'AAAAA', 'Zh', 'Zm9', 'AA==', 'A A', 'A\u0141'])('refuses "%s"', (text) => {
    expect(fromBase64urlText(text)).toBeUndefined();
  });
});

import { describe, expect, it } from '@jest/globals';
import { fuzzDecoder } from '../../../test/fuzz/fuzz.js';
import {
  aLeaseKey,
  ISSUED,
  signWith,
  someClaims,
  verifyWith,
} from '../../../test/lease-builders.js';
import { ascii } from '../bytes.js';
import { toBase64url } from './base64url.js';
import { CLAIMS_REFUSALS } from './claims.js';
import { readFooter } from './footer.js';
import { issueLease, MAX_LEASE_TOKEN_BYTES, openLease, refusedReasonFor } from './lease.js';
import { PASETO_REFUSALS, signPaseto } from './paseto.js';
import { TOKEN_REFUSALS } from './signed-claims.js';

const KEY = aLeaseKey(1);
const OTHER = aLeaseKey(2);
const KEYS = new Map([KEY, OTHER].map((key) => [key.kid, key]));
const open = (token: string | Uint8Array) =>
  openLease(
    typeof token === 'string' ? new TextEncoder().encode(token) : token,
    (kid) => KEYS.get(kid),
    verifyWith,
  );

/** A token whose signature is good, over whatever payload. */
const signed = (
  payload: string,
  { footer = `{"kid":"${KEY.kid}"}`, assertion = 'sallyport/lease/1' } = {},
) =>
  signPaseto(
    {
      payload: new TextEncoder().encode(payload),
      footer: new TextEncoder().encode(footer),
      assertion: ascii(assertion),
    },
    KEY.seed,
    signWith,
  );
const claimsJson = (over: object = {}) => JSON.stringify({ ...someClaims(), ...over });

describe('a lease in the hands of an attacker', () => {
  it('T17: signed for another purpose is refused', () => {
    for (const assertion of ['', 'sallyport/grant/1', 'sallyport/lease/2', 'sallyport/lease/1\0'])
      expect(open(signed(claimsJson(), { assertion }))).toBe('bad-signature');
  });

  it('T17: under the id of another known key is refused, and under an unknown one', () => {
    expect(open(signed(claimsJson(), { footer: `{"kid":"${OTHER.kid}"}` }))).toBe('bad-signature');
    const unknown = toBase64url(new Uint8Array(16));
    expect(open(signed(claimsJson(), { footer: `{"kid":"${unknown}"}` }))).toBe('unknown-key');
  });

  it.each([
    '',
    '{}',
    '{"kid":""}',
    '{"kid":"short"}',
    '{"kid":1}',
    `{"kid":"${KEY.kid}","kid":"${KEY.kid}"}`,
    `{"kid":"${KEY.kid}","a":1}`,
    `{"kid": "${KEY.kid}"}`,
    `{"Kid":"${KEY.kid}"}`,
    `{"kid":"${KEY.kid}"} `,
    `{"__proto__":"${KEY.kid}"}`,
    KEY.kid,
  ])('T17: with the footer %j is refused, though its signature is good', (footer) => {
    expect(open(signed(claimsJson(), { footer }))).toBe('bad-footer');
    expect(readFooter(new TextEncoder().encode(footer))).toBeUndefined();
  });

  it.each([
    ['a claim twice', claimsJson().replace('"v":1,', '"v":1,"v":1,'), 'json-duplicate'],
    ['its end twice', claimsJson().replace('}', `,"exp":${ISSUED + 3600}}`), 'json-duplicate'],
    ['__proto__', claimsJson().replace('{', '{"__proto__":"x",'), 'unknown-claim'],
    ['constructor', claimsJson().replace('{', '{"constructor":1,'), 'unknown-claim'],
    ['an unknown claim', claimsJson({ aud: 'x' }), 'unknown-claim'],
    [
      '__proto__ in place of a claim',
      claimsJson().replace('"jti"', '"__proto__"'),
      'missing-claim',
    ],
    ['a missing claim', claimsJson({ cpk: undefined }), 'missing-claim'],
    ['no claims', '{}', 'missing-claim'],
    ['an object in a claim', claimsJson({ sid: {} }), 'json-nested'],
    ['a list in a claim', claimsJson({ role: ['client'] }), 'json-nested'],
    ['deep nesting', claimsJson().replace('"client"', '['.repeat(300)), 'json-nested'],
    ['an escape', claimsJson().replace('client', 'clien\\u0074'), 'not-json'],
    ['a null', claimsJson({ nbf: null }), 'not-json'],
    [
      'a number beyond 2^53',
      claimsJson().replace(/"exp":\d+/, '"exp":9007199254740993'),
      'json-number',
    ],
    ['too much of it', claimsJson({ profile: 'P'.repeat(500) }), 'token-too-long'],
  ])('T17: with %s is refused, though its signature is good', (_, payload, refusal) => {
    expect(open(signed(payload))).toBe(refusal);
  });

  it.each([
    ['version 0', { v: 0 }],
    ['version 2', { v: 2 }],
    ['version "1"', { v: '1' }],
    ['version true', { v: true }],
    ['an id with padding', { jti: `${'A'.repeat(22)}==` }],
    ['an id that is not canonical', { jti: `${'A'.repeat(21)}B` }],
    ['a session of 15 bytes', { sid: toBase64url(new Uint8Array(15)) }],
    ['a role of another case', { role: 'Client' }],
    ['a role as a number', { role: 0 }],
    ['a key of 31 bytes', { cpk: toBase64url(new Uint8Array(31).fill(1)) }],
    ['a key of small order', { cpk: toBase64url(Uint8Array.of(1, ...new Uint8Array(31))) }],
    ['a key that is not canonical', { cpk: toBase64url(new Uint8Array(32).fill(0xff)) }],
    ['an empty profile', { profile: '' }],
    ['a relay id that climbs', { rid: '../pool/0' }],
    ['a relay id of two parts', { rid: 'chat/0' }],
    ['an upper-case relay id', { rid: 'Chat/pool/0' }],
    ['limits of zero', { slimit: 0 }],
    ['limits above 32 bits', { hlimit: 2 ** 32 }],
  ])('T17: with %s is refused, though its signature is good', (_, over) => {
    expect(open(signed(claimsJson(over)))).toBe('bad-claim');
  });

  it.each([
    '2026-01-01T00:10:00Z',
    '2026-01-01T00:10:00+00:00',
    '2026-01-01T02:10:00+02:00',
    '2026-01-01t00:10:00z',
    '2026-01-01T00:10:00.123456789Z',
    '2026-06-30T23:59:60Z',
    '1767226200',
    0,
    true,
    253_402_300_800,
  ])('T16: that ends at %j, which is not a number of seconds, is refused', (exp) => {
    for (const claim of ['exp', 'iat', 'nbf'])
      expect(open(signed(claimsJson({ [claim]: exp })))).toBe('bad-claim');
  });

  it.each([
    ['an end at its issue', { exp: ISSUED }],
    ['a beginning at its end', { nbf: ISSUED + 600 }],
    ['an hour and a second', { exp: ISSUED + 3601 }],
    ['a soft limit above the hard one', { slimit: 11, hlimit: 10 }],
  ])('T16: with %s is refused, though its signature is good', (_, over) => {
    expect(open(signed(claimsJson(over)))).toBe('bad-order');
  });

  it('T17: of 1 MB or one byte too much is refused before it is read', () => {
    expect(open(`v4.public.${'A'.repeat(1_000_000)}`)).toBe('token-too-long');
    expect(open(`v4.public.${'A'.repeat(MAX_LEASE_TOKEN_BYTES - 9)}`)).toBe('token-too-long');
  });

  it('T10: fuzzed: nothing throws, every refusal is in the list, counts add up', () => {
    const corpus = [
      issueLease(someClaims(), KEY, signWith),
      issueLease(someClaims({ role: 'server' }), OTHER, signWith),
      signed(claimsJson({ aud: 'x' })),
      signed(claimsJson().replace('"v":1,', '"v":1,"v":1,')),
    ].map(ascii);
    const counts = fuzzDecoder({
      decode: open,
      refusals: TOKEN_REFUSALS,
      corpus,
      runs: 4_000,
      seed: 3,
    });
    expect(counts.accepted).toBeGreaterThan(100);
    expect(counts.refused.get('bad-signature')).toBeGreaterThan(100);
  });

  it('T10: its claims fuzzed behind a good signature: nothing throws, no strange claims get in', () => {
    const refusals = [...TOKEN_REFUSALS];
    const readPayload = (payload: Uint8Array) =>
      openLease(
        ascii(
          signPaseto(
            {
              payload,
              footer: ascii(`{"kid":"${KEY.kid}"}`),
              assertion: ascii('sallyport/lease/1'),
            },
            KEY.seed,
            () => new Uint8Array(64),
          ),
        ),
        (kid) => KEYS.get(kid),
        () => true,
      );
    const counts = fuzzDecoder({
      decode: (payload) => {
        const opened = readPayload(payload);
        if (typeof opened !== 'string')
          expect(Object.keys(opened.claims).sort()).toEqual(Object.keys(someClaims()).sort());
        return opened;
      },
      refusals,
      corpus: [
        claimsJson(),
        claimsJson({ aud: 'x' }),
        claimsJson({ cpk: undefined }),
        claimsJson({ slimit: Number.MAX_SAFE_INTEGER + 1 }),
      ].map(ascii),
      runs: 4_000,
      seed: 5,
      maxBytes: 700,
    });
    for (const refusal of [
      'not-json',
      'json-number',
      'unknown-claim',
      'missing-claim',
      'bad-claim',
    ])
      expect(counts.refused.get(refusal)).toBeGreaterThan(0);
  });
});

describe('what a relay answers to a text that is no lease', () => {
  it('is one of three reasons for every refusal', () => {
    const answers = new Map(TOKEN_REFUSALS.map((refusal) => [refusal, refusedReasonFor(refusal)]));
    expect(answers.get('unknown-key')).toBe('unknown-key');
    expect(answers.get('bad-signature')).toBe('invalid-signature');
    expect(new Set(answers.values())).toEqual(
      new Set(['unknown-key', 'invalid-signature', 'malformed-lease']),
    );
    expect(TOKEN_REFUSALS).toEqual(
      expect.arrayContaining([...PASETO_REFUSALS, ...CLAIMS_REFUSALS]),
    );
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  aLeaseKey,
  ISSUED,
  signWith,
  someClaims,
  verifyWith,
} from '../../../test/lease-builders.js';
import { ascii } from '../bytes.js';
import { toBase64url } from './base64url.js';
import {
  issueLease,
  MAX_LEASE_TOKEN_BYTES,
  MAX_RELAY_ID_LENGTH,
  openLease,
  type LeaseClaims,
} from './lease.js';
import { signPaseto } from './paseto.js';

const KEY = aLeaseKey();
const open = (token: string) =>
  openLease(ascii(token), (kid) => (kid === KEY.kid ? KEY : undefined), verifyWith);

describe('a lease', () => {
  it('is read as it was issued, with the key that signed it', () => {
    const token = issueLease(someClaims(), KEY, signWith);
    expect(open(token)).toEqual({ claims: someClaims(), kid: KEY.kid, key: KEY });
  });

  it('has the same text from the same claims, in the order of the wire formats', () => {
    const token = issueLease(someClaims(), KEY, signWith);
    const content = {
      payload: ascii(JSON.stringify(someClaims())),
      footer: ascii(`{"kid":"${KEY.kid}"}`),
      assertion: ascii('sallyport/lease/1'),
    };
    expect(token).toBe(signPaseto(content, KEY.seed, signWith));
    expect(Object.keys(someClaims()).join(', ')).toBe(
      'v, jti, sid, rid, role, cpk, profile, iat, nbf, exp, slimit, hlimit',
    );
    expect(token.split('.')[3]).toBe(Buffer.from(`{"kid":"${KEY.kid}"}`).toString('base64url'));
  });

  it('fits a PROVE with the longest claims that are allowed', () => {
    const label = 'n'.repeat(63);
    const claims = someClaims({
      rid: `${label}/${'p'.repeat(253)}/99999`,
      profile: 'P'.repeat(32),
      iat: 253_402_300_000,
      nbf: 253_402_300_000,
      exp: 253_402_300_600,
      slimit: 0xffff_ffff,
      hlimit: 0xffff_ffff,
    });
    expect(claims.rid.length).toBe(MAX_RELAY_ID_LENGTH);
    const token = issueLease(claims, KEY, signWith);
    expect(token.length).toBeLessThanOrEqual(MAX_LEASE_TOKEN_BYTES);
    expect(open(token)).toMatchObject({ claims });
  });

  it.each<[string, Partial<LeaseClaims>]>([
    ['an id of 15 bytes', { jti: toBase64url(new Uint8Array(15)) }],
    ['a key of small order', { cpk: toBase64url(new Uint8Array(32)) }],
    ['a relay id with a space', { rid: 'chat/my pool/0' }],
    ['an ordinal with a leading zero', { rid: 'chat/pool/00' }],
    ['a lifetime above an hour', { exp: ISSUED + 3601 }],
    ['an end before its beginning', { exp: ISSUED }],
    ['a soft limit above the hard one', { slimit: 2, hlimit: 1 }],
    ['half a second', { iat: ISSUED + 0.5 }],
  ])('is not issued with %s', (_, over) => {
    expect(() => issueLease(someClaims(over), KEY, signWith)).toThrow(RangeError);
  });

  it('is not issued with a claim that is not ours', () => {
    const claims = { ...someClaims(), device: 'x' };
    expect(() => issueLease(claims, KEY, signWith)).toThrow(RangeError);
  });
});

describe('the folder of leases', () => {
  it('imports bytes, keys and the relay’s names, nothing that can seal, open or sign', () => {
    const files = readdirSync(import.meta.dirname).filter((name) => !name.includes('.spec.'));
    const imports = files.flatMap((name) =>
      [...readFileSync(`${import.meta.dirname}/${name}`, 'utf8').matchAll(/from '([^']+)'/g)].map(
        ([, target]) => target!,
      ),
    );
    const outside = new Set(imports.filter((target) => !target.startsWith('./')));
    expect([...outside].sort()).toEqual([
      '../bytes.js',
      '../ed25519-points.js',
      '../relay/reasons.js',
      '../relay/version-1.js',
    ]);
  });
});

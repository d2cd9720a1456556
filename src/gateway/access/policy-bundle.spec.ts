import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import { nobleBackend } from '../../crypto/noble.backend.js';
import { seedBundleRoles } from '../../../test/seeds/roles.js';
import { readBundle } from './policy-bundle.js';

const UID = '89e17e45-d117-4e4d-991a-f921e304ce0d';
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const PUBLIC = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32));
const backend = nobleBackend;
const expectation = { publicKeys: [new Uint8Array(32).fill(7), PUBLIC], uid: UID };

const CONTENT = {
  ...{ v: 1, gateway: UID, serial: 7, issuedAt: '2026-03-02T12:00:00Z' },
  roles: seedBundleRoles(new Date('2026-03-02T12:00:00Z')),
};

/** As the operator writes it: label, zero byte, length, canonical JSON. */
function signed(content: object, label = 'sallyport policy bundle v1'): string {
  const bundle = canonicalize(content) ?? '';
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(bundle));
  const message = Buffer.concat([Buffer.from(`${label}\0`), length, Buffer.from(bundle)]);
  const signature = sign(null, message, privateKey).toString('base64url');
  return JSON.stringify({ bundle, kid: 'k', signature });
}
const read = (json: string) => readBundle(json, expectation, backend);

describe('a policy bundle', () => {
  it('that the next key has signed for this gateway gives its serial and roles', () => {
    expect(read(signed(CONTENT))).toEqual({ serial: 7, roles: CONTENT.roles });
  });

  it.each([
    ['no JSON', '{', 'not-a-bundle'],
    ['another form', '{"bundle":"{}"}', 'not-a-bundle'],
    [
      'no key of ours',
      signed(CONTENT).replace(/"signature":"./, '"signature":"_'),
      'bad-signature',
    ],
    ['another label', signed(CONTENT, 'sallyport pin update v1'), 'bad-signature'],
    ['a changed word', signed(CONTENT).replace('\\"guest\\"', '\\"guess\\"'), 'bad-signature'],
    ['another gateway', signed({ ...CONTENT, gateway: 'other' }), 'other-gateway'],
    ['a field that is not known', signed({ ...CONTENT, extra: 1 }), 'not-a-bundle'],
    ['another version', signed({ ...CONTENT, v: 2 }), 'not-a-bundle'],
  ])('is refused for %s', (_, json, refusal) => {
    expect(read(json)).toBe(refusal);
  });

  it('is refused when nobody may sign', () => {
    expect(readBundle(signed(CONTENT), { publicKeys: [], uid: UID }, backend)).toBe(
      'bad-signature',
    );
  });
});

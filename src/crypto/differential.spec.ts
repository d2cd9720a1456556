import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { asHex, EVERY_BACKEND, hex } from '../../test/vectors/every-backend.js';
import { concat } from '../protocol/bytes.js';
import { HASH_BYTES, type CryptoBackend } from '../protocol/crypto-backend.js';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const anyBytes = fc.uint8Array({ maxLength: 300 });
const hashName = fc.constantFrom(...(Object.keys(HASH_BYTES) as (keyof typeof HASH_BYTES)[]));

/** What every back end makes of the same input: one answer if they agree. */
function answers(ask: (backend: CryptoBackend) => string): string[] {
  return [...new Set(EVERY_BACKEND.map(([, backend]) => ask(backend)))];
}

describe('sodium, node and noble on the same random input', () => {
  it('seal to the same bytes, and open them, and nothing that was changed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('ChaChaPoly', 'AESGCM'),
        fc.tuple(bytes(32), bytes(12), anyBytes, anyBytes),
        fc.nat(),
        (name, [key, nonce, associated, plaintext], where) => {
          const sealedBy = (backend: CryptoBackend) => {
            const out = new Uint8Array(plaintext.length + 16);
            backend.aead(name).seal(key, nonce, associated, plaintext, out);
            return out;
          };
          expect(answers((backend) => asHex(sealedBy(backend)))).toHaveLength(1);
          const sealed = sealedBy(EVERY_BACKEND[0]![1]);
          const changed = sealed.slice();
          changed[where % changed.length]! ^= 1 << (where % 8);
          for (const [, backend] of EVERY_BACKEND) {
            const out = new Uint8Array(plaintext.length);
            expect(backend.aead(name).open(key, nonce, associated, changed, out)).toBe(false);
            expect(backend.aead(name).open(key, nonce, associated, sealed, out)).toBe(true);
            expect(asHex(out)).toBe(asHex(plaintext));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('hash and authenticate to the same bytes, however the input is cut into parts', () => {
    fc.assert(
      fc.property(hashName, anyBytes, anyBytes, anyBytes, (name, key, first, second) => {
        const out = new Uint8Array(HASH_BYTES[name]);
        const digests = answers((backend) => {
          backend.hash(name, [first, second], out);
          const parts = asHex(out);
          backend.hash(name, [concat([first, second])], out);
          expect(asHex(out)).toBe(parts);
          backend.hmac(name, key, [first, second], out);
          return parts + asHex(out);
        });
        expect(digests).toHaveLength(1);
      }),
      { numRuns: 100 },
    );
  });

  it('make the same public keys and shared secrets', () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), (ours, theirs) => {
        const out = new Uint8Array(32);
        const secrets = answers((backend) => {
          const agreed = backend.x25519(ours, theirs, out);
          const secret = asHex(out);
          backend.x25519PublicKey(ours, out);
          return `${agreed} ${secret} ${asHex(out)}`;
        });
        expect(secrets).toHaveLength(1);
      }),
      { numRuns: 40 },
    );
  });

  it('sign to the same bytes, and verify them and not another’s', () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), anyBytes, (seed, other, message) => {
        const signatures = answers((backend) => {
          const publicKey = backend.ed25519PublicKey(seed);
          const signature = backend.ed25519Sign(seed, message);
          expect(backend.ed25519Verify(publicKey, message, signature)).toBe(true);
          expect(backend.ed25519Verify(other, message, signature)).toBe(false);
          return asHex(publicKey) + asHex(signature);
        });
        expect(signatures).toHaveLength(1);
      }),
      { numRuns: 15 },
    );
  });

  it('T45: refuse alike what only the cofactor would make right, made by a signer who lies', () => {
    const { Point } = ed25519;
    const torsion = Point.fromHex(
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    );
    const [secret, r] = [123_456_789n, 987_654_321n];
    const publicKey = Point.BASE.multiply(secret).add(torsion).toBytes();
    const commitment = Point.BASE.multiply(r).toBytes();
    const verdicts = Array.from({ length: 16 }, (_, n) => {
      const message = Uint8Array.of(n);
      const digest = new Uint8Array(64);
      EVERY_BACKEND[0]![1].hash('SHA512', [commitment, publicKey, message], digest);
      const k = Point.Fn.create(BigInt(`0x${asHex(digest.reverse())}`));
      const s = Point.Fn.create(r + k * secret);
      const signature = concat([commitment, hex(s.toString(16).padStart(64, '0')).reverse()]);
      // The equation with the cofactor holds for each of them; the one without only where 8 divides k.
      expect(ed25519.verify(signature, message, publicKey)).toBe(true);
      const agreed = answers((backend) =>
        String(backend.ed25519Verify(publicKey, message, signature)),
      );
      expect(agreed).toEqual([String(k % 8n === 0n)]);
      return agreed[0];
    });
    expect(verdicts).toContain('false');
  });

  it('T45: refuse the signature that a key of small order makes fit every message', () => {
    // The identity is its public key and its R, and S is zero: R = [S]B - [k]A holds whatever k is.
    const identity = hex(`01${'00'.repeat(31)}`);
    const signature = concat([identity, new Uint8Array(32)]);
    for (const message of [identity, signature]) {
      expect(ed25519.verify(signature, message, identity, { zip215: true })).toBe(true);
      expect(
        answers((backend) => String(backend.ed25519Verify(identity, message, signature))),
      ).toEqual(['false']);
    }
  });

  it('T45: never throw on public keys and signatures of any length', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, anyBytes, (publicKey, message, signature) => {
        expect(
          answers((backend) => String(backend.ed25519Verify(publicKey, message, signature))),
        ).toEqual(['false']);
      }),
      { numRuns: 100 },
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { asHex, EVERY_BACKEND, hex } from '../../test/vectors/every-backend.js';
import { wycheproof, type WycheproofTest } from '../../test/vectors/wycheproof.js';
import type { Aead, AeadName } from '../protocol/crypto-backend.js';
import { hkdf } from '../protocol/hkdf.js';
import { KeyStore } from '../protocol/key-store.js';

interface AeadTest extends WycheproofTest {
  readonly ivSize: number;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}
interface X25519Test extends WycheproofTest {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}
interface Ed25519Test extends WycheproofTest {
  readonly publicKey: { readonly pk: string };
  readonly msg: string;
  readonly sig: string;
}
interface HkdfTest extends WycheproofTest {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}

/** What became of each test that did not end as published: none. A table of a thousand titles would say less. */
function strays<Test extends WycheproofTest>(tests: readonly Test[], ends: (t: Test) => unknown) {
  const wrong = tests.filter((test) => ends(test) !== true);
  return wrong.map(({ tcId, flags, comment }) => `${tcId} ${flags.join()} ${comment}`);
}

/** Whether sealing gives the published bytes and opening gives the message, or nothing at all. */
function endsAsPublished(aead: Aead, test: AeadTest): boolean {
  const [key, iv, aad, msg] = [hex(test.key), hex(test.iv), hex(test.aad), hex(test.msg)];
  const published = hex(test.ct + test.tag);
  const opened = new Uint8Array(published.length - 16).fill(0xee);
  if (test.result !== 'valid') {
    const opens = aead.open(key, iv, aad, published, opened);
    const leaks = opened.length > 0 && asHex(opened) === test.msg;
    return !opens && !leaks;
  }
  const sealed = new Uint8Array(msg.length + 16);
  aead.seal(key, iv, aad, msg, sealed);
  const opens = aead.open(key, iv, aad, published, opened);
  return opens && asHex(sealed) === test.ct + test.tag && asHex(opened) === test.msg;
}

function refusesNonce(aead: Aead, test: AeadTest): boolean {
  const msg = hex(test.msg);
  const seal = () => {
    aead.seal(hex(test.key), hex(test.iv), hex(test.aad), msg, new Uint8Array(msg.length + 16));
  };
  expect(seal).toThrow(RangeError);
  return true;
}

describe.each(EVERY_BACKEND)('the %s back end', (_name, backend) => {
  it.each<[string, string, AeadName, number]>([
    ['S58: ', 'chacha20_poly1305', 'ChaChaPoly', 316],
    ['', 'aes_gcm', 'AESGCM', 66],
  ])('%sseals and opens as every Wycheproof test of %s says', (_id, file, name, count) => {
    const tests = wycheproof<AeadTest>(file);
    const aead = backend.aead(name);
    const ours = tests.filter((test) => test.ivSize === 96);
    expect(ours).toHaveLength(count);
    expect(strays(ours, (test) => endsAsPublished(aead, test))).toEqual([]);
    const others = tests.filter((test) => test.ivSize !== 96);
    expect(strays(others, (test) => refusesNonce(aead, test))).toEqual([]);
  });

  it('S59, T45: agrees on X25519 secrets as every Wycheproof test says, and on none where all is zero', () => {
    const tests = wycheproof<X25519Test>('x25519');
    const zero = tests.filter((test) => test.flags.includes('ZeroSharedSecret'));
    expect(zero).toHaveLength(31);
    const out = new Uint8Array(32);
    const agrees = (test: X25519Test) =>
      backend.x25519(hex(test.private), hex(test.public), out.fill(0xee));
    expect(strays(zero, (test) => !agrees(test) && out.every((byte) => byte === 0))).toEqual([]);
    const rest = tests.filter((test) => !zero.includes(test));
    expect(rest).toHaveLength(487);
    expect(strays(rest, (test) => agrees(test) && asHex(out) === test.shared)).toEqual([]);
  });

  it('S54, T45: verifies Ed25519 signatures as every Wycheproof test says', () => {
    const tests = wycheproof<Ed25519Test>('ed25519');
    expect(tests).toHaveLength(151);
    const verifies = ({ publicKey, msg, sig }: Ed25519Test) =>
      backend.ed25519Verify(hex(publicKey.pk), hex(msg), hex(sig));
    expect(strays(tests, (test) => verifies(test) === (test.result === 'valid'))).toEqual([]);
  });

  it('derives keys by HKDF as every Wycheproof test says', () => {
    const tests = wycheproof<HkdfTest>('hkdf_sha256');
    expect(tests).toHaveLength(86);
    const keys = new KeyStore();
    const derives = ({ ikm, salt, info, size, okm, result }: HkdfTest) => {
      const out = new Uint8Array(size);
      const input = { hash: 'SHA256', salt: hex(salt), ikm: hex(ikm), info: hex(info) } as const;
      const derive = () => {
        hkdf({ backend, keys }, input, out);
      };
      if (result === 'valid') derive();
      else expect(derive).toThrow(RangeError);
      return result !== 'valid' || asHex(out) === okm;
    };
    expect(strays(tests, derives)).toEqual([]);
    expect(keys.liveSlices).toBe(0);
  });
});

import { describe, expect, it } from '@jest/globals';
import { asHex, EVERY_BACKEND, hex } from '../../test/vectors/every-backend.js';
import { ascii } from '../protocol/bytes.js';

/** RFC 8439, section 2.8.2. */
const SUNSCREEN = {
  key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
  nonce: '07000000 4041424344454647',
  associated: '50515253c0c1c2c3c4c5c6c7',
  plaintext:
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  sealed: `d31a8d34648e60db7b86afbc53ef7ec2 a4aded51296e08fea9e2b5a736ee62d6
    3dbea45e8ca9671282fafb69da92728b 1a71de0a9e060b2905d6a5b67ecd3b36
    92ddbd7f2d778b8c9803aee328091b58 fab324e4fad675945585808b4831d7bc
    3ff4def08e4b7a9de576d26586cec64b 6116
    1ae10b594f09e26a7e902ecbd0600691`,
};

/** RFC 8032, section 7.1. */
const SIGNATURES = [
  {
    test: 'TEST 1',
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signed:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    test: 'TEST 2',
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signed:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    test: 'TEST 3',
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    key: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signed:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    test: 'TEST SHA(abc)',
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    key: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signed:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
] as const;

/** RFC 7748, section 5.2: k is the result, u the k of before, beginning with 9 and 9. */
const ITERATED = [
  [1, '422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079'],
  [1_000, '684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51'],
] as const;

describe.each(EVERY_BACKEND)('the %s back end', (_name, backend) => {
  it('S58: seals the example of RFC 8439, section 2.8.2, and opens it, in place as well', () => {
    const aead = backend.aead('ChaChaPoly');
    const plaintext = ascii(SUNSCREEN.plaintext);
    const buffer = new Uint8Array(plaintext.length + 16);
    const [key, nonce, associated] = [SUNSCREEN.key, SUNSCREEN.nonce, SUNSCREEN.associated].map(
      hex,
    ) as [Uint8Array, Uint8Array, Uint8Array];
    aead.seal(key, nonce, associated, plaintext, buffer);
    expect(asHex(buffer)).toBe(asHex(hex(SUNSCREEN.sealed)));

    const text = buffer.subarray(0, plaintext.length);
    expect(aead.open(key, nonce, associated, buffer, text)).toBe(true);
    expect(asHex(text)).toBe(asHex(plaintext));
    aead.seal(key, nonce, associated, text, buffer);
    expect(asHex(buffer)).toBe(asHex(hex(SUNSCREEN.sealed)));
  });

  it.each(SIGNATURES)('signs $test of RFC 8032, section 7.1', ({ seed, key, message, signed }) => {
    expect(asHex(backend.ed25519PublicKey(hex(seed)))).toBe(key);
    expect(asHex(backend.ed25519Sign(hex(seed), hex(message)))).toBe(signed);
    expect(backend.ed25519Verify(hex(key), hex(message), hex(signed))).toBe(true);
    expect(backend.ed25519Verify(hex(key), hex(`${message}00`), hex(signed))).toBe(false);
  });

  it.each(ITERATED)(
    'S59: gives the X25519 of RFC 7748 after %i iterations',
    (iterations, expected) => {
      let k: Uint8Array = hex(`09${'00'.repeat(31)}`);
      let u: Uint8Array = k.slice();
      for (let i = 0; i < iterations; i++) {
        const next = new Uint8Array(32);
        expect(backend.x25519(k, u, next)).toBe(true);
        [u, k] = [k, next];
      }
      expect(asHex(k)).toBe(expected);
    },
  );

  it('S59: gives the public key and the shared secret of RFC 7748, section 6.1', () => {
    const bob = hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
    const alice = hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    const out = new Uint8Array(32);
    backend.x25519PublicKey(bob, out);
    expect(asHex(out)).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    expect(backend.x25519(bob, alice, out)).toBe(true);
    expect(asHex(out)).toBe('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742');
  });

  it('refuses wrong lengths, its caller’s mistake, with a RangeError', () => {
    const [short, right] = [new Uint8Array(31), new Uint8Array(32).fill(1)];
    const aead = backend.aead('ChaChaPoly');
    const nonce = new Uint8Array(12);
    for (const mistake of [
      () => backend.x25519(short, right, right.slice()),
      () => backend.x25519(right, short, right.slice()),
      () => backend.x25519(right, right, short.slice()),
      () => {
        backend.x25519PublicKey(short, right.slice());
      },
      () => backend.ed25519PublicKey(short),
      () => backend.ed25519Sign(short, right),
      () => {
        backend.hash('BLAKE2b', [right], right.slice());
      },
      () => {
        backend.hmac('SHA256', right, [right], short.slice());
      },
      () => {
        aead.seal(short, nonce, right, right, new Uint8Array(48));
      },
      () => aead.open(right, nonce.subarray(1), right, new Uint8Array(48), right.slice()),
      () => aead.open(right, nonce, right, new Uint8Array(15), new Uint8Array(0)),
    ])
      expect(mistake).toThrow(RangeError);
  });
});

import { describe, expect, it } from '@jest/globals';
import { asHex, EVERY_BACKEND } from '../../../test/vectors/every-backend.js';
import { nodeBackend } from '../../crypto/node.backend.js';
import { ascii } from '../bytes.js';
import type { AeadName } from '../crypto-backend.js';
import { KeyStore } from '../key-store.js';
import { CipherState } from './cipher-state.js';

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const HEADER = ascii('header');
const TEXT = ascii('text');
const misuse = (code: string) => expect.objectContaining({ name: 'NoiseMisuse', code });

function aCipher(name: AeadName = 'ChaChaPoly', keys = new KeyStore()): CipherState {
  return new CipherState({ backend: nodeBackend, keys }, name, KEY);
}

function sealed(cipher: CipherState): Uint8Array {
  const out = new Uint8Array(TEXT.length + 16);
  expect(cipher.encryptWithAd(HEADER, TEXT, out)).toBe(out.length);
  return out;
}

/** What the back end itself makes of TEXT under a nonce written out by hand. */
function sealedUnder(name: AeadName, nonce: string, key = KEY): string {
  const out = new Uint8Array(TEXT.length + 16);
  nodeBackend.aead(name).seal(key, Buffer.from(nonce, 'hex'), HEADER, TEXT, out);
  return asHex(out);
}

describe('a CipherState that seals', () => {
  it.each<[AeadName, bigint, string]>([
    ['ChaChaPoly', 0n, '00000000 0000000000000000'],
    ['ChaChaPoly', 0x01020304_05060708n, '00000000 0807060504030201'],
    ['ChaChaPoly', 2n ** 53n + 1n, '00000000 0100000000002000'],
    ['AESGCM', 0x01020304_05060708n, '00000000 0102030405060708'],
  ])('writes the nonce of %s %i as Noise says', (name, nonce, wire) => {
    const cipher = aCipher(name);
    cipher.setNonce(nonce);
    expect(asHex(sealed(cipher))).toBe(sealedUnder(name, wire.replace(' ', '')));
    expect(cipher.nonce).toBe(nonce + 1n);
  });

  it('T44: counts exactly past 2^32, and takes the same nonce as two halves', () => {
    const [counting, halves] = [aCipher(), aCipher()];
    counting.setNonce(2n ** 32n - 1n);
    sealed(counting);
    halves.setNonceHalves(1, 0);
    expect(counting.nonce).toBe(2n ** 32n);
    expect(asHex(sealed(counting))).toBe(asHex(sealed(halves)));
  });

  it('T44: throws at a nonce that it has used, and at every one below', () => {
    const cipher = aCipher();
    cipher.setNonce(2n ** 32n + 7n);
    sealed(cipher);
    for (const nonce of [2n ** 32n + 7n, 2n ** 32n + 6n, 2n ** 32n - 1n, 8n, 0n]) {
      cipher.setNonce(nonce);
      expect(() => sealed(cipher)).toThrow(misuse('ERR_NOISE_NONCE_REUSED'));
    }
    cipher.setNonce(2n ** 32n + 8n);
    sealed(cipher);
    expect(cipher.nonce).toBe(2n ** 32n + 9n);
  });

  it('T44: seals with 2^64 - 2 last, never with 2^64 - 1, and never begins anew', () => {
    const cipher = aCipher();
    cipher.setNonce(2n ** 64n - 2n);
    sealed(cipher);
    expect(cipher.nonce).toBe(2n ** 64n - 1n);
    for (let i = 0; i < 2; i++)
      expect(() => sealed(cipher)).toThrow(misuse('ERR_NOISE_NONCE_EXHAUSTED'));
    cipher.setNonce(0n);
    expect(() => sealed(cipher)).toThrow(misuse('ERR_NOISE_NONCE_REUSED'));
    expect(() => {
      cipher.setNonce(2n ** 64n);
    }).toThrow(RangeError);
    expect(() => {
      cipher.setNonce(-1n);
    }).toThrow(RangeError);
  });

  it('T44: counts nothing when the output is too short, so the nonce is still unused', () => {
    const cipher = aCipher();
    expect(() => cipher.encryptWithAd(HEADER, TEXT, new Uint8Array(TEXT.length + 15))).toThrow(
      misuse('ERR_NOISE_BUFFER'),
    );
    expect(cipher.nonce).toBe(0n);
    expect(asHex(sealed(cipher))).toBe(sealedUnder('ChaChaPoly', '00'.repeat(12)));
  });

  it('T44: keeps its nonces over a rekey, which is REKEY of the specification', () => {
    const cipher = aCipher();
    sealed(cipher);
    cipher.rekey();
    expect(cipher.nonce).toBe(1n);
    const zeros = new Uint8Array(48);
    const last = Buffer.from(`00000000${'ff'.repeat(8)}`, 'hex');
    const nothing = new Uint8Array(0);
    nodeBackend.aead('ChaChaPoly').seal(KEY, last, nothing, zeros.subarray(0, 32), zeros);
    const expected = sealedUnder('ChaChaPoly', '000000000100000000000000', zeros.subarray(0, 32));
    expect(asHex(sealed(cipher))).toBe(expected);
    cipher.setNonce(0n);
    expect(() => sealed(cipher)).toThrow(misuse('ERR_NOISE_NONCE_REUSED'));
  });
});

describe.each(EVERY_BACKEND)('a CipherState that opens, with %s', (_name, backend) => {
  const pair = () => {
    const context = { backend, keys: new KeyStore() };
    return [
      new CipherState(context, 'ChaChaPoly', KEY),
      new CipherState(context, 'ChaChaPoly', KEY),
    ] as const;
  };

  it('opens in any order by explicit nonces, in place as well', () => {
    const [sender, receiver] = pair();
    const packets = [0, 1, 2].map(() => sealed(sender));
    for (const i of [2, 0, 1]) {
      receiver.setNonceHalves(0, i);
      const packet = packets[i]!;
      expect(receiver.decryptWithAd(HEADER, packet, packet)).toBe(TEXT.length);
      expect(asHex(packet.subarray(0, TEXT.length))).toBe(asHex(TEXT));
    }
  });

  it('refuses every changed bit of ciphertext, tag and header, and opens the right bytes after', () => {
    const [sender, receiver] = pair();
    const packet = sealed(sender);
    const out = new Uint8Array(TEXT.length);
    for (let bit = 0; bit < packet.length * 8; bit++) {
      const changed = packet.with(bit >> 3, packet[bit >> 3]! ^ (1 << (bit & 7)));
      expect(receiver.decryptWithAd(HEADER, changed, out)).toBe('wrong-tag');
    }
    expect(receiver.decryptWithAd(ascii('Header'), packet, out)).toBe('wrong-tag');
    expect(asHex(out)).not.toBe(asHex(TEXT));
    expect(receiver.nonce).toBe(0n);
    expect(receiver.decryptWithAd(HEADER, packet, out)).toBe(TEXT.length);
    expect(receiver.nonce).toBe(1n);
  });

  it('T44: refuses lengths that cannot be, and the reserved nonce, without a throw', () => {
    const [, receiver] = pair();
    const out = new Uint8Array(100);
    for (const length of [0, 1, 15])
      expect(receiver.decryptWithAd(HEADER, out.subarray(0, length), out)).toBe('too-short');
    expect(receiver.decryptWithAd(HEADER, out, out.subarray(0, 83))).toBe('too-long');
    receiver.setNonce(2n ** 64n - 1n);
    expect(receiver.decryptWithAd(HEADER, out, out)).toBe('reserved-nonce');
  });

  it('holds several epochs at a time, each a REKEY of the one before', () => {
    const [sender, present] = pair();
    const before = sealed(sender);
    sender.rekey();
    const after = sealed(sender);
    const next = present.rekeyed();
    const out = new Uint8Array(TEXT.length);
    next.setNonce(1n);
    expect(next.decryptWithAd(HEADER, after, out)).toBe(TEXT.length);
    expect(present.decryptWithAd(HEADER, after, out)).toBe('wrong-tag');
    expect(present.decryptWithAd(HEADER, before, out)).toBe(TEXT.length);
  });
});

describe('the key of a CipherState', () => {
  it('is never a null key or one of another length', () => {
    const context = { backend: nodeBackend, keys: new KeyStore() };
    for (const [key, code] of [
      [new Uint8Array(32), 'ERR_NOISE_NULL_KEY'],
      [new Uint8Array(0), 'ERR_NOISE_KEY'],
      [KEY.subarray(1), 'ERR_NOISE_KEY'],
    ] as const) {
      expect(() => new CipherState(context, 'ChaChaPoly', key)).toThrow(misuse(code));
      const cipher = new CipherState(context, 'ChaChaPoly', KEY);
      expect(() => {
        cipher.initializeKey(key);
      }).toThrow(misuse(code));
      cipher.destroy();
    }
    expect(context.keys.liveSlices).toBe(0);
  });

  it('is erased by destroy, after which nothing works', () => {
    const keys = new KeyStore();
    const probe = keys.take(1);
    const cipher = aCipher('ChaChaPoly', keys);
    expect(Buffer.from(probe.buffer).includes(Buffer.from(KEY))).toBe(true);
    cipher.destroy();
    cipher.destroy();
    expect(new Uint8Array(probe.buffer).every((byte) => byte === 0)).toBe(true);
    for (const use of [
      () => sealed(cipher),
      () => cipher.decryptWithAd(HEADER, new Uint8Array(16), new Uint8Array(0)),
      () => {
        cipher.rekey();
      },
      () => cipher.rekeyed(),
      () => {
        cipher.initializeKey(KEY);
      },
    ])
      expect(use).toThrow(misuse('ERR_NOISE_SPENT'));
  });

  it('does not turn into zeros, or into another’s key, when its store is erased', () => {
    const keys = new KeyStore();
    const cipher = aCipher('ChaChaPoly', keys);
    keys.eraseAll();
    expect(() => sealed(cipher)).toThrow(misuse('ERR_NOISE_SPENT'));
    const successor = keys.takeCopy(KEY);
    expect(() => sealed(cipher)).toThrow(misuse('ERR_NOISE_SPENT'));
    cipher.destroy();
    expect(asHex(successor)).toBe(asHex(KEY));
  });
});

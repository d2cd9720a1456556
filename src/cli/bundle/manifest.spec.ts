import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  encodeManifest,
  isOlder,
  openManifest,
  signManifest,
  signerIn,
  type BundleManifest,
} from './manifest.js';

const ours = generateKeyPairSync('ed25519');
const strangers = generateKeyPairSync('ed25519');

const manifest: BundleManifest = {
  v: 1,
  name: 'sallyport',
  version: '1.2.3',
  revision: 'abc',
  created: 1_700_000_000,
  image: {
    repository: 'registry.example.com/sallyport',
    tag: '1.2.3',
    digest: `sha256:${'0'.repeat(64)}`,
    archive: 'image/a.tar',
  },
  files: [{ path: 'image/a.tar', size: 1, sha256: 'a'.repeat(64) }],
};

const opened = (value: unknown) => {
  const bytes = encodeManifest(value as BundleManifest); // Also what is none.
  return openManifest(bytes, signManifest(bytes, ours.privateKey), [ours.publicKey]);
};

describe('the manifest of a bundle', () => {
  it('is what its signer wrote, whichever of several keys that was', () => {
    const bytes = encodeManifest(manifest);
    const signature = signManifest(bytes, ours.privateKey);
    expect(openManifest(bytes, signature, [strangers.publicKey, ours.publicKey])).toEqual(manifest);
  });

  it('T52: of a strange signer, or signed for something else, is refused', () => {
    const bytes = encodeManifest(manifest);
    expect(openManifest(bytes, signManifest(bytes, strangers.privateKey), [ours.publicKey])).toBe(
      'strange-signer',
    );
    const digest = createHash('sha256').update(bytes).digest();
    const other = [bytes, digest, Buffer.concat([Buffer.from('sallyport bundle v2\0'), digest])];
    for (const message of other) {
      const signature = sign(null, message, ours.privateKey);
      expect(openManifest(bytes, signature, [ours.publicKey])).toBe('strange-signer');
    }
    expect(openManifest(bytes, Buffer.alloc(64), [])).toBe('strange-signer');
  });

  it.each([
    ['a path that leaves the folder', { files: [{ ...manifest.files[0], path: '../a' }] }],
    ['an absolute path', { files: [{ ...manifest.files[0], path: '/etc/passwd' }] }],
    ['a path that reads as an option', { files: [{ ...manifest.files[0], path: '-rf' }] }],
    ['a file twice', { files: [manifest.files[0], manifest.files[0]] }],
    ['an image that is not among the files', { files: [{ ...manifest.files[0], path: 'b' }] }],
    ['a negative size', { files: [{ ...manifest.files[0], size: -1 }] }],
    ['a version that is none', { version: '1.2' }],
    ['a field that nobody knows', { extra: 1 }],
    ['another format', { v: 2 }],
  ])('is refused with %s, also when the signature holds', (_, change) => {
    expect(opened({ ...manifest, ...change })).toBe('manifest-malformed');
  });

  it('is refused when signed bytes are no JSON', () => {
    const bytes = Buffer.from('{');
    const signature = signManifest(bytes, ours.privateKey);
    expect(openManifest(bytes, signature, [ours.publicKey])).toBe('manifest-malformed');
  });
});

describe('the order of versions', () => {
  it.each([
    ['0.1.0', '0.2.0', true],
    ['0.9.0', '0.10.0', true],
    ['1.0.0', '0.99.99', false],
    ['1.0.0', '1.0.0', false],
    ['1.0.1', '1.0.0', false],
  ])('%s is older than %s: %s', (version, installed, expected) => {
    expect(isOlder(version, installed)).toBe(expected);
  });
});

describe('a file with a public key', () => {
  it('is taken when it holds a public key of Ed25519, and nothing else is', () => {
    const pem = (key: typeof ours.publicKey) =>
      key.export({ type: 'spki', format: 'pem' }).toString();
    expect(signerIn(pem(ours.publicKey))?.equals(ours.publicKey)).toBe(true);
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(signerIn(pem(ec.publicKey))).toBeUndefined();
    const secret = ours.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(signerIn(secret)).toBeUndefined();
    expect(signerIn('')).toBeUndefined();
  });
});

/* Small bundles, made as `npm run bundle` makes large ones. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { tarInOrder } from '../../config/tooling/image/tar.js';
import {
  MANIFEST_FILE,
  SIGNATURE_FILE,
  encodeManifest,
  signManifest,
} from '../../src/cli/bundle/manifest.js';

/** Whoever signs in tests. */
export const signer = generateKeyPairSync('ed25519');

/** A bundle of `version` with a chart and an image of a few bytes. */
export function aBundle(version = '1.2.3', key = signer.privateKey): Buffer {
  const files = [
    { path: 'charts/sallyport/Chart.yaml', bytes: Buffer.from(`version: ${version}\n`) },
    { path: 'image/a.tar', bytes: Buffer.from('not really an image') },
  ];
  const created = 1_700_000_000;
  const bytes = encodeManifest({
    v: 1,
    name: 'sallyport',
    version,
    revision: 'abc',
    created,
    image: {
      repository: 'registry.example.com/sallyport',
      tag: version,
      digest: `sha256:${'0'.repeat(64)}`,
      archive: 'image/a.tar',
    },
    files: files.map(({ path, bytes: content }) => ({
      path,
      size: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    })),
  });
  const signature = { path: SIGNATURE_FILE, bytes: signManifest(bytes, key) };
  return tarInOrder([{ path: MANIFEST_FILE, bytes }, signature, ...files], created);
}

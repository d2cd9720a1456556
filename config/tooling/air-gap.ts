/*
 * `npm run bundle -- --key FILE`: one archive with everything that a site without a network needs for a release, signed:
 * image, charts, SBOMs, checksums. `sallyport bundle verify|load` reads it; docs/supply-chain.md tells both sides.
 */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  MANIFEST_FILE,
  SIGNATURE_FILE,
  encodeManifest,
  signManifest,
  type BundleManifest,
} from '../../src/cli/bundle/manifest.js';
import { sha256 } from './image/lock.js';
import { revisionOf } from './image/revision.process.js';
import { tarInOrder, type TarFile } from './image/tar.js';

const HOW_TO_MAKE_A_KEY =
  'Make one, once, on the machine that signs: umask 077; openssl genpkey -algorithm ed25519 -out release.key; ' +
  'openssl pkey -in release.key -pubout -out release.pub. Sites get release.pub by another way than the bundle.';

const { values } = parseArgs({
  options: {
    key: { type: 'string' },
    image: { type: 'string' },
    output: { type: 'string' },
  },
});

/** What dist/image/image.json says. */
interface ImageSummary {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

try {
  makeBundle();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

function makeBundle(): void {
  const key = privateKey(values.key);
  const folder = values.image ?? 'dist/image';
  if (values.image === undefined)
    execFileSync('tsx', ['config/tooling/image.ts', '--output', folder], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  const image = JSON.parse(readFileSync(join(folder, 'image.json'), 'utf8')) as ImageSummary;
  const files = contents(folder, image);
  const revision = revisionOf(process.cwd(), process.env['SOURCE_DATE_EPOCH']);
  const manifest = manifestOf(files, image, revision);
  const bytes = encodeManifest(manifest);
  const archive = tarInOrder(
    [
      { path: MANIFEST_FILE, bytes },
      { path: SIGNATURE_FILE, bytes: signManifest(bytes, key) },
      ...files,
    ],
    manifest.created,
  );
  const output = values.output ?? `dist/bundles/sallyport-${image.version}.bundle.tar`;
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(`${output}.tmp`, archive);
  renameSync(`${output}.tmp`, output);
  console.log(`${output}: ${(archive.length / 1e6).toFixed(1)} MB, sha256:${sha256(archive)}`);
}

function manifestOf(
  files: readonly TarFile[],
  { name, version, digest }: ImageSummary,
  { commit, epochSeconds }: { readonly commit: string; readonly epochSeconds: number },
): BundleManifest {
  const colon = name.lastIndexOf(':');
  return {
    v: 1,
    name: 'sallyport',
    version,
    revision: commit,
    created: epochSeconds,
    image: {
      repository: name.slice(0, colon),
      tag: name.slice(colon + 1),
      digest,
      archive: `image/sallyport-${version}.oci.tar`,
    },
    files: files.map(({ path, bytes }) => ({ path, size: bytes.length, sha256: sha256(bytes) })),
  };
}

/** Everything besides the manifest, in the order of the names. */
function contents(imageFolder: string, { version }: ImageSummary): TarFile[] {
  const stem = `sallyport-${version}`;
  const sboms = readdirSync(imageFolder).filter((name) => name.endsWith('.cdx.json'));
  const files = [
    fileAt(join(imageFolder, `${stem}.oci.tar`), `image/${stem}.oci.tar`),
    ...sboms.map((name) => fileAt(join(imageFolder, name), `sbom/${name}`)),
    ...(existsSync('charts') ? filesBelow('charts') : []),
    ...filesBelow('crds'),
    fileAt('LICENSE', 'LICENSE'),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const sums = files.map(({ path, bytes }) => `${sha256(bytes)}  ${path}\n`).join('');
  return [...files, { path: 'SHA256SUMS', bytes: Buffer.from(sums) }];
}

function fileAt(from: string, path: string): TarFile {
  return { path, bytes: readFileSync(from) };
}

function filesBelow(folder: string): TarFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => fileAt(path, path));
}

/** @throws Error that says what to do, for a key that is missing, readable by others, or of another algorithm */
function privateKey(path: string | undefined): KeyObject {
  if (path === undefined)
    throw new Error(`Name the key that signs with --key. ${HOW_TO_MAKE_A_KEY}`);
  if ((statSync(path).mode & 0o077) !== 0)
    throw new Error(`${path} can be read by others. Take that away: chmod 600 ${path}`);
  const key = createPrivateKey(readFileSync(path));
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new Error(`${path} is no key of Ed25519. ${HOW_TO_MAKE_A_KEY}`);
}

/*
 * `npm run image`: the image of all programs as an OCI archive in dist/image, written without docker or any other tool, the
 * same bytes from the same commit wherever it is made. docs/image.md says what is in it.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { platformParts, portableParts, type PortableParts } from './image/contents.files.js';
import { imageFindings } from './image/inspect.js';
import { updatedLock } from './image/lock-update.files.js';
import { parseLock, type LockedFile } from './image/lock.js';
import { ociArchive, platformImage, type PlatformImage } from './image/oci.js';
import { revisionOf, type Revision } from './image/revision.process.js';
import { sbomText } from './image/sbom.js';

/** What packages of the npm registry have as the time of all files; the lower layer stays the same over releases. */
const PACKAGE_TIME = 499_162_500;
const PLATFORMS = ['linux/amd64', 'linux/arm64'];
const LOCK = 'config/tooling/image/image.lock';
const REPOSITORY = 'registry.example.com/sallyport';

const { values } = parseArgs({
  options: {
    platform: { type: 'string', multiple: true, default: PLATFORMS },
    output: { type: 'string', default: 'dist/image' },
    repository: { type: 'string', default: REPOSITORY },
    'update-lock': { type: 'boolean', default: false },
  },
});

interface Built {
  readonly platform: string;
  readonly image: PlatformImage;
  readonly sbom: string;
}

const root = process.cwd();
const facts = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly version: string;
  readonly description: string;
  readonly license: string;
};

try {
  if (values['update-lock']) updateLock();
  else await buildImage();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

function updateLock(): void {
  writeFileSync(LOCK, updatedLock(readFileSync(LOCK, 'utf8'), root));
  console.log(`${LOCK} is written. Look at the difference before you commit it.`);
}

async function buildImage(): Promise<void> {
  const revision = revisionOf(root, process.env['SOURCE_DATE_EPOCH']);
  const lock = parseLock(readFileSync(LOCK, 'utf8'));
  for (const platform of values.platform) refuseUnknown(platform, lock);
  const portable = await portableParts(root);
  const built = values.platform.map((platform) =>
    buildPlatform(platform, { portable, lock, revision }),
  );
  const name = { repository: values.repository, tag: facts.version };
  const images = built.map(({ image }) => image);
  const { archive, digest } = ociArchive(images, name);
  writeResults(built, { archive, digest, revision });
}

function refuseUnknown(platform: string, lock: readonly LockedFile[]): void {
  if (lock.some((file) => file.platform === platform)) return;
  throw new Error(`There is no image for ${platform}. Write one of ${PLATFORMS.join(', ')}.`);
}

function buildPlatform(
  platform: string,
  {
    portable,
    lock,
    revision,
  }: {
    readonly portable: PortableParts;
    readonly lock: readonly LockedFile[];
    readonly revision: Revision;
  },
): Built {
  const locked = lock.filter((file) => file.platform === platform);
  refuseOtherNode(locked);
  const { runtime, application, components } = platformParts(portable, locked, root);
  const { epochSeconds, commit } = revision;
  const subject = { name: 'sallyport', version: facts.version, license: facts.license };
  const sbom = sbomText({ ...subject, platform, epochSeconds, revision: commit }, components);
  const files = [...application, { path: 'sallyport/sbom.cdx.json', bytes: Buffer.from(sbom) }];
  const findings = imageFindings([...runtime, ...files], platform, [root, homedir()]);
  if (findings.length > 0) throw new Error(`This may not become an image:\n${findings.join('\n')}`);
  const image = platformImage({ platform, epochSeconds, labels: labelsOf(revision) }, [
    { files: runtime, comment: 'Node and its libraries', mtimeSeconds: PACKAGE_TIME },
    { files, comment: `Sallyport ${facts.version}`, mtimeSeconds: epochSeconds },
  ]);
  return { platform, image, sbom };
}

/** The SBOM asks the Node that runs this what it is built with. */
function refuseOtherNode(locked: readonly LockedFile[]): void {
  const node = locked.find(({ to }) => to === 'usr/bin/node');
  if (node?.version === process.versions.node) return;
  throw new Error(
    `image.lock names Node ${node?.version ?? 'none'} and this is ${process.versions.node}. Use npm run image.`,
  );
}

function labelsOf({ commit, epochSeconds }: Revision): Record<string, string> {
  const prefix = 'org.opencontainers.image';
  return {
    [`${prefix}.created`]: new Date(epochSeconds * 1000).toISOString(),
    [`${prefix}.description`]: facts.description,
    [`${prefix}.licenses`]: facts.license,
    [`${prefix}.revision`]: commit,
    [`${prefix}.title`]: 'sallyport',
    [`${prefix}.version`]: facts.version,
  };
}

/** Renamed into their places: whoever reads meanwhile finds a whole archive. */
function writeResults(
  built: readonly Built[],
  { archive, digest, revision }: { archive: Buffer; digest: string; revision: Revision },
): void {
  const stem = `sallyport-${facts.version}`;
  const put = (name: string, bytes: Buffer | string) => {
    const path = join(values.output, name);
    writeFileSync(`${path}.tmp`, bytes);
    renameSync(`${path}.tmp`, path);
  };
  mkdirSync(values.output, { recursive: true });
  rmSync(join(values.output, 'image.json'), { force: true });
  put(`${stem}.oci.tar`, archive);
  for (const { platform, sbom } of built)
    put(`${stem}-${platform.replace('/', '-')}.cdx.json`, sbom);
  const platforms = built.map(({ platform, image }) => ({
    platform,
    digest: image.manifest.digest,
    unpackedBytes: image.unpackedBytes,
  }));
  const name = `${values.repository}:${facts.version}`;
  const summary = { name, version: facts.version, revision: revision.commit, digest, platforms };
  put('image.json', `${JSON.stringify(summary, null, 2)}\n`);
  console.log(
    `${join(values.output, `${stem}.oci.tar`)}: ${megabytes(archive.length)} MB, ${digest}`,
  );
  for (const { platform, unpackedBytes } of platforms)
    console.log(`${platform}: ${megabytes(unpackedBytes)} MB unpacked`);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

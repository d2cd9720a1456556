/*
 * The files of the image: the programs as one file each, the packages that cannot be one (native addons, and the
 * Kubernetes client's credential plug-ins, which hardly anybody loads), the schemas of our kinds, and licences. From
 * packages only what is reached from their entry goes in, so that nothing of theirs has to be removed again.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { PROGRAMS, bundle } from '../bundler.js';
import {
  debianComponents,
  npmComponents,
  packageName,
  packagePath,
  sortedComponents,
  withNodeParts,
  type Component,
  type LockEntries,
} from './components.js';
import type { LockedFile } from './lock.js';
import { lockedBytes } from './sources.files.js';
import type { TarFile } from './tar.js';

const HOME = 'sallyport';
const CLIENT_NODE = 'node_modules/@kubernetes/client-node';

/** Licence texts that package authors put at the top of their package. */
const LICENSE_FILE = /^(licen[sc]e|copying|notice|copyright|unlicense)([.-].*)?$/i;

/** The C library looks up names in /etc/hosts, which the kubelet writes, before it asks DNS. */
const NSSWITCH = { path: 'etc/nsswitch.conf', bytes: Buffer.from('hosts: files dns\n') };

/** What all platforms have in common: made once. */
export interface PortableParts {
  readonly files: readonly TarFile[];
  /** Paths of the packages inside, as package-lock.json has them. */
  readonly packages: readonly string[];
  readonly lock: LockEntries;
}

/** Bundles and collects what does not depend on the platform. `root` is the checkout, and the working folder. */
export async function portableParts(root: string): Promise<PortableParts> {
  const lock = (
    JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: LockEntries }
  ).packages;
  const programs = await bundled(PROGRAMS, 'dist/bin');
  const client = await bundled({ index: `${CLIENT_NODE}/dist/index.js` }, `${CLIENT_NODE}/dist`);
  const addons = await addonFiles(root);
  const inputs = [...programs.inputs, ...client.inputs, ...addons.map(({ path }) => path)];
  const packages = [...new Set(inputs.flatMap((path) => packagePath(path) ?? []))].sort();
  const files = [
    ...programs.files,
    ...client.files,
    packageFile(root, `${CLIENT_NODE}/package.json`),
    ...addons,
    ...schemas(root),
    ownPackageFile(root),
    packageFile(root, 'LICENSE', 'licenses/sallyport/LICENSE'),
    ...packages.flatMap((path) => licenses(root, path, lock)),
  ];
  return {
    files: files.map((file) => ({ ...file, path: `${HOME}/${file.path}` })),
    packages,
    lock,
  };
}

/** Both layers of one platform, and what they consist of. */
export interface PlatformParts {
  /** Node and the libraries that it needs. */
  readonly runtime: readonly TarFile[];
  readonly application: readonly TarFile[];
  readonly components: readonly Component[];
}

/** Adds what `locked` (the lines of one platform) names. */
export function platformParts(
  portable: PortableParts,
  locked: readonly LockedFile[],
  root: string,
): PlatformParts {
  const files = locked.map((line) => ({
    path: line.to,
    bytes: lockedBytes(line, root),
    executable: line.to === 'usr/bin/node' || line.to.includes('/ld-linux'),
  }));
  const ofApplication = ({ path }: TarFile) => path.startsWith(`${HOME}/`);
  const platformPackages = locked
    .filter(({ registry }) => registry === 'npm')
    .map(({ name }) => `node_modules/${name}`);
  const packages = npmComponents([...portable.packages, ...platformPackages], portable.lock);
  return {
    runtime: [...files.filter((file) => !ofApplication(file)), NSSWITCH],
    application: [...portable.files, ...files.filter(ofApplication)],
    components: sortedComponents([
      ...withNodeParts(packages, process.versions),
      ...debianComponents(locked),
    ]),
  };
}

interface Bundled {
  readonly files: readonly TarFile[];
  readonly inputs: readonly string[];
}

async function bundled(
  entries: Readonly<Record<string, string>>,
  folder: string,
): Promise<Bundled> {
  const outdir = mkdtempSync(join(tmpdir(), 'sallyport-image-'));
  try {
    const { inputs } = await bundle(entries, outdir);
    const files = readdirSync(outdir)
      .sort()
      .map((name) => ({ path: `${folder}/${name}`, bytes: readFileSync(join(outdir, name)) }));
    return { files, inputs: Object.keys(inputs) };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** The JavaScript that native addons are loaded by; their machine code stands in image.lock. */
async function addonFiles(root: string): Promise<TarFile[]> {
  const { metafile } = await build({
    stdin: { contents: "require('koffi'); require('sodium-native');", resolveDir: root },
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    external: ['*.node', '@koromix/*'],
    logLevel: 'error',
  });
  const scripts = Object.keys(metafile.inputs).filter((path) => path !== '<stdin>');
  const packages = new Set(scripts.flatMap((path) => packagePath(path) ?? []));
  const paths = [
    ...scripts.map((path) => path.slice(path.indexOf('node_modules/'))),
    ...[...packages].map((path) => `${path}/package.json`),
  ];
  return [...new Set(paths)].sort().map((path) => packageFile(root, path));
}

const packageFile = (root: string, from: string, to = from): TarFile => ({
  path: to,
  bytes: readFileSync(join(root, from)),
});

/** What the programs read of it; the rest is about development. */
function ownPackageFile(root: string): TarFile {
  const { name, version, description, license, type } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Readonly<Record<string, string>>;
  const text = JSON.stringify({ name, version, description, license, type }, null, 2);
  return { path: 'package.json', bytes: Buffer.from(`${text}\n`) };
}

function schemas(root: string): TarFile[] {
  const names = readdirSync(join(root, 'crds')).filter((name) => name.endsWith('.yaml'));
  return names.sort().map((name) => packageFile(root, `crds/${name}`));
}

/** Its own licence texts, or, where a package brings none, what it says of itself. */
function licenses(root: string, path: string, lock: LockEntries): TarFile[] {
  const target = `licenses/npm/${path.replace(/^node_modules\//, '')}`;
  const found = readdirSync(join(root, path)).filter((name) => LICENSE_FILE.test(name));
  if (found.length > 0)
    return found.sort().map((name) => packageFile(root, `${path}/${name}`, `${target}/${name}`));
  const { version = '', license = 'none' } = lock[path] ?? {};
  const text = `${packageName(path)} ${version} names its licence in package.json and brings no text of it: ${license}\n`;
  return [{ path: `${target}/LICENSE`, bytes: Buffer.from(text) }];
}

/*
 * The bytes that image.lock names: from this machine when they are the same, else from the cache, else from the archive
 * of the distribution or the package registry, through their own clients. Whatever they come from, the hash decides.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { lockProblem, sha256, type LockedFile } from './lock.js';
import { readTar } from './tar.js';

const MAX_BYTES = 2 ** 30;

const cacheFolder = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sallyport', 'image');

/** The file of that line. `root` is the checkout. @throws Error naming the line if its bytes cannot be had */
export function lockedBytes(file: LockedFile, root: string): Buffer {
  const places = [placeHere(file, root), join(cacheFolder(), file.sha256)];
  for (const place of places) {
    const bytes = existsSync(place) ? readFileSync(place) : undefined;
    if (bytes !== undefined && sha256(bytes) === file.sha256) return bytes;
  }
  const bytes = packageFiles(file, root).get(file.from);
  if (bytes === undefined) throw lockProblem(file, `The package has no file ${file.from}.`);
  if (sha256(bytes) !== file.sha256)
    throw lockProblem(file, `The package has another file: ${sha256(bytes)}.`);
  keep(file.sha256, bytes);
  return bytes;
}

const placeHere = ({ registry, name, from }: LockedFile, root: string): string =>
  registry === 'debian' ? join('/', from) : join(root, 'node_modules', name, from);

/** Renamed into its place: an interrupted build leaves no half of a file. */
function keep(name: string, bytes: Buffer): void {
  mkdirSync(cacheFolder(), { recursive: true });
  const temporary = join(cacheFolder(), `.${name}.${process.pid}`);
  writeFileSync(temporary, bytes);
  renameSync(temporary, join(cacheFolder(), name));
}

type Package = Pick<LockedFile, 'platform' | 'registry' | 'name' | 'version'>;

const fetched = new Map<string, ReadonlyMap<string, Buffer>>();

/** All files of a package by their path in it. @throws Error with what the client of the registry says */
export function packageFiles(wanted: Package, root: string): ReadonlyMap<string, Buffer> {
  const key = [wanted.platform, wanted.registry, wanted.name, wanted.version].join(' ');
  const known = fetched.get(key);
  if (known) return known;
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-image-'));
  try {
    const files =
      wanted.registry === 'npm' ? fromNpm(wanted, folder, root) : fromDebian(wanted, folder);
    fetched.set(key, files);
    return files;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fromNpm({ name, version }: Package, folder: string, root: string): Map<string, Buffer> {
  const arguments_ = ['pack', `${name}@${version}`, '--pack-destination', folder, '--silent'];
  run('npm', arguments_, folder);
  const archive = readFileSync(join(folder, onlyFile(folder, '.tgz')));
  const integrity = lockedPackage(root, name).integrity;
  const found = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  if (found !== integrity)
    throw new Error(`${name}@${version} is not what package-lock.json names: ${found}`);
  const entries = readTar(gunzipSync(archive, { maxOutputLength: MAX_BYTES }));
  return new Map(entries.map(({ path, bytes }) => [path.replace(/^[^/]+\//, ''), bytes]));
}

/** What package-lock.json says of a package at the top of node_modules. */
export function lockedPackage(
  root: string,
  name: string,
): { readonly version: string; readonly integrity: string } {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { version: string; integrity: string }>>;
  };
  const found = lock.packages[`node_modules/${name}`];
  if (found === undefined) throw new Error(`package-lock.json has no package ${name}.`);
  return found;
}

function fromDebian({ platform, name, version }: Package, folder: string): Map<string, Buffer> {
  const options = aptOptions(platform);
  const download = () => {
    run('apt-get', [...options, '-qq', 'download', `${name}=${version}`], folder);
  };
  try {
    download();
  } catch {
    // No lists for this architecture yet, or old ones.
    run('apt-get', [...options, '-qq', 'update'], folder);
    try {
      download();
    } catch (cause) {
      throw new Error(
        `The distribution does not serve ${name} ${version} for ${platform}; it has ${debianVersion({ platform, name })}. ` +
          'Write the new lines with: npm run image -- --update-lock',
        { cause },
      );
    }
  }
  const archive = join(folder, onlyFile(folder, '.deb'));
  const tar = execFileSync('dpkg-deb', ['--fsys-tarfile', archive], { maxBuffer: MAX_BYTES });
  return new Map(readTar(tar).map(({ path, bytes }) => [path.replace(/^\.\//, ''), bytes]));
}

/** The version that the distribution serves today, or `none`. */
export function debianVersion({ platform, name }: Pick<Package, 'platform' | 'name'>): string {
  const policy = execFileSync('apt-cache', [...aptOptions(platform), 'policy', name], {
    encoding: 'utf8',
  });
  return /Candidate: (\S+)/.exec(policy)?.[1]?.replace(/^\(none\)$/, 'none') ?? 'none';
}

/** Fetches the lists of what the distribution serves for `platform`, into our cache: the host's own stay. */
export function refreshDebian(platform: string): void {
  run('apt-get', [...aptOptions(platform), '-qq', 'update'], tmpdir());
}

/** apt with lists and state of its own, for an architecture that the host need not know. */
function aptOptions(platform: string): string[] {
  const architecture = platform.split('/')[1]!;
  const state = join(cacheFolder(), `apt-${architecture}`);
  mkdirSync(join(state, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(state, 'archives', 'partial'), { recursive: true });
  return [
    `Dir::State=${state}`,
    'Dir::State::status=/dev/null',
    `Dir::Cache=${state}`,
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
}

function onlyFile(folder: string, ending: string): string {
  const found = readdirSync(folder).filter((name) => name.endsWith(ending));
  if (found.length !== 1) throw new Error(`${found.length} files ${ending} where one was expected`);
  return found[0]!;
}

/** @throws Error with what the program wrote to standard error */
function run(program: string, arguments_: readonly string[], cwd: string): void {
  execFileSync(program, arguments_, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}

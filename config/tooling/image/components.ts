/*
 * What an image consists of besides our own code: JavaScript packages as package-lock.json names them, packages of the
 * distribution, and what Node itself is built with. Each becomes a line of the SBOM.
 */
import type { LockedFile } from './lock.js';

/** One part with a version of its own. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** Package URL (ECMA-427), which also serves as its name within the SBOM. */
  readonly purl: string;
  /** SPDX expression; undefined where nobody says. */
  readonly license?: string | undefined;
  readonly sha512?: string | undefined;
  readonly dependsOn: readonly string[];
  /** Parts that were compiled into it. */
  readonly contains?: readonly { readonly name: string; readonly version: string }[] | undefined;
}

/** An entry of `packages` in package-lock.json. */
export interface LockEntry {
  readonly version: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** `packages` of package-lock.json: by path, as `node_modules/a/node_modules/b`. */
export type LockEntries = Readonly<Record<string, LockEntry>>;

/** Licences of the distribution's packages, which say so in a text and not in a field. */
const DEBIAN_LICENSES: Readonly<Record<string, string>> = {
  libc6: 'LGPL-2.1-or-later',
  'libgcc-s1': 'GPL-3.0-or-later WITH GCC-exception-3.1',
  'libstdc++6': 'GPL-3.0-or-later WITH GCC-exception-3.1',
};

/** `node_modules/a/node_modules/b` of a file below it; undefined for a file that belongs to no package. */
export function packagePath(file: string): string | undefined {
  const start = file.indexOf('node_modules/');
  const match = /^(?:.*node_modules\/)(?:@[^/]+\/)?[^/]+/.exec(file.slice(Math.max(start, 0)));
  return start < 0 ? undefined : match?.[0];
}

/** `b` of `node_modules/a/node_modules/b`. */
export const packageName = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/**
 * The packages at `paths` as components, in the order of their package URLs.
 * @throws Error for a package that package-lock.json does not have or has for development only
 */
export function npmComponents(paths: readonly string[], lock: LockEntries): Component[] {
  const inside = new Set(paths);
  const components = [...inside].map((path) => {
    const entry = lock[path];
    if (entry === undefined) throw new Error(`${path} is not in package-lock.json.`);
    if (entry.dev === true) throw new Error(`${path} is a package for development.`);
    return npmComponent(path, entry, { lock, inside });
  });
  return sortedComponents(components);
}

/** What several places bring twice is there once. */
export function sortedComponents(components: readonly Component[]): Component[] {
  const byPurl = new Map(components.map((component) => [component.purl, component]));
  return [...byPurl.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

function npmComponent(
  path: string,
  entry: LockEntry,
  { lock, inside }: { readonly lock: LockEntries; readonly inside: ReadonlySet<string> },
): Component {
  const name = packageName(path);
  const wanted = Object.keys({ ...entry.dependencies, ...entry.optionalDependencies });
  const found = wanted
    .map((dependency) => resolved(dependency, path, lock))
    .filter((place) => place !== undefined && inside.has(place));
  return {
    name,
    version: entry.version,
    purl: npmPurl(name, entry.version),
    license: entry.license,
    sha512: hexOf(entry.integrity),
    dependsOn: found.map((place) => npmPurl(packageName(place!), lock[place!]!.version)).sort(),
  };
}

/** Where Node finds the package `name` for a package at `from`. */
function resolved(name: string, from: string, lock: LockEntries): string | undefined {
  for (let folder = `${from}/`; folder !== '';) {
    const place = `${folder}node_modules/${name}`;
    if (Object.hasOwn(lock, place)) return place;
    const above = folder.lastIndexOf('node_modules/');
    folder = above < 0 ? '' : folder.slice(0, above);
    if (folder === '') break;
  }
  return Object.hasOwn(lock, `node_modules/${name}`) ? `node_modules/${name}` : undefined;
}

const npmPurl = (name: string, version: string): string =>
  `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** package-lock.json writes base64, CycloneDX hexadecimal. */
function hexOf(integrity: string | undefined): string | undefined {
  const digest = /^sha512-(\S+)$/.exec(integrity ?? '')?.[1];
  return digest === undefined ? undefined : Buffer.from(digest, 'base64').toString('hex');
}

/** The packages of the distribution among the locked files of one platform. */
export function debianComponents(files: readonly LockedFile[]): Component[] {
  const debian = files.filter(({ registry }) => registry === 'debian');
  return sortedComponents(
    debian.map(({ name, version, platform }) => ({
      name,
      version,
      purl: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${platform.split('/')[1]!}&distro=debian-12`,
      license: DEBIAN_LICENSES[name],
      dependsOn: [],
    })),
  );
}

/** Adds to the component `node-...` what Node is built with, by its own account. */
export function withNodeParts(
  components: readonly Component[],
  versions: Readonly<Record<string, string | undefined>>,
): Component[] {
  const contains = Object.entries(versions)
    .filter(([name]) => name !== 'modules' && name !== 'napi')
    .map(([name, version]) => ({ name, version: version ?? '' }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return components.map((component) =>
    /^node-linux-/.test(component.name) ? { ...component, contains } : component,
  );
}

/*
 * What advisories are looked up for: the packages of package-lock.json and image.lock, or those of an SBOM.
 */
import { packageName, type LockEntries } from '../image/components.js';
import type { LockedFile } from '../image/lock.js';
import type { Subject } from './osv.js';

/** Debian's advisories name source packages. */
const DEBIAN_SOURCES: Readonly<Record<string, string>> = {
  libc6: 'glibc',
  'libgcc-s1': 'gcc-12',
  'libstdc++6': 'gcc-12',
  'gcc-12-base': 'gcc-12',
};

/** The distribution whose libraries the image has. */
const DEBIAN = 'Debian:12';

/** Everything that is installed for building, testing and running. */
export function lockSubjects(lock: LockEntries, locked: readonly LockedFile[]): Subject[] {
  const npm = Object.entries(lock)
    .filter(([path]) => path !== '')
    .map(([path, { version, dev }]) => ({
      ecosystem: 'npm',
      name: packageName(path),
      version,
      role: dev === true ? 'for development' : 'for the programs',
    }));
  const debian = locked.filter(({ registry }) => registry === 'debian');
  const node = locked.filter(({ to }) => to === 'usr/bin/node');
  return distinct([
    ...npm,
    ...debian.map(({ name, version }) => debianSubject(name, version)),
    ...node.map(({ version }) => nodeSubject(version)),
  ]);
}

const INSIDE = 'inside the image';

const debianSubject = (name: string, version: string): Subject => ({
  ecosystem: DEBIAN,
  name: DEBIAN_SOURCES[name] ?? name,
  version,
  role: INSIDE,
});

/** No ecosystem of OSV is Node's own; Bitnami's has advisories about it. */
const nodeSubject = (version: string): Subject => ({
  ecosystem: 'Bitnami',
  name: 'node',
  version,
  role: INSIDE,
});

/** The components of a CycloneDX document. @throws SyntaxError for text that is no JSON */
export function sbomSubjects(text: string): Subject[] {
  const { components = [] } = JSON.parse(text) as { components?: readonly { purl?: string }[] };
  return distinct(components.flatMap(({ purl = '' }) => subjectOf(purl)));
}

function subjectOf(purl: string): Subject[] {
  const [, type, path = '', version = ''] = /^pkg:(\w+)\/([^@]+)@([^?#]+)/.exec(purl) ?? [];
  const [name, plain] = [decodeURIComponent(path), decodeURIComponent(version)];
  if (type === 'deb') return [debianSubject(name.replace(/^debian\//, ''), plain)];
  if (type !== 'npm') return [];
  const npm = { ecosystem: 'npm', name, version: plain, role: INSIDE };
  return /^node-linux-/.test(name) ? [npm, nodeSubject(plain)] : [npm];
}

const distinct = (subjects: readonly Subject[]): Subject[] => [
  ...new Map(
    subjects.map((subject) => [`${subject.ecosystem} ${subject.name} ${subject.version}`, subject]),
  ).values(),
];

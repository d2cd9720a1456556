/* Writes image.lock anew: the same files, in the versions of package-lock.json and of what the distribution serves today. */
import { lockLine, parseLock, sha256, type LockedFile } from './lock.js';
import { debianVersion, lockedPackage, packageFiles, refreshDebian } from './sources.files.js';

/** `text` with present versions and hashes; comments stay. @throws Error for a file that a package no longer has */
export function updatedLock(text: string, root: string): string {
  const files = parseLock(text);
  const debian = files.filter(({ registry }) => registry === 'debian');
  for (const platform of new Set(debian.map((file) => file.platform))) refreshDebian(platform);
  const lines = text.split('\n');
  for (const file of files) lines[file.line - 1] = lockLine(updated(file, root));
  return lines.join('\n');
}

function updated(file: LockedFile, root: string): LockedFile {
  const { registry, name } = file;
  const version = registry === 'npm' ? lockedPackage(root, name).version : debianVersion(file);
  const bytes = packageFiles({ ...file, version }, root).get(file.from);
  if (bytes === undefined) throw new Error(`${name} ${version} has no file ${file.from}.`);
  return { ...file, version, sha256: sha256(bytes) };
}

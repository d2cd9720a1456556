/*
 * Writes projected volumes as a kubelet does: a new folder with every file, then one rename of the link `..data`, so that
 * a program never sees half of a change.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import type { VolumeFiles } from './pod-files.js';

const DATA = '..data';
const OWNER_AND_GROUP = 0o440;

/** Makes `folder` show exactly `files`; gives whether anything changed. */
export async function writeVolume(
  folder: string,
  { files, mode }: Omit<VolumeFiles, 'volume'>,
): Promise<boolean> {
  if (isCurrent(folder, files)) return false;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = `..${randomUUID()}`;
  await mkdir(`${folder}/${fresh}`, { mode: 0o700 });
  for (const [name, bytes] of files) {
    await writeFile(`${folder}/${fresh}/${name}`, bytes, { mode: mode & OWNER_AND_GROUP });
  }
  const old = (await readdir(folder)).filter((name) => name !== fresh && name !== DATA);
  await rm(`${folder}/${DATA}_tmp`, { force: true }); // Left by a run that was killed.
  await symlink(fresh, `${folder}/${DATA}_tmp`);
  await rename(`${folder}/${DATA}_tmp`, `${folder}/${DATA}`);
  for (const name of files.keys()) {
    if (!old.includes(name)) await symlink(`${DATA}/${name}`, `${folder}/${name}`);
  }
  for (const name of old) {
    if (!files.has(name)) await rm(`${folder}/${name}`, { recursive: true, force: true });
  }
  return true;
}

function isCurrent(folder: string, files: ReadonlyMap<string, Uint8Array>): boolean {
  if (!existsSync(`${folder}/${DATA}`)) return false;
  if (readdirSync(`${folder}/${DATA}`).length !== files.size) return false;
  return [...files].every(([name, bytes]) => {
    try {
      return readFileSync(`${folder}/${name}`).equals(bytes);
    } catch {
      return false;
    }
  });
}

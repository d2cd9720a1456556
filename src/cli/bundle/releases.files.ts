/*
 * A folder of releases as bundles brought them:
 *   versions/0.2.0/     the files of a bundle and its manifest.json
 *   current, previous   links to two of them
 *   incoming/           what is being unpacked; worth nothing
 * A release appears by a rename and a link changes by a rename, so that whoever is interrupted anywhere finds the old state
 * or the new one, and does the same again.
 */
import type { Stats } from 'node:fs';
import {
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ActionableError } from '../../runtime/errors.js';
import { MANIFEST_FILE, isVersion } from './manifest.js';

/** The two links. */
export type ReleaseLink = 'current' | 'previous';

/** Releases in one folder. */
export class Releases {
  constructor(readonly folder: string) {}

  /** Version that a link names; undefined without that link. @throws ActionableError ERR_STATE for anything else of that name */
  async version(link: ReleaseLink): Promise<string | undefined> {
    const path = join(this.folder, link);
    const found = await statOf(path);
    if (found === undefined) return undefined;
    const version = found.isSymbolicLink() ? basename(await readlink(path)) : '';
    if (isVersion(version)) return version;
    throw new ActionableError(
      'ERR_STATE',
      `${path} is not a link to a release.`,
      'Name another folder with --to, or remove it.',
    );
  }

  /** An empty folder to unpack into. */
  async incoming(): Promise<string> {
    const folder = join(this.folder, 'incoming');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** The folder of a release. */
  path(version: string): string {
    return join(this.folder, 'versions', version);
  }

  /**
   * Makes what stands in `incoming` the release `version`; one that is there already with the same manifest stays.
   * @throws ActionableError ERR_STATE if another bundle of that version is there
   */
  async admit(version: string, manifest: Buffer): Promise<void> {
    const incoming = join(this.folder, 'incoming');
    const target = this.path(version);
    if ((await statOf(target)) === undefined) {
      await writeFile(join(incoming, MANIFEST_FILE), manifest, { flush: true });
      await mkdir(join(this.folder, 'versions'), { recursive: true });
      await rename(incoming, target);
      await syncFolder(join(this.folder, 'versions'));
      return;
    }
    const present = await readFile(join(target, MANIFEST_FILE)).catch(() => Buffer.alloc(0));
    await rm(incoming, { recursive: true, force: true });
    if (!present.equals(manifest))
      throw new ActionableError(
        'ERR_STATE',
        `Another bundle of ${version} was loaded into ${this.folder} before.`,
        'Two releases with one version are not to be trusted: ask who signed them.',
      );
  }

  /** Makes `version` current, and what was current previous. Doing it twice changes nothing. */
  async use(version: string): Promise<void> {
    const before = await this.version('current');
    if (before === version) return;
    if (before !== undefined) await this.#link('previous', before);
    await this.#link('current', version);
  }

  async #link(link: ReleaseLink, version: string): Promise<void> {
    const temporary = join(this.folder, `.${link}`);
    await rm(temporary, { force: true });
    await symlink(join('versions', version), temporary);
    await rename(temporary, join(this.folder, link));
    await syncFolder(this.folder);
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  return lstat(path).catch((error: unknown) => {
    if ((error as { readonly code?: string }).code === 'ENOENT') return undefined;
    throw error;
  });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}

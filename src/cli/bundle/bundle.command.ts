/*
 * `bundle verify`, `bundle load`, `bundle rollback`: a release for a site without a network.
 */
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ActionableError, EXIT_CODE, messageOf } from '../../runtime/errors.js';
import type { Report } from '../terminal/report.js';
import { readBundle, type BundleVerdict } from './archive.files.js';
import { helmRollback, installCalls, runProgram, type Installation } from './install.process.js';
import { isVersion, signerIn, type BundleManifest, type BundleRefusal } from './manifest.js';
import { Releases } from './releases.files.js';

/** What the command line can ask of bundles. */
export type BundleCommand = { readonly output: 'text' | 'json' } & (
  | {
      readonly name: 'bundle verify';
      readonly file: string;
      /** Files of public keys, one of which has to have signed. */
      readonly keys: readonly string[];
      readonly installed: string | undefined;
    }
  | ({
      readonly name: 'bundle load';
      readonly file: string;
      readonly keys: readonly string[];
      readonly folder: string;
    } & Installation)
  | ({ readonly name: 'bundle rollback'; readonly folder: string } & Installation)
);

type Of<Name extends BundleCommand['name']> = Extract<BundleCommand, { name: Name }>;

const SAID: Readonly<Record<BundleRefusal, string>> = {
  'no-bundle': 'is not a bundle',
  unsigned: 'is not signed',
  'strange-signer': 'was signed with none of these keys, or changed since',
  'manifest-malformed': 'is signed, but for another release of this program',
  'older-version': 'is older than what is installed',
  changed: 'was changed',
  'cut-short': 'is cut short',
  'trailing-bytes': 'has bytes after its end',
};

/** Carries it out; gives the exit code. @throws ActionableError ERR_BUNDLE for an archive that is refused */
export async function runBundle(command: BundleCommand, report: Report): Promise<number> {
  switch (command.name) {
    case 'bundle verify':
      return verifyBundle(command, report);
    case 'bundle load':
      return loadBundle(command, report);
    case 'bundle rollback':
      return rollBack(command, report);
  }
}

async function verifyBundle(command: Of<'bundle verify'>, report: Report): Promise<number> {
  const { file, keys, installed } = command;
  if (installed !== undefined && !isVersion(installed))
    throw new ActionableError(
      'ERR_ARGUMENT',
      'What --installed says is no version.',
      'Write three numbers, like 0.1.0.',
    );
  const verdict = await readBundle(file, { signers: await signersIn(keys), installed }).catch(
    unreadable(file),
  );
  const { manifest } = accepted(file, verdict);
  report.result(summary(manifest), [
    `${file}: ${manifest.name} ${manifest.version}, ${manifest.files.length} files, signed and whole.`,
    `image ${manifest.image.repository}:${manifest.image.tag}@${manifest.image.digest}`,
  ]);
  return EXIT_CODE.ok;
}

async function loadBundle(command: Of<'bundle load'>, report: Report): Promise<number> {
  const { file, keys, folder } = command;
  const releases = new Releases(folder);
  const installed = await releases.version('current');
  const signers = await signersIn(keys);
  const into = await releases.incoming();
  const verdict = await readBundle(file, { signers, installed }, into).catch(unreadable(file));
  const { manifest, manifestBytes } = accepted(file, verdict);
  await releases.admit(manifest.version, manifestBytes);
  const calls = installCalls(releases.path(manifest.version), manifest, command);
  for (const call of calls) await runProgram(call);
  await releases.use(manifest.version);
  const previous = await releases.version('previous');
  report.result({ ...summary(manifest), folder: releases.path(manifest.version), previous }, [
    `${manifest.name} ${manifest.version} is in ${releases.path(manifest.version)} and current.`,
    ...(calls.length === 0 ? ['Nothing was installed: --release and --containerd do that.'] : []),
  ]);
  return EXIT_CODE.ok;
}

async function rollBack(command: Of<'bundle rollback'>, report: Report): Promise<number> {
  const releases = new Releases(command.folder);
  const [current, previous] = [
    await releases.version('current'),
    await releases.version('previous'),
  ];
  if (previous === undefined)
    throw new ActionableError(
      'ERR_STATE',
      `${command.folder} has no release before the current one.`,
      'Load the bundle of another release.',
    );
  if (command.release !== undefined) await runProgram(helmRollback(command, command.release));
  await releases.use(previous);
  report.result({ current: previous, previous: current }, [`${previous} is current again.`]);
  return EXIT_CODE.ok;
}

function accepted(
  file: string,
  verdict: BundleVerdict,
): Exclude<BundleVerdict, { refusal: BundleRefusal }> {
  if ('manifest' in verdict) return verdict;
  const { refusal, at } = verdict;
  throw new ActionableError(
    'ERR_BUNDLE',
    `${file} ${SAID[refusal]} (${refusal}: ${at}).`,
    refusal === 'older-version'
      ? 'Go back on purpose with "sallyport bundle rollback".'
      : 'Do not use it: fetch it again, and ask who signed it if it is refused again.',
  );
}

const summary = ({ name, version, revision, created, image, files }: BundleManifest) => ({
  name,
  version,
  revision,
  created: new Date(created * 1000).toISOString(),
  image,
  files: files.length,
});

async function signersIn(paths: readonly string[]): Promise<readonly KeyObject[]> {
  return Promise.all(
    paths.map(async (path) => {
      const text = await readFile(path, 'utf8').catch(unreadable(path));
      const key = signerIn(text);
      if (key !== undefined) return key;
      throw new ActionableError(
        'ERR_BUNDLE',
        `${path} holds no public key of Ed25519.`,
        'Name the PEM file that whoever signs bundles publishes: "-----BEGIN PUBLIC KEY-----".',
      );
    }),
  );
}

/** A file that is not there is the person's mistake; a disk that fails is not. */
const unreadable =
  (path: string) =>
  (cause: unknown): never => {
    const { code = '' } = cause as { readonly code?: string };
    if (!['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'EPERM'].includes(code)) throw cause;
    throw new ActionableError(
      'ERR_BUNDLE',
      `${path} cannot be read: ${messageOf(cause)}.`,
      'Name a file that is there and that you may read.',
      { cause },
    );
  };

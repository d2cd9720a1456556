/*
 * `identity create`, `restore`, `show`, `backup` and `passphrase`.
 */
import { changePassphrase } from '../../client/contacts/passphrase.change.js';
import { IdentityFile, type IdentityPlace } from '../../client/identity/identity.file.js';
import { IdentityError } from '../../client/identity/identity-error.js';
import { chooseBackend } from '../../crypto/backend.chooser.js';
import { toBase64url } from '../../protocol/lease/base64url.js';
import { ActionableError, EXIT_CODE } from '../../runtime/errors.js';
import { systemClock } from '../../runtime/system.clock.js';
import { access } from 'node:fs/promises';
import type { EndpointFlags, IdentityCommand } from '../commands.js';
import type { Report } from '../terminal/report.js';
import { day, pairs } from '../terminal/table.js';
import { Home } from './home.files.js';
import { askPhrase, backUp } from './phrase.dialogue.js';
import { readNewPassphrase, readSecret } from './secret.source.js';

/** Carries it out; gives the exit code. */
export async function runIdentity(command: IdentityCommand, report: Report): Promise<number> {
  if (command.name === 'identity passphrase') requireTwoSources(command);
  const file = await opened(command);
  try {
    if (command.name === 'identity create' && command.backup) await guided(file, report);
    if (command.name === 'identity backup') return await backup(file, report);
    if (command.name === 'identity passphrase') return await reseal(file, command, report);
    show(file, report);
    return EXIT_CODE.ok;
  } finally {
    file.close();
  }
}

/** Opens the identity of the endpoint's folder. The caller closes it. @throws IdentityError; ActionableError ERR_TERMINAL. */
export async function openIdentity({ home, passphrase }: EndpointFlags): Promise<IdentityFile> {
  const { identityPath } = new Home(home);
  await access(identityPath).catch(() => {
    throw missing(identityPath);
  });
  const secret = await readSecret(passphrase, 'Passphrase of the identity file: ');
  return usingPassphrase(secret, identityPath, (place) => IdentityFile.open(place));
}

async function opened(command: IdentityCommand): Promise<IdentityFile> {
  if (command.name === 'identity create') {
    const { words } = command;
    return madeIn(command, (place) => IdentityFile.create(place, words));
  }
  if (command.name === 'identity restore') {
    return madeIn(command, async (place) =>
      IdentityFile.restore(place, { phrase: await askPhrase() }),
    );
  }
  return openIdentity(command);
}

async function madeIn(
  { home, passphrase }: EndpointFlags,
  make: (place: IdentityPlace) => Promise<IdentityFile>,
): Promise<IdentityFile> {
  const place = new Home(home);
  await place.make();
  await refuseExisting(place.identityPath);
  const secret = await readNewPassphrase(passphrase);
  return usingPassphrase(secret, place.identityPath, make);
}

async function usingPassphrase(
  passphrase: Uint8Array,
  path: string,
  use: (place: IdentityPlace) => Promise<IdentityFile>,
): Promise<IdentityFile> {
  const { backend } = chooseBackend();
  try {
    return await use({ path, passphrase, backend, nowMs: systemClock.now().getTime() });
  } finally {
    passphrase.fill(0);
  }
}

/** Before anything is asked: IdentityFile would refuse it too, after a passphrase was typed twice. */
async function refuseExisting(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists)
    throw new IdentityError(
      'ERR_IDENTITY_EXISTS',
      `There is an identity at ${path} already.`,
      'Choose another folder with --home, or move the old file away yourself.',
    );
}

const missing = (path: string) =>
  new IdentityError(
    'ERR_IDENTITY_MISSING',
    `There is no identity at ${path}.`,
    'Make one with "sallyport identity create", restore one with "sallyport identity restore", or name --home.',
  );

/** A phrase that is not written down yet is no failure: it is said, and can be done later. */
async function guided(file: IdentityFile, report: Report): Promise<void> {
  const isBackedUp = await backUp(file.identity).catch((error: unknown) => {
    if ((error as { readonly code?: string }).code === 'ERR_TERMINAL') return false;
    throw error;
  });
  if (isBackedUp) await file.save();
  else report.note('The phrase is not backed up yet: "sallyport identity backup", at a terminal.');
}

async function backup(file: IdentityFile, report: Report): Promise<number> {
  const { identity } = file;
  const was = identity.needsBackup;
  const isBackedUp = await backUp(identity);
  if (isBackedUp && was) await file.save();
  const text = was
    ? 'The phrase was typed as it was shown. Its words are not kept here any more: keep the paper.'
    : 'The phrase was checked earlier, and its words are not kept here.';
  report.result({ backedUp: isBackedUp, checkedNow: was && isBackedUp }, [
    isBackedUp ? text : 'The phrase was not typed as it was shown. Try again.',
  ]);
  return isBackedUp ? EXIT_CODE.ok : EXIT_CODE.failed;
}

type PassphraseCommand = Extract<IdentityCommand, { name: 'identity passphrase' }>;

/** Before anything is read: what comes from a descriptor is read to its end. */
function requireTwoSources({ passphrase: old, newPassphrase: next }: PassphraseCommand): void {
  if (old.from !== 'descriptor' || next.from !== 'descriptor') return;
  if (old.descriptor !== next.descriptor) return;
  throw new ActionableError(
    'ERR_ARGUMENT',
    'One descriptor cannot give both passphrases.',
    'Name another one with --new-passphrase-fd.',
  );
}

/** Seals what belongs to the identity under another passphrase; stopped at any time, one of the two opens all of it. */
async function reseal(
  file: IdentityFile,
  { newPassphrase }: PassphraseCommand,
  report: Report,
): Promise<number> {
  const passphrase = await readNewPassphrase(newPassphrase);
  try {
    await changePassphrase(file, passphrase);
  } finally {
    passphrase.fill(0);
  }
  report.result({ changed: true, path: file.path }, [
    'From now on the new passphrase opens the files. Copies made before, also in backups, keep the old one.',
  ]);
  return EXIT_CODE.ok;
}

function show({ identity, path }: IdentityFile, report: Report): void {
  const { fingerprint, binding, needsBackup, revocations } = identity;
  const device = toBase64url(binding.deviceId);
  const value = {
    ...{ fingerprint, device, path, needsBackup },
    validUntil: new Date(binding.notAfterMs).toISOString(),
    revokedDevices: revocations.length,
  };
  report.result(
    value,
    pairs([
      ['fingerprint', fingerprint],
      ['device', device],
      ['device valid', `until ${day(binding.notAfterMs)}; renewed by itself when it is used`],
      ['phrase', needsBackup ? 'NOT backed up: sallyport identity backup' : 'backed up'],
      ['revoked devices', String(revocations.length)],
      ['file', path],
    ]),
  );
}

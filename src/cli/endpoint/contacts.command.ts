/*
 * `contacts ...` and `verify`: what is known of other people. Most of it needs no gateway.
 */
import type { Contact } from '../../client/contacts/contact-book.js';
import { EndpointMemory } from '../../client/contacts/memory.file.js';
import { EXIT_CODE } from '../../runtime/errors.js';
import type { ContactCommand } from '../commands.js';
import type { Report } from '../terminal/report.js';
import { columns } from '../terminal/table.js';
import { Terminal } from '../terminal/terminal.device.js';
import { connectPeer } from './connect.command.js';
import { withEndpoint } from './endpoint.session.js';
import { openIdentity } from './identity.command.js';
import { calledAs, fingerprintMeant } from './peer-name.js';
import { qrLines, safetyLines, sameNumber } from './safety-screen.js';

type BookCommand = Exclude<ContactCommand, { name: 'connect' | 'contacts accept' }>;

/** Carries it out; gives the exit code. */
export async function runContacts(command: ContactCommand, report: Report): Promise<number> {
  if (command.name === 'connect') return connectPeer(command, report);
  if (command.name === 'contacts accept')
    return withEndpoint(command, report, async ({ client }) => {
      const fingerprint = fingerprintMeant(client.contacts, command.peer);
      await client.accept(fingerprint);
      report.result({ accepted: fingerprint }, [`${fingerprint} is a contact now.`]);
      return EXIT_CODE.ok;
    });
  const identity = await openIdentity(command);
  try {
    const memory = await EndpointMemory.open(identity);
    const exitCode = await inBook(command, memory, report);
    await memory.save();
    return exitCode;
  } finally {
    identity.close();
  }
}

async function inBook(
  command: BookCommand,
  { book }: EndpointMemory,
  report: Report,
): Promise<number> {
  if (command.name === 'contacts list') {
    report.result(book.all.map(contactValue), contactLines(book.all));
    return EXIT_CODE.ok;
  }
  const fingerprint = fingerprintMeant(book.all, command.peer);
  if (command.name === 'verify') return verify(command, { book, fingerprint }, report);
  book.require(fingerprint);
  if (command.name === 'contacts block') book.add(fingerprint, 'blocked');
  else if (command.name === 'contacts remove') book.remove(fingerprint);
  else if (command.name === 'contacts rename') book.rename(fingerprint, command.as);
  else book.setPathPolicy(fingerprint, command.direct ? 'DirectAllowed' : 'RelayOnly');
  const contact = book.get(fingerprint);
  const rest = contact === undefined ? [] : [contact];
  report.result(rest.map(contactValue), rest.length === 0 ? ['Removed.'] : contactLines(rest));
  return EXIT_CODE.ok;
}

async function verify(
  { number }: Extract<ContactCommand, { name: 'verify' }>,
  { book, fingerprint }: Pick<EndpointMemory, 'book'> & { readonly fingerprint: string },
  report: Report,
): Promise<number> {
  const own = book.safetyNumber(fingerprint);
  const name = calledAs(book.all, fingerprint);
  for (const line of [...safetyLines(name, own), ...qrLines(own)]) report.note(line);
  const isSame = number === undefined ? await compared(report) : sameNumber(own, number);
  if (isSame === true) book.mark(fingerprint);
  if (isSame === false) book.unmark(fingerprint);
  const verified = book.require(fingerprint).verified;
  report.result({ fingerprint, safetyNumber: own, same: isSame ?? null, verified }, [
    verdict(name, isSame, verified),
  ]);
  return isSame === false ? EXIT_CODE.refused : EXIT_CODE.ok;
}

/** Undefined where nobody can be asked: the number was shown, which is all that is wanted then. */
function compared(report: Report): Promise<boolean> | undefined {
  if (report.screen === undefined) return undefined;
  const instead = 'Name the number of the other person with --number.';
  return Terminal.with(instead, (terminal) =>
    terminal.confirm('Does the other person see the same number?'),
  );
}

function verdict(name: string, isSame: boolean | undefined, verified: boolean): string {
  if (isSame === true) return `${name} is verified: nobody stands between you.`;
  if (isSame === false)
    return `The numbers DIFFER: somebody may stand between you and ${name}. The mark is gone.`;
  return verified ? `${name} was verified before.` : `${name} is not verified.`;
}

/** A contact as JSON shows it. */
export const contactValue = ({
  fingerprint,
  name = null,
  state,
  pathPolicy,
  verified,
  keyChanged,
  devices,
}: { readonly name?: string | null | undefined } & Omit<Contact, 'name'>): object => ({
  ...{ fingerprint, name, state, pathPolicy, verified, keyChanged },
  devices: devices.length,
});

/** Contacts as a table. */
export const contactLines = (contacts: readonly Contact[]): readonly string[] =>
  contacts.length === 0
    ? ['No contacts. Ask somebody: sallyport connect FINGERPRINT.']
    : columns(
        ['NAME', 'STATE', 'VERIFIED', 'ADDRESSES', 'FINGERPRINT'],
        contacts.map(({ name = '-', state, verified, keyChanged, pathPolicy, fingerprint }) => [
          name,
          state,
          keyChanged ? 'KEY CHANGED' : verified ? 'yes' : 'no',
          pathPolicy === 'RelayOnly' ? 'hidden' : 'shown',
          fingerprint,
        ]),
      );

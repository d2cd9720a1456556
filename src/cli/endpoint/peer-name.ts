import type { Contact } from '../../client/contacts/contact-book.js';
import { parseFingerprint } from '../../protocol/identity/account.js';
import { ActionableError } from '../../runtime/errors.js';

/** `sp1` and five characters: fewer are too easily made by somebody else. */
const MIN_PREFIX_CHARACTERS = 8;

/**
 * The fingerprint that a person means: a name, a whole fingerprint, or the beginning of one contact's.
 * @throws ActionableError ERR_PEER when it is nobody's or several contacts'.
 */
export function fingerprintMeant(contacts: readonly Contact[], text: string): string {
  const named = contacts.find(({ name }) => name === text);
  if (named !== undefined) return named.fingerprint;
  if (typeof parseFingerprint(text) !== 'string') return text;
  const begun = text.length < MIN_PREFIX_CHARACTERS ? [] : contacts.filter(beginsWith(text));
  const [only] = begun;
  if (only !== undefined && begun.length === 1) return only.fingerprint;
  const [problem, hint] =
    begun.length > 1
      ? ['Several contacts begin like that.', 'Write more of the fingerprint.']
      : ['There is no contact of this name or fingerprint.', 'See "sallyport contacts list".'];
  throw new ActionableError('ERR_PEER', problem, hint);
}

const beginsWith =
  (text: string) =>
  ({ fingerprint }: Contact): boolean =>
    fingerprint.startsWith(text);

/** What a contact is called: its name, or the beginning of its fingerprint. */
export const calledAs = (contacts: readonly Contact[], fingerprint: string): string =>
  contacts.find((contact) => contact.fingerprint === fingerprint)?.name ??
  `${fingerprint.slice(0, 12)}...`;

/** What a call about a contact ended with. Match on these, never on message text. */
export type ContactErrorCode =
  | 'ERR_CONTACT_FINGERPRINT' // The text is no fingerprint, or it is the own one.
  | 'ERR_CONTACT_UNKNOWN' // There is no such contact.
  | 'ERR_CONTACT_NAME' // The name is not printable text of 1 to 64 characters, or another contact has it.
  | 'ERR_CONTACT_NOT_ALLOWED' // The contact may not be talked to; `reason` says why.
  | 'ERR_CONTACT_ABSENT' // No device of the contact is connected. Nothing was queued anywhere.
  | 'ERR_CONTACT_UNTRUSTED' // What was shown as the contact's is not the contact's; `reason` says which rule it breaks.
  | 'ERR_CONTACT_NO_SESSION' // No session came about, or it ended; `reason` says how.
  | 'ERR_CONTACT_TOO_MANY'; // A limit of this endpoint is reached.

/** Why something with a contact did not happen. No message holds a key or a fingerprint. */
export class ContactError extends Error {
  override readonly name = 'ContactError';

  constructor(
    readonly code: ContactErrorCode,
    message: string,
    readonly reason?: string,
  ) {
    super(message);
  }
}

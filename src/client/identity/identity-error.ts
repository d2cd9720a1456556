/** What went wrong with an identity or its file. Match on these, never on message text. */
export type IdentityErrorCode =
  | 'ERR_IDENTITY_EXISTS' // A file is there already: nothing overwrites an identity.
  | 'ERR_IDENTITY_MISSING' // There is no such file.
  | 'ERR_IDENTITY_IN_USE' // Another program has this endpoint open.
  | 'ERR_IDENTITY_FILE_MODE' // Others may read or write the file, or it is not a plain file of this user.
  | 'ERR_IDENTITY_FILE_FORMAT' // The bytes are not a sealed file of ours, or of a later version.
  | 'ERR_IDENTITY_PASSPHRASE' // The passphrase does not open the file, or the file was changed: nobody can tell which.
  | 'ERR_IDENTITY_WEAK_PASSPHRASE' // The passphrase for a new file is too short, too long, or known to attackers.
  | 'ERR_IDENTITY_PHRASE' // The words are no phrase.
  | 'ERR_IDENTITY_CLOSED' // The identity was closed: its keys are erased.
  | 'ERR_IDENTITY_REVOKED'; // A device cannot revoke itself and go on, and a revoked one is never bound again.

/** A mistake of the person at this endpoint. `hint` says what to do; neither text holds a secret. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';

  /** `reason` is the closed refusal behind the code, where there is one. */
  constructor(
    readonly code: IdentityErrorCode,
    message: string,
    readonly hint: string,
    readonly reason?: string,
  ) {
    super(message);
  }
}

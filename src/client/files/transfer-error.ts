/** What a call about a file ended with. Match on these, never on message text. */
export type FileTransferErrorCode =
  | 'ERR_FILE_REFUSED' // This side or the other may not, or does not want to; `reason` is one of END_REASONS.
  | 'ERR_FILE_INTERRUPTED' // No session to the contact could be had; sent again, it goes on where it stopped.
  | 'ERR_FILE_SOURCE' // The file cannot be read, is no plain file, or has changed meanwhile.
  | 'ERR_FILE_FOLDER' // The folder for files cannot be used.
  | 'ERR_FILE_CLOSED'; // The transfers were closed.

/** Why a file was not sent or received. No message holds content. */
export class FileTransferError extends Error {
  override readonly name = 'FileTransferError';

  constructor(
    readonly code: FileTransferErrorCode,
    message: string,
    readonly reason?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

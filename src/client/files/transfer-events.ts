import type { EndReason } from './end-reason.js';
import type { TransferProgress } from './transfer-progress.js';

/** A file that a contact sends, or wants to. */
export interface IncomingName {
  /** Of the sender. */
  readonly fingerprint: string;
  /** The same in everything that is told of one offer. */
  readonly id: string;
  /** Harmless: the name as safeFileName gives it. */
  readonly name: string;
  readonly size: number;
}

/** A file that a contact offers, allowed by the roles of both sides. Nothing of it has come yet. */
export interface OfferedFile extends IncomingName {
  /** The ending of the name in lower case with its dot, `''` if it has none; what the content is shows when it comes. */
  readonly type: string;
}

/**
 * Asks the application, which asks its user, whether to take a file: only `true` is yes; a rejection is no, and told as
 * `refused`. The sender waits for as long as it takes. `signal` is aborted when the answer no longer matters: the sender
 * gave up, a role has changed, or the session is over.
 */
export type AcceptFile = (offer: OfferedFile, signal: AbortSignal) => boolean | Promise<boolean>;

/** What transfers tell, by name, with its arguments. */
export interface FileTransferEvents {
  /** At most ten times a second, and once when all is there. */
  progress: [file: IncomingName, progress: TransferProgress];
  /**
   * The file is whole, allowed, scanned where that is asked for, and on the disk at `path`. Told again, with the same path,
   * if the sender did not hear of it and offers the file again.
   */
  received: [file: IncomingName, path: string];
  /** The file will not come. With `scan-found`, `path` is in quarantine. */
  ended: [file: IncomingName, reason: EndReason, path: string | undefined];
  /** The session is over, and an offer that was not answered with it; the file goes on when the sender offers it again. */
  interrupted: [file: IncomingName];
  /** A message was not taken; the reason is from a closed list. */
  refused: [reason: string];
}

/** Tells one event. */
export type EmitTransfer = <Name extends keyof FileTransferEvents>(
  name: Name,
  ...args: FileTransferEvents[Name]
) => void;

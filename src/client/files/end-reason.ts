/** Why a transfer ended, in the order of their codes on the wire, from 1. A closed list: each is a metric label. */
export const END_REASONS = [
  'declined', // The person said no.
  'cancelled', // Either side gave up.
  'not-allowed', // The role of one side does not allow sending, or receiving, files.
  'no-grant', // A side has shown no grant that holds.
  'grant-ended', // ... or it ended meanwhile and no newer one came.
  'too-large', // For the role of one side, or for what is possible at all.
  'type-not-allowed', // By the ending of the name.
  'content-not-allowed', // The content is not what the ending says.
  'manifest', // The offer is malformed.
  'chunk', // A chunk is not the one that was promised.
  'out-of-turn', // A message that does not fit what went before.
  'busy', // The same file is under way, or too many are.
  'disk-full', // On the receiver's side; what came is kept for another try.
  'disk-failed', // Likewise.
  'file-changed', // The file is not what it was when it was offered.
  'scan-found', // The scanner found something; the file is in quarantine.
  'scan-failed', // The scanner is not there or did not answer; nothing is released.
] as const;

/** One of END_REASONS. */
export type EndReason = (typeof END_REASONS)[number];

/** The reason with this code, if there is one. */
export const endReason = (code: number): EndReason | undefined => END_REASONS[code - 1];

/** The code of a reason. */
export const endCode = (reason: EndReason): number => END_REASONS.indexOf(reason) + 1;

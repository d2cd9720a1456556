/*
 * Body of a `chat-invitation` envelope.
 *
 *    0    1   version   always 1
 *    1    1   intent    1 asks to become a contact, 2 accepts
 *
 * Who sends it is in the envelope. There is no intent that declines: who does not answer tells nothing.
 */

const VERSION = 1;
const INTENTS = { ask: 1, accept: 2 } as const;

/** What an invitation wants. */
export type Intent = keyof typeof INTENTS;
/** Why a body is no invitation. A closed list: each is a metric label. */
export type InvitationRefusal = 'invitation-length' | 'invitation-version' | 'invitation-intent';

/** The two bytes. */
export const encodeInvitation = (intent: Intent): Uint8Array =>
  Uint8Array.of(VERSION, INTENTS[intent]);

/** What the body wants, or why it is none. Never throws. */
export function decodeInvitation(bytes: Uint8Array): Intent | InvitationRefusal {
  if (bytes.length !== 2) return 'invitation-length';
  if (bytes[0] !== VERSION) return 'invitation-version';
  if (bytes[1] === INTENTS.ask) return 'ask';
  return bytes[1] === INTENTS.accept ? 'accept' : 'invitation-intent';
}

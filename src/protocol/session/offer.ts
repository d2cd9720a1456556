import { ascii, labelled } from '../bytes.js';
import { TOKEN_BYTES } from './handshake-datagram.js';

/** How long the token of an offer may be used, and only for one handshake (wire formats, B). */
export const TOKEN_LIFETIME_MS = 60_000;

export const SESSION_ID_BYTES = 16;
export const IDENTITY_BYTES = 32;

/** The one profile of this version. Its name is in the prologue, so that profiles never mix. */
export const PROFILE = 'Standard';
export type Profile = typeof PROFILE;

/** What both sides know of a session before its first message. */
export interface SessionParties {
  readonly profile: Profile;
  /** sid, 16 bytes: the first of SHA-256("sallyport session v1", spk). */
  readonly sessionId: Uint8Array;
  /** Ed25519 identity keys, 32 bytes each. */
  readonly initiatorIdentity: Uint8Array;
  readonly responderIdentity: Uint8Array;
  /** 16 bytes from the sealed offer. */
  readonly token: Uint8Array;
}

/**
 * The Noise prologue of a session (wire formats, B; Noise rev 34, section 6): a peer that means another session,
 * profile, token or pair of identities fails at the first tag.
 * @throws RangeError if a field has not its length: the caller's mistake.
 */
export function sessionPrologue(parties: SessionParties): Uint8Array {
  const { sessionId, initiatorIdentity, responderIdentity, token } = parties;
  requireLength('the session id', sessionId, SESSION_ID_BYTES);
  requireLength('the initiator identity', initiatorIdentity, IDENTITY_BYTES);
  requireLength('the responder identity', responderIdentity, IDENTITY_BYTES);
  requireLength('the token', token, TOKEN_BYTES);
  return labelled('sallyport session v1', [
    { variable: ascii(parties.profile) },
    sessionId,
    initiatorIdentity,
    responderIdentity,
    token,
  ]);
}

/**
 * Whose offer counts when both sides offered at the same time: that of the smaller identity key, compared as bytes.
 * Both sides come to the same answer without another message.
 * @throws RangeError if a key is not 32 bytes or both are the same: nobody has a session with himself.
 */
export function winningOffer(own: Uint8Array, peer: Uint8Array): 'own' | 'peer' {
  requireLength('the own identity', own, IDENTITY_BYTES);
  requireLength('the peer identity', peer, IDENTITY_BYTES);
  for (let i = 0; i < IDENTITY_BYTES; i++) {
    const difference = (own[i] ?? 0) - (peer[i] ?? 0);
    if (difference !== 0) return difference < 0 ? 'own' : 'peer';
  }
  throw new RangeError('both identities are the same');
}

function requireLength(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length)
    throw new RangeError(`${name} has ${bytes.length} bytes instead of ${length}`);
}

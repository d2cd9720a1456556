import type { CryptoContext } from '../key-store.js';
import type { KeyPair, HandshakeState } from '../noise/handshake-state.js';
import type { NoiseRefusal } from '../noise/noise-error.js';
import type { HandshakeDatagram, HandshakeDatagramRefusal } from './handshake-datagram.js';
import type { SessionParties } from './offer.js';
import type { RandomBytes } from './path-proofs.js';
import { Session } from './session.js';

/** Why a handshake datagram was refused. A closed list: each is a metric label, none is ever sent back. */
export type HandshakeRefusal =
  | HandshakeDatagramRefusal
  | NoiseRefusal
  | 'wrong-token'
  | 'token-expired'
  | 'token-used'
  | 'wrong-receiver'
  | 'wrong-turn'
  | 'too-many-attempts';

/**
 * Whether the peer is the expected one: its device binding as received, and the static key that this handshake proved.
 * It may not keep the arrays. Anything but `ok` refuses the message, and nothing of it reaches the application.
 */
export type JudgePeer<PeerRefusal extends string> = (
  binding: Uint8Array,
  remoteStatic: Uint8Array,
) => 'ok' | PeerRefusal;

/**
 * What a handshake begins with. The handshake owns `keys` from now on: it hands it to the session that it ends in, or
 * erases all of it.
 */
export interface SessionHandshakeOptions<PeerRefusal extends string> extends CryptoContext {
  readonly role: 'initiator' | 'responder';
  readonly parties: SessionParties;
  /** The X25519 key pair of this device; it stays its owner's and is read until the handshake ends. */
  readonly staticKey: KeyPair;
  /** This device's binding, and what travels with it: at most 378 bytes. */
  readonly binding: Uint8Array;
  /** What the peer is to write into its datagrams; unpredictable and unique among this endpoint's live sessions. */
  readonly localIndex: number;
  readonly judgePeer: JudgePeer<PeerRefusal>;
  /** Fills its argument with unpredictable bytes. */
  readonly random: RandomBytes;
  /** The monotonic time at which the offer was made or came: its token lives for 60 s from then. */
  readonly nowMs: number;
}

/** A handshake datagram and where it goes: undefined is every path that the owner wants to try. */
export interface HandshakeToSend<Path> {
  readonly datagram: Uint8Array;
  readonly path: Path | undefined;
}

/** One role of the handshake. The token was compared and has not expired when `receive` is called. */
export interface HandshakeSide<Path, PeerRefusal extends string> {
  readonly session: Session<Path> | undefined;
  readonly wakeMs: number;
  receive(
    datagram: HandshakeDatagram,
    path: Path,
    nowMs: number,
  ): HandshakeRefusal | PeerRefusal | undefined;
  datagramToSend(nowMs: number): HandshakeToSend<Path> | undefined;
}

/** The session that a finished handshake gives. The handshake's own secrets are erased by `split`. */
export function sessionOf<Path>(
  options: SessionHandshakeOptions<string>,
  noise: HandshakeState,
  peer: { readonly remoteIndex: number; readonly path: Path; readonly nowMs: number },
): Session<Path> {
  const { keys, localIndex, random } = options;
  return new Session({ keys, localIndex, random, ciphers: noise.split(), ...peer });
}

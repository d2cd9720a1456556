/*
 * What one session knows of the grants for calls of its two sides: which of ours the peer has, and what it has shown.
 */
import { ChannelFullError } from '../../protocol/channels/channels.js';
import type { GrantClaims } from '../../protocol/lease/grant.js';
import { encodeCallGrant } from '../contacts/chat-message.js';
import type { OwnGrant } from '../files/grant.holder.js';
import type { CallSession } from './call-client.js';

/** The grants of one session. */
export class CallPeer<Session extends CallSession> {
  readonly session: Session;
  /** What the peer has shown last; undefined if that was no grant, or nothing. */
  grant: GrantClaims | undefined;
  /** This side called. */
  hasStarted = false;
  #shown: OwnGrant | undefined;
  #shownId = -1;
  #acknowledgedId = -1;

  constructor(session: Session) {
    this.session = session;
  }

  /** Whether one of the two has shown a grant: then there is a call, or was one. */
  get isCalling(): boolean {
    return this.#shown !== undefined || this.grant !== undefined;
  }

  /** Whether the peer has `own`. */
  knows(own: OwnGrant): boolean {
    return this.#shown?.token === own.token && this.#acknowledgedId >= this.#shownId;
  }

  /** Shows `own` unless that was done; a channel that is full takes it another time. @throws what the session throws. */
  show(own: OwnGrant): void {
    if (this.#shown?.token === own.token || !this.session.isEstablished) return;
    try {
      this.#shownId = this.session.send('chat', encodeCallGrant(own.token));
      this.#shown = own;
    } catch (error) {
      if (!(error instanceof ChannelFullError)) throw error;
    }
  }

  /** The peer has message `id` of the chat channel and all before it. */
  acknowledged(id: number): void {
    this.#acknowledgedId = Math.max(this.#acknowledgedId, id);
  }
}

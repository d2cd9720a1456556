import type { Chats } from './chats.js';
import { decodeCallGrant } from './chat-message.js';
import type { Emit } from './client-events.js';
import type { PeerLinkHost } from './peer.link.js';

/** What sessions tell, sorted: the chat channel goes to `chats`, all else to the owner; `also` hears of both ends. */
export const linkEvents = (
  emit: Emit,
  chats: () => Chats,
  also: {
    readonly established: () => void;
    readonly ended: PeerLinkHost['events']['ended'];
  },
): PeerLinkHost['events'] => ({
  session: (session) => {
    also.established();
    emit('session', session.peer.fingerprint, session);
    chats().established(session.peer.fingerprint, session);
  },
  message: (session, channel, bytes) => {
    const { peer } = session;
    const grant = channel === 'chat' ? decodeCallGrant(bytes) : undefined;
    if (grant !== undefined) emit('call-grant', session, grant);
    else if (channel === 'chat') chats().received(peer.fingerprint, bytes);
    else emit('message', peer.fingerprint, channel, bytes);
  },
  acknowledged: ({ peer }, channel, id) => {
    if (channel === 'chat') chats().acknowledged(peer.fingerprint, id);
    emit('acknowledged', peer.fingerprint, channel, id);
  },
  writable: (session, channel) => {
    if (channel === 'chat') chats().writable(session.peer.fingerprint, session);
    else emit('writable', session.peer.fingerprint, channel);
  },
  path: ({ peer }, kind) => {
    emit('path', peer.fingerprint, kind);
  },
  encryptionFailure: ({ peer }, total) => {
    emit('encryption-failure', peer.fingerprint, total);
  },
  ended: (session, end) => {
    also.ended(session, end);
  },
});

import type { ConversationEvents } from './conversation-options.js';

/**
 * What a conversation tells, passed on to `events`; `ended` runs before they hear of the end. Classes have their methods
 * elsewhere than in themselves: each is passed on by name.
 */
export const passedOn = (events: ConversationEvents, ended: () => void): ConversationEvents => ({
  established: () => {
    events.established();
  },
  message: (channel, bytes) => {
    events.message(channel, bytes);
  },
  acknowledged: (channel, id) => {
    events.acknowledged(channel, id);
  },
  writable: (channel) => {
    events.writable(channel);
  },
  path: (kind) => {
    events.path(kind);
  },
  encryptionFailure: (total) => {
    events.encryptionFailure(total);
  },
  ended: (end) => {
    ended();
    events.ended(end);
  },
});

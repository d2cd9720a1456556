import type { ChannelEvents } from '../protocol/channels/channels.js';
import type { ConversationEvents } from './conversation-options.js';

/** What channels tell, passed on: messages of the session itself go to `control`, all others to the owner. */
export const channelEvents = (
  events: ConversationEvents,
  control: (bytes: Uint8Array) => void,
): ChannelEvents => ({
  message: (channel, bytes) => {
    if (channel === 'control') control(bytes);
    else events.message(channel, bytes);
  },
  acknowledged: (channel, id) => {
    events.acknowledged(channel, id);
  },
  writable: (channel) => {
    events.writable(channel);
  },
});

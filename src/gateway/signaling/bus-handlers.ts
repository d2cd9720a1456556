/*
 * What this replica answers to the others: for connections that are open here. Nothing here asks further.
 */
import type { BusAnswer, BusMessage } from '../bus.js';
import { connectedDevices, introduceHere } from './contact-handlers.js';
import { reachable } from './listeners.js';
import type { SignalingParts } from './parts.js';

/** The answer to a message of another replica; undefined: nothing to say. */
export function answerOnBus(parts: SignalingParts, message: BusMessage): BusAnswer {
  const nowMs = parts.clock.now().getTime();
  switch (message.type) {
    case 'deliver':
      return deliver(parts, message);
    case 'introduce':
      return answered(introduceHere(parts, message));
    case 'prekey':
      return prekeyAt(parts, message.token, nowMs);
    case 'devices': {
      const devices = connectedDevices(parts, message.account, nowMs);
      return devices.length === 0 ? undefined : { devices };
    }
    case 'tokens': {
      const taken = parts.state.table.taken(message.tokens);
      return taken.length === 0 ? undefined : { taken };
    }
    case 'connected':
      parts.state.connectedElsewhere(message, parts.clock.monotonicMs());
      return undefined;
    default:
      return undefined;
  }
}

const answered = (delivered: boolean | undefined): BusAnswer =>
  delivered === undefined ? undefined : { delivered };

function deliver(
  { state }: SignalingParts,
  { token, envelope }: Extract<BusMessage, { type: 'deliver' }>,
): BusAnswer {
  const listener = state.table.find(token);
  return answered(listener?.connection.notify('envelope.arrived', { token, envelope }));
}

function prekeyAt({ state }: SignalingParts, token: string, nowMs: number): BusAnswer {
  const listener = state.table.find(token);
  return listener === undefined ? undefined : reachable(listener, nowMs);
}

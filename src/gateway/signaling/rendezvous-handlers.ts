/*
 * Between contacts: prekeys, rendezvous tokens, envelopes (wire formats, B). Whoever addresses a token learns whether
 * somebody listens at it now, and nothing else; only the two devices of a contact can compute it.
 */
import { decodeDeviceBinding } from '../../protocol/identity/device-binding.js';
import { verifyPrekey } from '../../protocol/identity/prekey.js';
import { fromBase64urlText } from '../../protocol/lease/base64url.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import type { Handler, Handlers, RequestContext } from '../caller.js';
import { isAnswerTo } from './bus-schemas.js';
import { isEnvelopeText, isTokenText } from './envelope-text.js';
import { reachable } from './listeners.js';
import { BAD_REQUEST, BUS_TIMEOUT_MS, GONE, PEER_ABSENT, type SignalingParts } from './parts.js';

/** Handlers of `prekey.*`, `rendezvous.*` and `envelope.send`. */
export const rendezvousHandlers = (parts: SignalingParts) =>
  ({
    'prekey.publish': publishPrekey(parts),
    'rendezvous.listen': listen(parts),
    'rendezvous.forget': ({ tokens }, { connection }) => {
      const listener = parts.state.listeners.get(connection.id);
      if (listener !== undefined) parts.state.table.release(listener, tokens);
      return {};
    },
    'rendezvous.prekey': findPrekey(parts),
    'envelope.send': sendEnvelope(parts),
  }) satisfies Partial<Handlers>;

const publishPrekey =
  ({ state, backend }: SignalingParts): Handler<'prekey.publish'> =>
  ({ prekey }, context) => {
    const listener = state.listeners.get(context.connection.id);
    if (listener === undefined) return GONE;
    if (!isOwnPrekey(backend, prekey, context)) return { refused: 'proof-invalid' };
    listener.prekey = prekey;
    return {};
  };

function isOwnPrekey(
  backend: CryptoBackend,
  text: string,
  { caller, now }: RequestContext,
): boolean {
  const bytes = fromBase64urlText(text);
  const binding = decodeDeviceBinding(caller.binding);
  if (bytes === undefined || typeof binding === 'string') return false;
  return typeof verifyPrekey(backend, bytes, binding, now) !== 'string';
}

const listen =
  ({ state, bus }: SignalingParts): Handler<'rendezvous.listen'> =>
  async ({ tokens }, { connection }) => {
    if (!tokens.every(isTokenText)) return BAD_REQUEST;
    const listener = state.listeners.get(connection.id);
    if (listener === undefined) return GONE;
    const reserved = state.table.reserve(listener, tokens);
    if (typeof reserved === 'string') return { refused: reserved };
    if (reserved.length === 0) return {};
    const answer = await bus.ask({ type: 'tokens', tokens: reserved }, BUS_TIMEOUT_MS);
    if (answer !== undefined) {
      state.table.release(listener, reserved);
      return { refused: 'token-taken' };
    }
    state.table.confirm(listener, reserved, bus.areAllHeard);
    return {};
  };

const findPrekey =
  ({ state, bus }: SignalingParts): Handler<'rendezvous.prekey'> =>
  async ({ token }, { now }) => {
    if (!isTokenText(token)) return BAD_REQUEST;
    const listener = state.table.find(token);
    if (listener !== undefined) return reachable(listener, now) ?? PEER_ABSENT;
    const answer = await bus.ask({ type: 'prekey', token }, BUS_TIMEOUT_MS);
    return isAnswerTo('prekey', answer) ? answer : PEER_ABSENT;
  };

/** At once for a listener here: most envelopes wait for nobody. */
const sendEnvelope =
  ({ state, bus, metrics }: SignalingParts): Handler<'envelope.send'> =>
  ({ token, envelope }) => {
    if (!isTokenText(token) || !isEnvelopeText(envelope)) {
      metrics.envelope('token', 'refused');
      return BAD_REQUEST;
    }
    const listener = state.table.find(token);
    if (listener === undefined) return askOthers(bus, metrics, { token, envelope });
    return counted(metrics, listener.connection.notify('envelope.arrived', { token, envelope }));
  };

async function askOthers(
  bus: SignalingParts['bus'],
  metrics: SignalingParts['metrics'],
  message: { readonly token: string; readonly envelope: string },
) {
  const answer = await bus.ask({ type: 'deliver', ...message }, BUS_TIMEOUT_MS);
  return counted(metrics, wasDelivered(answer));
}

function counted(metrics: SignalingParts['metrics'], delivered: boolean) {
  metrics.envelope('token', delivered ? 'delivered' : 'absent');
  return delivered ? {} : PEER_ABSENT;
}

/** Whether another replica says that it handed an envelope to a connection. */
export const wasDelivered = (answer: unknown): boolean =>
  isAnswerTo('deliver', answer) && answer.delivered;

/*
 * First contact: between people who share no rendezvous token yet. It is the only place where one account names another,
 * so it is limited per account and hour, and what it reveals is only who is connected now: an account that does not
 * exist looks like one that is away.
 */
import type { Handler, Handlers, Refused } from '../caller.js';
import { isAnswerTo } from './bus-schemas.js';
import { isEnvelopeText, namesSender } from './envelope-text.js';
import type { FirstContactLimit } from './first-contact-limit.js';
import { reachable, type ReachableDevice } from './listeners.js';
import { BAD_REQUEST, BUS_TIMEOUT_MS, PEER_ABSENT, type SignalingParts } from './parts.js';
import { wasDelivered } from './rendezvous-handlers.js';

/** Devices in one answer (messages: contact.find). */
export const MAX_DEVICES = 8;

/** Handlers of `contact.*`. */
export const contactHandlers = (parts: SignalingParts) =>
  ({
    'contact.find': findContact(parts),
    'contact.introduce': introduce(parts),
  }) satisfies Partial<Handlers>;

const findContact =
  (parts: SignalingParts): Handler<'contact.find'> =>
  async ({ account }, { caller, now }) => {
    const limited = overLimit(parts, parts.state.finds, caller.account, now);
    if (limited !== undefined) return limited;
    const answers = await parts.bus.askAll({ type: 'devices', account }, BUS_TIMEOUT_MS);
    const elsewhere = answers.flatMap((answer) =>
      isAnswerTo('devices', answer) ? answer.devices : [],
    );
    return { devices: eachOnce([...connectedDevices(parts, account, now), ...elsewhere]) };
  };

const introduce =
  (parts: SignalingParts): Handler<'contact.introduce'> =>
  async ({ account, device, envelope }, { caller, now }) => {
    const { state, bus, metrics } = parts;
    const refused = misnamed(envelope, caller);
    if (refused !== undefined) {
      metrics.envelope('first-contact', 'refused');
      return refused;
    }
    const limited = overLimit(parts, state.introductions, caller.account, now);
    if (limited !== undefined) return limited;
    const delivered =
      introduceHere(parts, { account, device, envelope }) ??
      wasDelivered(await bus.ask({ type: 'introduce', account, device, envelope }, BUS_TIMEOUT_MS));
    metrics.envelope('first-contact', delivered ? 'delivered' : 'absent');
    return delivered ? {} : PEER_ABSENT;
  };

/** The devices of `account` that are connected here and have published a prekey, at most 8. */
export const connectedDevices = (
  { state, connections }: SignalingParts,
  account: string,
  nowMs: number,
): readonly ReachableDevice[] =>
  eachOnce(state.of(connections.of(account)).flatMap((one) => reachable(one, nowMs) ?? []));

/** Whether a connection of the device here took the envelope; undefined: it has none here. */
export function introduceHere(
  { state, connections }: SignalingParts,
  to: { readonly account: string; readonly device: string; readonly envelope: string },
): boolean | undefined {
  const [listener] = state.of(connections.of(to.account, to.device));
  return listener?.connection.notify('contact.introduced', { envelope: to.envelope });
}

function misnamed(
  envelope: string,
  caller: Parameters<typeof namesSender>[1],
): Refused | undefined {
  if (!isEnvelopeText(envelope)) return BAD_REQUEST;
  return namesSender(envelope, caller) ? undefined : { refused: 'proof-invalid' };
}

function overLimit(
  { firstContactsPerHour, metrics }: SignalingParts,
  limit: FirstContactLimit,
  account: string,
  nowMs: number,
): Refused | undefined {
  const retryAfterSeconds = limit.take(account, firstContactsPerHour(), nowMs);
  if (retryAfterSeconds === 0) return undefined;
  metrics.firstContactLimited();
  return { refused: 'too-many', retryAfterSeconds };
}

/** Each device once, the first that is named: a device may have an older connection at another replica. */
function eachOnce(devices: readonly ReachableDevice[]): ReachableDevice[] {
  const byBinding = new Map<string, ReachableDevice>();
  for (const one of devices) if (!byBinding.has(one.device)) byBinding.set(one.device, one);
  return [...byBinding.values()].slice(0, MAX_DEVICES);
}

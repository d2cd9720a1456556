/*
 * The open connections of this replica as signaling sees them: what each listens at, and the prekey that its device has
 * published. It goes when the connection does.
 */
import { decodePrekey } from '../../protocol/identity/prekey.js';
import { fromBase64urlText, toBase64url } from '../../protocol/lease/base64url.js';
import type { Caller, Connection } from '../caller.js';
import type { AnswerTo } from './bus-schemas.js';
import { HandshakeBudget } from './handshake-budget.js';
import type { TokenHolder } from './rendezvous-table.js';

/** Revocations that go with a device, newest last (messages: reachableDevice). */
const MAX_REVOCATIONS = 16;

/** A connected device and how to seal something for it. */
export type ReachableDevice = AnswerTo<'prekey'>;

/** A connection that can be reached. */
export interface Listener extends TokenHolder {
  readonly connection: Connection;
  /** Monotonic milliseconds. */
  readonly openedAtMs: number;
  readonly budget: HandshakeBudget;
  /** base64url of a verified prekey of this device. */
  prekey?: string;
}

/** One name for a device of an account. */
export const deviceNameOf = ({ account, device }: Pick<Caller, 'account' | 'device'>): string =>
  `${account}/${device}`;

/** A listener for a connection that has just been opened. */
export const listenerOf = (connection: Connection, openedAtMs: number): Listener => ({
  connection,
  openedAtMs,
  deviceName: deviceNameOf(connection.caller),
  superseded: false,
  tokens: new Set(),
  unsure: new Set(),
  budget: new HandshakeBudget(),
});

/** What a sender needs to seal an envelope for this device; undefined: it has published no prekey that holds now. */
export function reachable(listener: Listener, nowMs: number): ReachableDevice | undefined {
  const { prekey, connection } = listener;
  if (prekey === undefined || !holdsAt(prekey, nowMs)) return undefined;
  const { binding, revocations } = connection.caller;
  return {
    device: toBase64url(binding),
    prekey,
    revocations: revocations.slice(-MAX_REVOCATIONS).map(toBase64url),
  };
}

function holdsAt(text: string, nowMs: number): boolean {
  const bytes = fromBase64urlText(text);
  const prekey = bytes === undefined ? 'prekey-length' : decodePrekey(bytes);
  return typeof prekey !== 'string' && nowMs < prekey.notAfterMs;
}

/** Those that are not superseded first: of each device that is its newest connection. */
export const newestFirst = (listeners: readonly Listener[]): readonly Listener[] =>
  [...listeners].sort((a, b) => Number(a.superseded) - Number(b.superseded));

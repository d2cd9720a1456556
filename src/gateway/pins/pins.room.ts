/*
 * The room of pins: tells endpoints over which keys they may be spoken to from now on, after each login and when it
 * changes. A replica waits after it saw another key, because the others take it up within the same minutes: an endpoint
 * must not learn keys that half of them do not show yet.
 */
import type { NoticeBody } from '../../messages/notices.js';
import type { Counter } from '../../runtime/metrics.js';
import type { Connection } from '../caller.js';
import type { Room, RoomContext } from '../rooms.js';
import type { GatewaySettings } from '../settings.js';
import { choosePins, pinUpdateText, type PinChoice } from './pin-update.js';
import { signPinUpdate } from './pin.signer.js';

/** The kubelet brings a Secret to all pods within 90 s or so. */
const SETTLE_MS = 180_000;
/** An update is made anew so often: what an endpoint holds never ends while it comes now and then. */
const RENEW_MS = 86_400_000;
const OUTCOMES = ['sent', 'undelivered'] as const;

/** What the room is given by the server. */
export interface PinParts {
  /** Chain and key that endpoints are shown now, as PEM. */
  readonly leaf: () => PublicLeaf | undefined;
  /** Pin of the key that follows. */
  readonly nextPin: () => string | undefined;
}

/** A certificate chain and its key. */
export interface PublicLeaf {
  readonly certificate: string;
  readonly key: string;
  /** Tells one leaf from another. */
  readonly fingerprint: string;
}

/** A signed update, and the pin of the key that signed it. */
interface Update {
  readonly body: NoticeBody<'pins.update'>;
  readonly signer: string;
  readonly choice: string;
  readonly madeMs: number;
}

/** The part of the context that this room uses. */
export interface PinContext extends Pick<RoomContext, 'clock' | 'metrics' | 'log'> {
  readonly settings: () => Pick<GatewaySettings, 'hosts' | 'trustedProxies'>;
}

/** Makes the room; it answers no requests. */
export function createPins(context: PinContext, parts: PinParts): Room {
  return new Pins(context, parts);
}

class Pins implements Room {
  readonly handlers = {};
  /** By the pin of the leaf that each connection was shown. */
  readonly #connections = new Map<Connection, string | undefined>();
  readonly #updates: Counter;
  #choice: { readonly from: string; readonly choice: PinChoice | undefined } | undefined;
  #update: Update | undefined;
  /** What is to be told, and since when it is so. */
  #wanted: { readonly choice: string; readonly sinceMs: number } | undefined;

  constructor(
    private readonly context: PinContext,
    private readonly parts: PinParts,
  ) {
    this.#updates = context.metrics.counter({
      name: 'sallyport_gateway_pin_updates_total',
      help: 'Pin updates for endpoints, by whether they could be sent.',
      labelNames: ['outcome'],
    });
    for (const outcome of OUTCOMES) this.#updates.inc({ outcome }, 0);
  }

  opened(connection: Connection): void {
    this.#look(this.context.clock.now().getTime());
    this.#connections.set(connection, this.#chosen()?.pins[0]);
    this.#tell(connection);
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
  }

  tick(now: number): void {
    if (this.#look(now)) for (const connection of this.#connections.keys()) this.#tell(connection);
  }

  /** Takes up what is to be told now; gives whether that is something new. */
  #look(now: number): boolean {
    const chosen = this.#chosen();
    const leaf = this.parts.leaf();
    if (!chosen || !leaf) {
      this.#update = undefined;
      return false;
    }
    const choice = JSON.stringify(chosen);
    const before = this.#update;
    const isFresh = before?.choice === choice && now - before.madeMs < RENEW_MS;
    if (!this.#hasSettled(choice, now) || isFresh) return false;
    this.#update = this.#made(chosen, leaf, now);
    return this.#update !== undefined && this.#update.choice !== before?.choice;
  }

  /** Whether this has been so for long enough; what the process finds at its start is nothing that changed. */
  #hasSettled(choice: string, now: number): boolean {
    const isFirst = this.#wanted === undefined;
    if (this.#wanted?.choice !== choice)
      this.#wanted = { choice, sinceMs: isFirst ? -Infinity : now };
    return now - this.#wanted.sinceMs >= SETTLE_MS;
  }

  #made(chosen: PinChoice, { key }: PublicLeaf, now: number): Update | undefined {
    const update = pinUpdateText(chosen, now);
    try {
      const body = { update, signature: signPinUpdate(update, key) };
      const [signer = ''] = chosen.pins;
      return { body, signer, choice: JSON.stringify(chosen), madeMs: now };
    } catch (error) {
      this.context.log.warn('pin update not made', { error });
      return undefined;
    }
  }

  /** Behind an ingress endpoints see the key of the ingress, for which nobody here can speak. */
  #chosen(): PinChoice | undefined {
    const { hosts, trustedProxies } = this.context.settings();
    const leaf = this.parts.leaf();
    if (trustedProxies.required || !leaf) return undefined;
    const nextPin = this.parts.nextPin();
    const from = JSON.stringify([leaf.fingerprint, nextPin, hosts]);
    if (this.#choice?.from !== from) {
      const choice = choosePins({ chain: leaf.certificate, nextPin, hosts });
      this.#choice = { from, choice };
    }
    return this.#choice.choice;
  }

  /** An endpoint takes an update only of the key that its own connection was shown. */
  #tell(connection: Connection): void {
    const update = this.#update;
    if (!update || this.#connections.get(connection) !== update.signer) return;
    const isTaken = connection.notify('pins.update', update.body);
    this.#updates.inc({ outcome: isTaken ? 'sent' : 'undelivered' });
  }
}

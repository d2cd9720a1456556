/*
 * Reaches devices of contacts through the gateway: asks for the prekey under their token, judges what comes, and hands
 * envelopes over. Nothing is queued: who is not connected is absent, and that is said at once.
 */
import type { AnswerBody } from '../../messages/requests.js';
import type { EnvelopeKind } from '../../protocol/envelope/sealed-message.js';
import { verifyPrekey, type Prekey } from '../../protocol/identity/prekey.js';
import type { CryptoBackend } from '../../protocol/crypto-backend.js';
import { fromBase64urlText } from '../../protocol/lease/base64url.js';
import { GatewayError } from '../gateway/gateway-error.js';
import type { ContactBook, ContactDevice, Learned } from './contact-book.js';
import { ContactError } from './contact-error.js';
import type { Mailbox } from './mailbox.js';
import type { KnownDevice, RendezvousTable } from './rendezvous-table.js';
import type { AskGateway } from './session-leases.js';

/** What reaching others needs. */
export interface OutgoingParts {
  readonly backend: CryptoBackend;
  readonly book: ContactBook;
  readonly mailbox: Mailbox;
  readonly table: RendezvousTable;
  readonly ask: AskGateway;
  /** Unix ms. */
  readonly nowMs: () => number;
  /** A binding of a contact came that was not known as it is. */
  readonly learned: (fingerprint: string, learned: Learned) => void;
}

/** A device that is connected now, and its verified prekey. */
export interface Reached {
  readonly known: KnownDevice;
  readonly prekey: Prekey;
}

/** What goes into an envelope. */
export interface Content {
  readonly kind: EnvelopeKind;
  readonly body: Uint8Array;
}

type ReachableDevice = AnswerBody<'rendezvous.prekey'>;

/** Sends envelopes of this device. */
export class Outgoing {
  readonly #parts: OutgoingParts;

  constructor(parts: OutgoingParts) {
    this.#parts = parts;
  }

  /**
   * The device if it is connected, undefined if it is not. @throws ContactError ERR_CONTACT_UNTRUSTED if something else
   * was shown in its place; GatewayError.
   */
  async reach(known: KnownDevice): Promise<Reached | undefined> {
    const { table, ask, nowMs } = this.#parts;
    const token = table.tokenOf(known.device, nowMs());
    if (token === undefined) return undefined;
    const shown = await ask('rendezvous.prekey', { token }).catch(ifAbsent);
    if (shown === undefined) return undefined;
    const reached = this.#judge(known.fingerprint, shown);
    if (Buffer.compare(reached.known.device.keys.deviceId, known.device.keys.deviceId) !== 0)
      throw untrusted('prekey-other-device');
    return reached;
  }

  /** Hands an envelope to a reached device; false if it has gone meanwhile. @throws GatewayError. */
  async send({ known, prekey }: Reached, content: Content): Promise<boolean> {
    const { table, ask, nowMs } = this.#parts;
    const token = table.tokenOf(known.device, nowMs());
    const envelope = this.#seal(prekey, content, false);
    if (token === undefined) return false;
    const sent = await ask('envelope.send', { token, envelope }).catch(ifAbsent);
    return sent !== undefined;
  }

  /** The connected devices of an account that does not know this device yet. @throws as `reach`. */
  async find(fingerprint: string): Promise<readonly Reached[]> {
    const found = await this.#parts.ask('contact.find', { account: fingerprint }).catch(ifAbsent);
    return (found?.devices ?? []).map((shown) => this.#judge(fingerprint, shown));
  }

  /** Hands an envelope that names this device to one of another account; false if it is not connected. @throws GatewayError. */
  async introduce({ known, prekey }: Reached, content: Content): Promise<boolean> {
    const envelope = this.#seal(prekey, content, true);
    const device = Buffer.from(known.device.keys.deviceId).toString('base64url');
    const account = known.fingerprint;
    const sent = await this.#parts
      .ask('contact.introduce', { account, device, envelope })
      .catch(ifAbsent);
    return sent !== undefined;
  }

  #seal(prekey: Prekey, content: Content, firstContact: boolean): string {
    const { mailbox, nowMs } = this.#parts;
    const envelope = mailbox.seal({ ...content, prekey, firstContact }, nowMs());
    if (envelope === undefined) throw untrusted('zero-shared-secret');
    return envelope;
  }

  #judge(fingerprint: string, shown: ReachableDevice): Reached {
    const { book, backend, nowMs, learned } = this.#parts;
    const binding = bytesOf(shown.device);
    const revocations = shown.revocations.map(bytesOf);
    const outcome = book.learn(fingerprint, { binding, revocations }, nowMs());
    if (isRefusal(outcome)) throw untrusted(outcome);
    learned(fingerprint, outcome);
    const device = deviceOf(book, fingerprint, binding);
    const prekey = verifyPrekey(backend, bytesOf(shown.prekey), device.keys, nowMs());
    if (typeof prekey === 'string') throw untrusted(prekey);
    return { known: { fingerprint, device }, prekey };
  }
}

const LEARNED: readonly string[] = ['known', 'first-device', 'device-added', 'device-changed'];
/** Whether a binding was refused. */
export const isRefusal = (
  outcome: ReturnType<ContactBook['learn']>,
): outcome is Exclude<typeof outcome, Learned> => !LEARNED.includes(outcome);

/** The device of a binding that the book has just taken. */
function deviceOf(book: ContactBook, fingerprint: string, binding: Uint8Array): ContactDevice {
  const id = Buffer.from(binding.subarray(33, 49));
  const device = book.require(fingerprint).devices.find(({ keys }) => id.equals(keys.deviceId));
  if (device === undefined) throw untrusted('binding-revoked');
  return device;
}

const bytesOf = (text: string): Uint8Array => fromBase64urlText(text) ?? new Uint8Array();

const untrusted = (reason: string) =>
  new ContactError(
    'ERR_CONTACT_UNTRUSTED',
    `What was shown as this contact's is not (${reason}).`,
    reason,
  );

function ifAbsent(error: unknown): undefined {
  if (!(error instanceof GatewayError)) throw error;
  if (error.reason !== 'peer-absent' && error.reason !== 'not-found') throw error;
  return undefined;
}

/*
 * The tokens under which contacts reach this device, by day. What a gateway holds is for one connection: after a new
 * one all of them are registered again.
 */
import { MAX_RENDEZVOUS_TOKENS } from '../../messages/peer-requests.js';
import {
  listeningDays,
  rendezvousToken,
  sendingDay,
  type RendezvousPair,
} from '../../protocol/identity/rendezvous.js';
import type { CryptoContext } from '../../protocol/key-store.js';
import { toBase64url } from '../../protocol/lease/base64url.js';
import type { KeyPair } from '../../protocol/noise/handshake-state.js';
import type { ContactDevice } from './contact-book.js';

/** What to tell the gateway. */
export interface TokenChanges {
  /** base64url, as messages hold them. */
  readonly listen: readonly string[];
  readonly forget: readonly string[];
  /** Devices that cannot reach this one, because a connection takes no more tokens. */
  readonly leftOut: number;
}

interface Listening {
  readonly fingerprint: string;
  readonly device: ContactDevice;
}

/** A device of a contact, with the name of its account. */
export interface KnownDevice extends Listening {
  readonly device: ContactDevice;
}

/** Which tokens are registered, and for whom. */
export class RendezvousTable {
  readonly #context: CryptoContext;
  readonly #own: () => KeyPair;
  readonly #registered = new Map<string, Listening>();
  /** Each token takes a Diffie-Hellman: they are computed once. */
  readonly #computed = new Map<string, string | undefined>();

  /** `own` is the static key pair of this device. */
  constructor(context: CryptoContext, own: () => KeyPair) {
    this.#context = context;
    this.#own = own;
  }

  /** Whose token it is, in base64url; undefined for one that was never registered on this connection. */
  whose(token: string): KnownDevice | undefined {
    return this.#registered.get(token);
  }

  /** What to register and to take back so that exactly `devices` can reach this one at `nowMs`. */
  changes(devices: readonly KnownDevice[], nowMs: number): TokenChanges {
    const days = listeningDays(nowMs);
    this.#forgetOldDays(days);
    const wanted = new Map<string, Listening>();
    let leftOut = 0;
    for (const known of devices) {
      const tokens = days.flatMap((day) => this.#token(known.device, 'own', day) ?? []);
      if (wanted.size + tokens.length > MAX_RENDEZVOUS_TOKENS) leftOut++;
      else for (const token of tokens) wanted.set(token, known);
    }
    const listen = [...wanted.keys()].filter((token) => !this.#registered.has(token));
    const forget = [...this.#registered.keys()].filter((token) => !wanted.has(token));
    for (const [token, known] of wanted) this.#registered.set(token, known);
    for (const token of forget) this.#registered.delete(token);
    return { listen, forget, leftOut };
  }

  /** The connection is another one: nothing is registered there. */
  reset(): void {
    this.#registered.clear();
  }

  /** The token at which `device` listens today; undefined for a key of low order. */
  tokenOf(device: ContactDevice, nowMs: number): string | undefined {
    return this.#token(device, 'peer', sendingDay(nowMs));
  }

  #token(
    { keys }: ContactDevice,
    recipient: RendezvousPair['recipient'],
    day: number,
  ): string | undefined {
    const name = `${day} ${recipient} ${toBase64url(keys.x25519)}`;
    if (!this.#computed.has(name))
      this.#computed.set(name, this.#compute(keys.x25519, recipient, day));
    return this.#computed.get(name);
  }

  #compute(
    peerPublicKey: Uint8Array,
    recipient: RendezvousPair['recipient'],
    day: number,
  ): string | undefined {
    const { privateKey: ownPrivateKey, publicKey: ownPublicKey } = this.#own();
    const pair = { ownPrivateKey, ownPublicKey, peerPublicKey, recipient };
    const token = rendezvousToken(this.#context, pair, day);
    return token && toBase64url(token);
  }

  #forgetOldDays(days: readonly number[]): void {
    const oldest = Math.min(...days);
    for (const name of this.#computed.keys())
      if (Number(name.slice(0, name.indexOf(' '))) < oldest) this.#computed.delete(name);
  }
}

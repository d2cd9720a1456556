/*
 * Which connection listens at which rendezvous token. A token belongs to one listener; a listener that a newer
 * connection of the same device has superseded yields its tokens to that one. Nothing here knows who addresses a token.
 *
 * Every listener may hold 64 tokens. What it holds beyond comes from a pool of the replica, of which one listener gets at
 * most a 64th of what is free. So memory is bounded by the pool and the number of connections, and whoever comes after
 * any number of hoarders still gets his 64.
 */
import { MAX_RENDEZVOUS_TOKENS } from '../../messages/peer-requests.js';

/** Tokens of all listeners beyond their first 64: about 130 MB. */
export const TOKEN_POOL = 1 << 20;
/** What every listener may hold, whatever others do. */
export const GUARANTEED_TOKENS = 64;
/** The part of the free pool that one listener may hold. */
const SHARE = 64;

/** Who holds tokens. */
export interface TokenHolder {
  /** Names the device: the same one for each of its connections. */
  readonly deviceName: string;
  /** A newer connection of this device is open, here or at another replica. */
  superseded: boolean;
  /** Only the table changes it. */
  readonly tokens: Set<string>;
  /** Those of them that another replica may have given as well: not all of them could be asked. Only the table changes it. */
  readonly unsure: Set<string>;
}

/** Why tokens are not registered. */
export type ListenRefusal = 'token-taken' | 'quota-reached';

/** Tokens and their holders at one replica. */
export class RendezvousTable<Holder extends TokenHolder> {
  readonly #holders = new Map<string, Holder>();
  /** Held, but other replicas are still asked. Nothing is delivered there yet. */
  readonly #reserved = new Set<string>();

  /** Tokens beyond the guaranteed ones, of all holders. */
  #pooled = 0;

  constructor(private readonly pool = TOKEN_POOL) {}

  /** Tokens that are held, reserved ones included. */
  get size(): number {
    return this.#holders.size;
  }

  /** How many tokens one listener may hold now. */
  get limit(): number {
    const free = Math.max(0, this.pool - this.#pooled);
    return Math.min(MAX_RENDEZVOUS_TOKENS, GUARANTEED_TOKENS + Math.floor(free / SHARE));
  }

  /** Reserves all of `tokens` and gives those that were not the holder's before; or none of them, and says why. */
  reserve(holder: Holder, tokens: readonly string[]): readonly string[] | ListenRefusal {
    const wanted = [...new Set(tokens)].filter((token) => !holder.tokens.has(token));
    if (wanted.some((token) => !this.#yields(token, holder))) return 'token-taken';
    if (this.#exceeds(holder, wanted)) return 'quota-reached';
    for (const token of wanted) {
      this.#drop(token);
      this.#holders.set(token, holder);
      this.#reserved.add(token);
      holder.tokens.add(token);
      if (holder.tokens.size > GUARANTEED_TOKENS) this.#pooled += 1;
    }
    return wanted;
  }

  /**
   * From now on what is addressed to `tokens` is the holder's, as far as it still has them. `areSure`: every other
   * replica has said that it has not given them.
   */
  confirm(holder: Holder, tokens: readonly string[], areSure: boolean): void {
    for (const token of tokens) {
      if (!holder.tokens.has(token)) continue;
      this.#reserved.delete(token);
      if (areSure) holder.unsure.delete(token);
      else holder.unsure.add(token);
    }
  }

  /** Takes back those of `tokens` that are the holder's. */
  release(holder: Holder, tokens: Iterable<string>): void {
    for (const token of tokens) if (holder.tokens.has(token)) this.#drop(token);
  }

  /** Takes back all tokens of a holder: its connection has ended. */
  remove(holder: Holder): void {
    this.release(holder, [...holder.tokens]);
  }

  /** Who is reached at `token`. */
  find(token: string): Holder | undefined {
    return this.#reserved.has(token) ? undefined : this.#holders.get(token);
  }

  /** Those of `tokens` that are held here while another replica wants them. Superseded holders yield theirs. */
  taken(tokens: readonly string[]): readonly string[] {
    return tokens.filter((token) => {
      if (this.#holders.get(token)?.superseded === true) this.#drop(token);
      return this.#holders.has(token);
    });
  }

  /** Tokens that only change hands need no room. */
  #exceeds(holder: Holder, wanted: readonly string[]): boolean {
    if (holder.tokens.size + wanted.length > MAX_RENDEZVOUS_TOKENS) return true;
    const fresh = wanted.filter((token) => !this.#holders.has(token)).length;
    return fresh > 0 && holder.tokens.size + fresh > this.limit;
  }

  #yields(token: string, to: Holder): boolean {
    const holder = this.#holders.get(token);
    return (
      holder === undefined ||
      (holder.superseded && !to.superseded && holder.deviceName === to.deviceName)
    );
  }

  #drop(token: string): void {
    const holder = this.#holders.get(token);
    if (holder === undefined) return;
    if (holder.tokens.size > GUARANTEED_TOKENS) this.#pooled -= 1;
    holder.tokens.delete(token);
    holder.unsure.delete(token);
    this.#holders.delete(token);
    this.#reserved.delete(token);
  }
}

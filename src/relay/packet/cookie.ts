/*
 * Cookies (wire formats, B): proof that who asks receives at the address that it sends from, without any state here.
 * A secret made at start signs address, session and nonce; a restart makes all cookies void. UDP and TCP have secrets of
 * their own, so that a cookie of one is none of the other.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { COOKIE_EPOCH_MS, cookieInput } from '../../protocol/relay/signing.js';
import { FIRST_TCP_LINK, LINK_WORD, seenOf } from './address.js';

/** Makes and checks cookies. */
export class Cookies {
  /** The secrets are 32 random bytes each and stay in this object. */
  constructor(
    private readonly udpSecret: Uint8Array,
    private readonly tcpSecret: Uint8Array,
  ) {}

  /** The cookie for the address at `at`, valid for 30 to 60 s from `now` (monotonic ms). */
  make(words: Uint32Array, at: number, question: CookieQuestion, now: number): Uint8Array {
    return this.#make(words, at, question, Math.floor(now / COOKIE_EPOCH_MS));
  }

  /** Whether `cookie` (32 bytes) is ours for the address at `at`, of this epoch or the one before. */
  isValid(
    words: Uint32Array,
    at: number,
    proof: CookieQuestion & { readonly cookie: Uint8Array },
    now: number,
  ): boolean {
    const epoch = Math.floor(now / COOKIE_EPOCH_MS);
    const isOf = (of: number) =>
      of >= 0 && timingSafeEqual(this.#make(words, at, proof, of), proof.cookie);
    return isOf(epoch) || isOf(epoch - 1);
  }

  #make(
    words: Uint32Array,
    at: number,
    { session, nonce }: CookieQuestion,
    epoch: number,
  ): Uint8Array {
    const secret = (words[at + LINK_WORD] ?? 0) < FIRST_TCP_LINK ? this.udpSecret : this.tcpSecret;
    const input = cookieInput({ epoch: BigInt(epoch), seen: seenOf(words, at), session, nonce });
    return createHmac('sha256', secret).update(input).digest();
  }
}

/** What a cookie is asked for; views of the frame. */
export interface CookieQuestion {
  readonly session: Uint8Array;
  readonly nonce: Uint8Array;
}

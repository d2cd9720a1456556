/*
 * Which paths lead to the peer. A path is proven when a sealed challenge went out on it and its answer came back on it
 * (as RFC 9000, section 8.2, does for QUIC): a datagram with a good tag from a new address may have been captured and
 * sent on by anybody.
 */
import { equalBytes } from '../bytes.js';
import { Backoff } from './backoff.js';
import { PATH_CHALLENGE_BYTES } from './control-message.js';

/** A path that does not answer within this time is given up (architecture 5: at most 5 s to move). */
export const PATH_PROOF_TIMEOUT_MS = 5_000;
const FIRST_REPEAT_MS = 250;
const MAX_REPEAT_MS = 1_000;

/** More paths than candidates of one endpoint; the oldest goes, so that a roaming peer cannot make it grow. */
const MAX_PATHS = 8;

/** Fills its argument with random bytes from the caller's generator. */
export type RandomBytes = (out: Uint8Array) => void;

interface Probe {
  readonly challenge: Uint8Array;
  readonly backoff: Backoff;
  readonly untilMs: number;
}

/** The proven paths of one session and the challenges under way. Paths are opaque and compared by identity. */
export class PathProofs<Path> {
  readonly #random: RandomBytes;
  readonly #probes = new Map<Path, Probe>();
  readonly #proven = new Set<Path>();

  constructor(random: RandomBytes, firstPath: Path) {
    this.#random = random;
    this.#proven.add(firstPath);
  }

  /** Whether the peer answered on `path`, or the handshake was finished on it. */
  isProven(path: Path): boolean {
    return this.#proven.has(path);
  }

  /** Asks for a proof of `path`. Nothing happens if one is under way or the path is proven. */
  probe(path: Path, nowMs: number): void {
    if (this.#proven.has(path) || this.#probes.has(path)) return;
    dropOldest(this.#probes, MAX_PATHS - 1);
    const challenge = new Uint8Array(PATH_CHALLENGE_BYTES);
    this.#random(challenge);
    const backoff = new Backoff(nowMs, FIRST_REPEAT_MS, MAX_REPEAT_MS);
    this.#probes.set(path, { challenge, backoff, untilMs: nowMs + PATH_PROOF_TIMEOUT_MS });
  }

  /** A challenge that is due, and the path on which it goes; undefined if none is. */
  take(nowMs: number): { path: Path; challenge: Uint8Array } | undefined {
    for (const [path, { challenge, backoff, untilMs }] of this.#probes) {
      if (nowMs >= untilMs) this.#probes.delete(path);
      else if (backoff.take(nowMs)) return { path, challenge };
    }
    return undefined;
  }

  /** True if `answer` proves `path`: it equals the challenge under way on that path, and no other. */
  answered(answer: Uint8Array, path: Path): boolean {
    const probe = this.#probes.get(path);
    if (probe === undefined || !equalBytes(probe.challenge, answer)) return false;
    this.#probes.delete(path);
    dropOldest(this.#proven, MAX_PATHS - 1);
    this.#proven.add(path);
    return true;
  }

  /** Forgets `path`, whether proven or not: it has to prove itself again. */
  forget(path: Path): void {
    this.#probes.delete(path);
    this.#proven.delete(path);
  }

  /** When `take` may have something to give; Infinity if no proof is under way. */
  get dueMs(): number {
    return Math.min(...[...this.#probes.values()].map(({ backoff }) => backoff.dueMs));
  }
}

function dropOldest<Key>(
  held: { readonly size: number; keys(): Iterator<Key>; delete(key: Key): boolean },
  most: number,
): void {
  if (held.size <= most) return;
  const oldest = held.keys().next();
  if (oldest.done !== true) held.delete(oldest.value);
}

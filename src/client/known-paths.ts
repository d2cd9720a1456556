import type { DatagramPath } from './datagram-path.js';
import { choosePath, SILENT_AFTER_MS, silentAtMs, type KnownPath } from './path-choice.js';
import type { RelayUse } from './relay-departure.js';

/** Ways that are known at a time: more than candidates of two endpoints. */
const MAX_PATHS = 8;
/** Who asks whether a way is silent this late was not scheduled, and has answers waiting in its socket. */
const LATE_MS = 250;

type IsProven = (path: DatagramPath) => boolean;

/** The ways of one conversation, which of them owe an answer, and which one the peer uses. */
export class KnownPaths {
  readonly #known: KnownPath[] = [];
  /** Where the peer sends what is not about a way itself. */
  #peers: DatagramPath | undefined;

  /** Those on which datagrams may go. */
  get open(): DatagramPath[] {
    return this.all.filter(({ isOpen }) => isOpen);
  }

  /** All of them. */
  get all(): DatagramPath[] {
    return this.#known.map(({ path }) => path);
  }

  /** When the next direct way will have been silent for too long; Infinity if none owes an answer. */
  get silentMs(): number {
    return Math.min(...this.#direct.map(silentAtMs));
  }

  /** From now on `path` is one; nothing happens if it is, or if there are too many. */
  add(path: DatagramPath): void {
    if (this.#find(path) === undefined && this.#known.length < MAX_PATHS)
      this.#known.push({ path, unansweredSinceMs: Infinity, heardMs: -Infinity });
  }

  /** Forgets `path`. */
  remove(path: DatagramPath): void {
    const at = this.all.indexOf(path);
    if (at >= 0) this.#known.splice(at, 1);
    if (path === this.#peers) this.#peers = undefined;
  }

  /** The peer was heard on `path`; `isItsChoice` if it would have sent the same on another way that it prefers. */
  heard(path: DatagramPath, nowMs: number, isItsChoice: boolean): void {
    const known = this.#find(path);
    if (known === undefined) return;
    known.unansweredSinceMs = Infinity;
    known.heardMs = nowMs;
    if (isItsChoice) this.#peers = path;
  }

  /** The peer was asked on `path` and owes an answer. */
  asked(path: DatagramPath, nowMs: number): void {
    const known = this.#find(path);
    if (known?.unansweredSinceMs === Infinity) known.unansweredSinceMs = nowMs;
  }

  /** Direct ways that have been silent for too long; each is given once. */
  takeSilent(nowMs: number): DatagramPath[] {
    const due = this.#direct.filter((one) => silentAtMs(one) <= nowMs);
    const silent = due.filter((one) => nowMs - silentAtMs(one) <= LATE_MS);
    for (const one of due)
      one.unansweredSinceMs = silent.includes(one) ? Infinity : nowMs - SILENT_AFTER_MS + LATE_MS;
    return silent.map(({ path }) => path);
  }

  /**
   * Whether the peer is heard on a way that is worse than `active`: it has left `active` because it is dead for it, or it
   * has not come there yet. Either way it is to be asked there.
   */
  isPeerBehind(active: DatagramPath | undefined): boolean {
    const peers = this.#peers;
    if (active === undefined || peers === undefined || peers.kind === 'direct') return false;
    return active.kind === 'direct' || peers.generation < active.generation;
  }

  /** How the ways through one relay are used; `active` is this side's. */
  relayUse(generation: number, active: DatagramPath | undefined, isProven: IsProven): RelayUse {
    const ways = this.#known.filter(({ path }) => path.generation === generation);
    return {
      isProven: ways.some(({ path }) => path.isOpen && isProven(path)),
      isInUse: ways.some(({ path }) => path === active || path === this.#peers),
      heardMs: Math.max(...ways.map(({ heardMs }) => heardMs)),
    };
  }

  /** The way that datagrams go, or undefined if there is none. */
  choose(isProven: IsProven): DatagramPath | undefined {
    return choosePath(this.#known, isProven);
  }

  /** Hands everything that was committed to the network. */
  flush(): void {
    for (const { path } of this.#known) path.flush();
  }

  get #direct(): KnownPath[] {
    return this.#known.filter(({ path }) => path.kind === 'direct');
  }

  #find(path: DatagramPath): KnownPath | undefined {
    return this.#known.find((known) => known.path === path);
  }
}

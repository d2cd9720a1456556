import type { DatagramPath } from './datagram-path.js';
import { choosePath, isSilent, SILENT_AFTER_MS, type KnownPath } from './path-choice.js';

/** Ways that are known at a time: more than candidates of two endpoints. */
const MAX_PATHS = 8;

/** The ways of one conversation, and which of them owe an answer. */
export class KnownPaths {
  readonly #known: KnownPath[] = [];

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
    const direct = this.#known.filter(({ path }) => path.kind === 'direct');
    return Math.min(...direct.map(({ unansweredSinceMs }) => unansweredSinceMs + SILENT_AFTER_MS));
  }

  /** From now on `path` is one; nothing happens if it is, or if there are too many. */
  add(path: DatagramPath): void {
    if (this.#find(path) === undefined && this.#known.length < MAX_PATHS)
      this.#known.push({ path, unansweredSinceMs: Infinity });
  }

  /** Forgets `path`. */
  remove(path: DatagramPath): void {
    const at = this.all.indexOf(path);
    if (at >= 0) this.#known.splice(at, 1);
  }

  /** The peer was heard on `path`. */
  heard(path: DatagramPath): void {
    const known = this.#find(path);
    if (known !== undefined) known.unansweredSinceMs = Infinity;
  }

  /** The peer was asked on `path` and owes an answer. */
  asked(path: DatagramPath, nowMs: number): void {
    const known = this.#find(path);
    if (known?.unansweredSinceMs === Infinity) known.unansweredSinceMs = nowMs;
  }

  /** Direct ways that have been silent for too long; each is given once. */
  takeSilent(nowMs: number): DatagramPath[] {
    const silent = this.#known.filter((one) => one.path.kind === 'direct' && isSilent(one, nowMs));
    for (const known of silent) known.unansweredSinceMs = Infinity;
    return silent.map(({ path }) => path);
  }

  /** The way that datagrams go, or undefined if there is none. */
  choose(isProven: (path: DatagramPath) => boolean): DatagramPath | undefined {
    return choosePath(this.#known, isProven);
  }

  /** Hands everything that was committed to the network. */
  flush(): void {
    for (const { path } of this.#known) path.flush();
  }

  #find(path: DatagramPath): KnownPath | undefined {
    return this.#known.find((known) => known.path === path);
  }
}

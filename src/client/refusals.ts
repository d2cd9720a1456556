import type { JudgePeer } from '../protocol/session/handshake-options.js';

/** What only a changed or invented datagram leads to. A binding that is refused counts beside them. */
const OF_CRYPTOGRAPHY: readonly string[] = ['wrong-tag', 'zero-shared-secret', 'integrity-limit'];

/** Counts of what was not taken, by reason, and of the signs that somebody is in between (threats, T2). */
export class Refusals<Reason extends string> {
  /** Told each time with the count so far. */
  readonly #onEncryptionFailure: (total: number) => void;
  readonly #counts = new Map<Reason, number>();
  #encryptionFailures = 0;
  #metStranger = false;

  constructor(onEncryptionFailure: (total: number) => void) {
    this.#onEncryptionFailure = onEncryptionFailure;
  }

  get counts(): ReadonlyMap<Reason, number> {
    return this.#counts;
  }

  /** Tags, shared secrets and bindings that were wrong. */
  get encryptionFailures(): number {
    return this.#encryptionFailures;
  }

  /** Whether a handshake showed a binding that is not the expected peer's. */
  get metStranger(): boolean {
    return this.#metStranger;
  }

  /** Judges as `judge` does, and notices what it refuses. */
  watching<PeerRefusal extends string>(judge: JudgePeer<PeerRefusal>): JudgePeer<PeerRefusal> {
    return (binding, remoteStatic) => {
      const verdict = judge(binding, remoteStatic);
      if (verdict === 'ok') return verdict;
      this.#metStranger = true;
      this.#fail();
      return verdict;
    };
  }

  /** Counts `reason`, if there is one. */
  count(reason: Reason | undefined): void {
    if (reason === undefined) return;
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (OF_CRYPTOGRAPHY.includes(reason)) this.#fail();
  }

  #fail(): void {
    this.#encryptionFailures++;
    this.#onEncryptionFailure(this.#encryptionFailures);
  }
}

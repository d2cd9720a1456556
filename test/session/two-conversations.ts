/*
 * Two conversations in virtual time and the ways between them: each way can be cut in either direction.
 */
import type { BindingRefusal } from '../../src/protocol/identity/device-binding.js';
import { Conversation } from '../../src/client/conversation.js';
import type { DatagramPath, PathKind } from '../../src/client/datagram-path.js';
import { ALICE, BOB, optionsOf } from './two-sessions.js';

/** One end of a way. */
export class WayEnd implements DatagramPath {
  isOpen = true;
  readonly #room = new Uint8Array(1_212);

  constructor(
    readonly kind: PathKind,
    readonly generation: number,
    private readonly put: (datagram: Uint8Array) => void,
  ) {}

  room(): Uint8Array {
    return this.#room;
  }

  commit(length: number): void {
    this.put(this.#room.slice(0, length));
  }

  flush(): void {
    // `commit` has done it.
  }
}

/** A way between Alice (0) and Bob (1). */
export class TwoEndedWay {
  /** Whether what each side sends gets lost. */
  readonly dead: [boolean, boolean] = [false, false];
  readonly ends: readonly [WayEnd, WayEnd];
  /** Datagrams that were put on it by each side. */
  readonly sent: [number, number] = [0, 0];

  constructor(
    readonly world: TwoConversations,
    kind: PathKind,
    generation: number,
  ) {
    const end = (from: 0 | 1) =>
      new WayEnd(kind, generation, (datagram) => {
        this.sent[from]++;
        if (this.dead[from]) return;
        world.later(() => {
          this.#arrive(from === 0 ? 1 : 0, datagram);
        });
      });
    this.ends = [end(0), end(1)];
  }

  #arrive(to: 0 | 1, datagram: Uint8Array): void {
    this.world.sides[to].conversation.receive(datagram, this.ends[to], this.world.nowMs);
  }
}

/** What one side does and is told. */
export interface ConversationSide {
  readonly conversation: Conversation<BindingRefusal>;
  readonly paths: { readonly kind: PathKind; readonly atMs: number }[];
  readonly texts: string[];
}

const ONE_WAY_MS = 10;
const STEP_MS = 5;

/** Both, and a clock; each datagram takes 10 ms. */
export class TwoConversations {
  nowMs = 0;
  readonly sides: readonly [ConversationSide, ConversationSide];
  readonly #due: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor() {
    this.sides = [this.#aSide('initiator'), this.#aSide('responder')];
  }

  /** Runs `what` when a datagram that is sent now arrives. */
  later(run: () => void): void {
    this.#due.push({ atMs: this.nowMs + ONE_WAY_MS, run });
  }

  /** Pumps both sides every 5 ms until `untilMs`; `each` runs before. */
  run(untilMs: number, each: () => void = () => undefined): void {
    for (; this.nowMs < untilMs; this.nowMs += STEP_MS) {
      while (this.#due[0] !== undefined && this.#due[0].atMs <= this.nowMs)
        this.#due.shift()!.run();
      each();
      for (const { conversation } of this.sides) this.#pump(conversation);
    }
  }

  #pump(conversation: Conversation<BindingRefusal>): void {
    for (let i = 0; i < 100; i++) if (conversation.pump(this.nowMs) > this.nowMs) return;
    throw new Error('something is due without end');
  }

  #aSide(role: 'initiator' | 'responder'): ConversationSide {
    const [self, peer] = role === 'initiator' ? [ALICE, BOB] : [BOB, ALICE];
    const paths: ConversationSide['paths'] = [];
    const texts: string[] = [];
    const conversation = new Conversation<BindingRefusal>({
      handshake: optionsOf(role, self, peer),
      callMode: 'wideband',
      events: {
        established: () => undefined,
        message: (_, bytes) => texts.push(Buffer.from(bytes).toString()),
        acknowledged: () => undefined,
        writable: () => undefined,
        path: (kind) => paths.push({ kind, atMs: this.nowMs }),
        encryptionFailure: () => undefined,
        ended: (end) => texts.push(`ended: ${end}`),
      },
    });
    return { conversation, paths, texts };
  }
}

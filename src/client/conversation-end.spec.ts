import { describe, expect, it } from '@jest/globals';
import type { BindingRefusal } from '../protocol/identity/device-binding.js';
import { KeyStore } from '../protocol/key-store.js';
import { CloseReason } from '../protocol/session/control-message.js';
import { ALICE, BOB, MALLORY, optionsOf } from '../../test/session/two-sessions.js';
import type { Account } from '../../test/identities.js';
import { Conversation } from './conversation.js';
import type { DatagramPath } from './datagram-path.js';

const PEER_SILENT_MS = 65_000;
const HANDSHAKE_MS = 60_000;
const KEEP_ALIVE_MS = 20_000;

/** A way that keeps what is sent on it. */
class Outbox implements DatagramPath {
  readonly kind = 'relay-udp';
  readonly generation = 1;
  isOpen = true;
  readonly sent: Uint8Array[] = [];
  readonly #room = new Uint8Array(1_212);

  room(): Uint8Array {
    return this.#room;
  }

  commit(length: number): void {
    this.sent.push(this.#room.slice(0, length));
  }

  flush(): void {
    // `commit` has done it.
  }
}

interface Side {
  readonly conversation: Conversation<BindingRefusal>;
  readonly path: Outbox;
  readonly keys: KeyStore;
  readonly told: string[];
}

function aSide(role: 'initiator' | 'responder', self: Account, peer: Account): Side {
  const told: string[] = [];
  const keys = new KeyStore();
  const path = new Outbox();
  const tell = (event: string) => () => {
    told.push(event);
  };
  const conversation = new Conversation<BindingRefusal>({
    handshake: optionsOf(role, self, peer, { keys }),
    callMode: 'wideband',
    events: {
      established: tell('established'),
      message: (_, bytes) => {
        told.push(Buffer.from(bytes).toString());
      },
      acknowledged: tell('acknowledged'),
      writable: tell('writable'),
      path: () => undefined,
      encryptionFailure: (total) => {
        told.push(`encryption failure ${total}`);
      },
      ended: (end) => {
        told.push(`${end}, ${keys.liveSlices} keys`);
      },
    },
  });
  conversation.addPath(path, 0);
  return { conversation, path, keys, told };
}

/** Both sides say everything that they have to say at `nowMs`; what `loses` names is lost. */
function exchange(a: Side, b: Side, nowMs: number, loses?: Side): void {
  for (let round = 0; round < 20; round++) {
    a.conversation.pump(nowMs);
    b.conversation.pump(nowMs);
    const [fromA, fromB] = [a.path.sent.splice(0), b.path.sent.splice(0)];
    if (fromA.length + fromB.length === 0) return;
    if (loses !== a) for (const bytes of fromA) b.conversation.receive(bytes, b.path, nowMs);
    if (loses !== b) for (const bytes of fromB) a.conversation.receive(bytes, a.path, nowMs);
  }
  throw new Error('they talk without end');
}

/** Lets a clock go by steps that both sides' timers ask for, at least 10 ms each. */
function run(a: Side, b: Side, { from, to, loses }: { from: number; to: number; loses?: Side }) {
  for (let nowMs = from; nowMs <= to;) {
    exchange(a, b, nowMs, loses);
    const wakeMs = Math.min(a.conversation.pump(nowMs), b.conversation.pump(nowMs), to);
    nowMs = nowMs === to ? to + 1 : Math.min(to, Math.max(nowMs + 10, wakeMs));
  }
}

function aTalk(): { alice: Side; bob: Side } {
  const alice = aSide('initiator', ALICE, BOB);
  const bob = aSide('responder', BOB, ALICE);
  exchange(alice, bob, 0);
  expect([...alice.told, ...bob.told]).toEqual(['established', 'established']);
  return { alice, bob };
}

describe('a conversation that is closed', () => {
  it('erases its keys at once and says so after 0, 100 and 300 ms', () => {
    const { alice } = aTalk();
    alice.conversation.close(CloseReason.done, 1_000);
    expect(alice.told.at(-1)).toBe('closed-here, 0 keys');
    const counts: number[] = [];
    const wakes: number[] = [];
    for (const nowMs of [1_000, 1_099, 1_100, 1_299, 1_300, 9_000]) {
      wakes.push(alice.conversation.pump(nowMs));
      counts.push(alice.path.sent.length);
    }
    expect(counts).toEqual([1, 1, 2, 2, 3, 3]);
    expect(wakes).toEqual([1_100, 1_100, 1_300, 1_300, Infinity, Infinity]);
  });

  it.each([0, 1, 2])(
    'T46: ends its peer, whose keys are erased, if only close %i arrives',
    (which) => {
      const { alice, bob } = aTalk();
      alice.conversation.close(CloseReason.done, 1_000);
      for (const nowMs of [1_000, 1_100, 1_300]) alice.conversation.pump(nowMs);
      bob.conversation.receive(alice.path.sent[which]!, bob.path, 1_300);
      expect(bob.told.at(-1)).toBe('closed-by-peer, 0 keys');
    },
  );

  it('sends nothing more on a way that has closed', () => {
    const { alice } = aTalk();
    alice.conversation.close(CloseReason.done, 1_000);
    alice.path.isOpen = false;
    expect(alice.conversation.pump(1_400)).toBe(Infinity);
    expect(alice.path.sent).toHaveLength(1);
  });
});

describe('a conversation whose peer is gone', () => {
  it('T46: ends as peer-silent after 65 s without a datagram that opened, with its keys erased', () => {
    const { alice, bob } = aTalk();
    run(alice, bob, { from: 0, to: PEER_SILENT_MS - 1, loses: bob });
    expect(alice.conversation.end).toBeUndefined();
    expect(alice.conversation.pump(PEER_SILENT_MS - 1)).toBe(PEER_SILENT_MS);
    run(alice, bob, { from: PEER_SILENT_MS, to: PEER_SILENT_MS, loses: bob });
    expect(alice.told.at(-1)).toBe('peer-silent, 0 keys');
    // Bob, whom nobody heard, hears Alice: her close ends him as well.
    expect(bob.told.at(-1)).toBe('closed-by-peer, 0 keys');
  });

  it('is not put off by a datagram that was opened before', () => {
    const { alice, bob } = aTalk();
    bob.conversation.send('chat', Buffer.from('once'));
    bob.conversation.pump(0);
    const [datagram] = bob.path.sent.splice(0);
    for (let nowMs = 0; nowMs <= PEER_SILENT_MS; nowMs += 1_000) {
      alice.conversation.receive(datagram!, alice.path, nowMs);
      alice.conversation.pump(nowMs);
    }
    expect(alice.conversation.end).toBe('peer-silent');
  });

  it('goes on for an hour while nobody says anything and both are there', () => {
    const { alice, bob } = aTalk();
    run(alice, bob, { from: 0, to: 3_600_000 });
    expect([alice.conversation.end, bob.conversation.end]).toEqual([undefined, undefined]);
  });

  it('survives two lost signs of life', () => {
    const { alice, bob } = aTalk();
    run(alice, bob, { from: 0, to: 2 * KEEP_ALIVE_MS + 5_000, loses: bob });
    run(alice, bob, { from: 2 * KEEP_ALIVE_MS + 5_010, to: 3 * PEER_SILENT_MS });
    expect(alice.conversation.end).toBeUndefined();
  });
});

describe('a conversation to which a stranger shows a binding', () => {
  const STRANGERS = [
    ['another identity', MALLORY.binding, 'binding-other-identity'],
    ['the static key of another', BOB.binding, 'binding-other-static-key'],
  ] as const;

  /** Mallory answers Alice with her own static key and with `binding`. */
  const strangerTo = (alice: Side, binding: Uint8Array): Side => {
    const mallory = aSide('responder', { ...MALLORY, binding }, ALICE);
    exchange(alice, mallory, 0);
    return mallory;
  };

  it.each(STRANGERS)(
    'T2: of %s counts it as an encryption failure and goes on',
    (_, binding, reason) => {
      const alice = aSide('initiator', ALICE, BOB);
      strangerTo(alice, binding);
      expect(alice.conversation.refused.get(reason)).toBe(1);
      expect(alice.conversation.encryptionFailures).toBe(1);
      expect(alice.told).toEqual(['encryption failure 1']);
      const bob = aSide('responder', BOB, ALICE);
      run(alice, bob, { from: 10, to: 1_000 });
      expect([alice.told, bob.told]).toEqual([
        ['encryption failure 1', 'established'],
        ['established'],
      ]);
    },
  );

  it.each(STRANGERS)(
    'T2: of %s ends as stranger if the true peer does not come within 60 s',
    (...[, binding]) => {
      const alice = aSide('initiator', ALICE, BOB);
      strangerTo(alice, binding);
      alice.conversation.pump(HANDSHAKE_MS - 1);
      expect(alice.conversation.end).toBeUndefined();
      alice.conversation.pump(HANDSHAKE_MS);
      expect(alice.told.at(-1)).toBe('stranger, 0 keys');
    },
  );

  it('counts a changed datagram of the peer as well', () => {
    const { alice, bob } = aTalk();
    bob.conversation.send('chat', Buffer.from('text'));
    bob.conversation.pump(0);
    const [datagram] = bob.path.sent.splice(0);
    datagram![40]! ^= 1;
    alice.conversation.receive(datagram!, alice.path, 0);
    expect(alice.conversation.encryptionFailures).toBe(1);
  });
});

import { nobleBackend } from '../../src/crypto/noble.backend.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { loadSodiumBackend } from '../../src/crypto/sodium.backend.js';
import type { CryptoBackend } from '../../src/protocol/crypto-backend.js';
import { verifyDeviceBinding } from '../../src/protocol/identity/device-binding.js';
import type { BindingRefusal } from '../../src/protocol/identity/device-binding.js';
import { KeyStore } from '../../src/protocol/key-store.js';
import type { SessionHandshakeOptions } from '../../src/protocol/session/handshake-options.js';
import type { SessionParties } from '../../src/protocol/session/offer.js';
import { SessionHandshake } from '../../src/protocol/session/session-handshake.js';
import type { Session } from '../../src/protocol/session/session.js';
import { numbers } from '../fuzz/fuzz.js';
import { anAccount, bytesOf, expecting, type Account } from '../identities.js';

/** Every back end, by name. */
export const BACKENDS: readonly (readonly [string, CryptoBackend])[] = [
  ['sodium', loadSodiumBackend()],
  ['node', nodeBackend],
  ['noble', nobleBackend],
];

export const ALICE = anAccount(0x10);
export const BOB = anAccount(0x20);
export const MALLORY = anAccount(0x30);

/** Alice begins, Bob answers. */
export const PARTIES: SessionParties = {
  profile: 'Standard',
  sessionId: bytesOf(0xa1, 16),
  initiatorIdentity: ALICE.identity,
  responderIdentity: BOB.identity,
  token: bytesOf(0xa2, 16),
};

/** A path is opaque to a session: a name will do. */
export const RELAY_PATH = 'relay';

export type Handshake = SessionHandshake<string, BindingRefusal>;
export type TestSession = Session<string>;
type Options = SessionHandshakeOptions<BindingRefusal>;

/** Bytes that are the same in every run. */
export function randomOf(seed: number): (out: Uint8Array) => void {
  const pick = numbers(seed * 7919 + 1);
  return (out) => {
    for (let i = 0; i < out.length; i++) out[i] = pick(256);
  };
}

/** What `self` begins a handshake with when it expects `peer`. */
export function optionsOf(
  role: 'initiator' | 'responder',
  self: Account,
  peer: Account,
  changes: Partial<Options> = {},
): Options {
  const backend = changes.backend ?? nodeBackend;
  return {
    role,
    backend,
    keys: new KeyStore(),
    parties: PARTIES,
    staticKey: self.s,
    binding: self.binding,
    localIndex: role === 'initiator' ? 0x0a0a0a0a : 0x0b0b0b0b,
    judgePeer: (binding, staticKey) => {
      const verdict = verifyDeviceBinding(backend, binding, { ...expecting(peer), staticKey });
      return typeof verdict === 'string' ? verdict : 'ok';
    },
    random: randomOf(role === 'initiator' ? 1 : 2),
    nowMs: 0,
    ...changes,
  };
}

/** Alice's and Bob's side of one handshake. */
export function twoHandshakes(
  changes: Partial<Options> = {},
  ofBob: Partial<Options> = changes,
): { alice: Handshake; bob: Handshake } {
  return {
    alice: new SessionHandshake(optionsOf('initiator', ALICE, BOB, changes)),
    bob: new SessionHandshake(optionsOf('responder', BOB, ALICE, ofBob)),
  };
}

/** Everything that `handshake` has to send at `nowMs`. */
export function sent(handshake: Handshake, nowMs = 0): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (let i = 0; i < 16; i++) {
    const due = handshake.datagramToSend(nowMs);
    if (due === undefined) return datagrams;
    datagrams.push(due.datagram);
  }
  throw new Error('a handshake sends without end');
}

/** Two open sessions, the handshake datagrams that made them, and the private halves of both ephemeral keys. */
export function twoSessions(changes: Partial<Options> = {}, ofBob: Partial<Options> = changes) {
  const { alice, bob } = twoHandshakes(changes, ofBob);
  const [message1] = sent(alice);
  const refusals: unknown[] = [bob.receive(message1!, RELAY_PATH, 0)];
  const [message2] = sent(bob);
  refusals.push(alice.receive(message2!, RELAY_PATH, 0));
  const [message3] = sent(alice);
  refusals.push(bob.receive(message3!, RELAY_PATH, 0));
  if (alice.session === undefined || bob.session === undefined)
    throw new Error(`the handshake failed: ${refusals.join(', ')}`);
  return {
    alice: alice.session,
    bob: bob.session,
    handshakes: { alice, bob },
    transcript: [message1!, message2!, message3!] as const,
  };
}

/** The datagram that carries `plaintext`. */
export function seal(session: TestSession, plaintext: Uint8Array, nowMs = 0): Uint8Array {
  const out = new Uint8Array(2_000);
  return out.slice(0, session.seal(plaintext, out, nowMs));
}

/** The plaintext of `datagram`, or why it was refused. */
export function open(
  session: TestSession,
  datagram: Uint8Array,
  nowMs = 0,
  path: string = RELAY_PATH,
): Uint8Array | string {
  const out = new Uint8Array(2_000);
  const length = session.open(datagram, out, path, nowMs);
  return typeof length === 'string' ? length : out.slice(0, length);
}

/** Delivers the control messages that are due on both sides until there are none. The control channel is left out. */
export function exchangeControl(a: TestSession, b: TestSession, nowMs: number): void {
  for (let round = 0; round < 20; round++) {
    const moved = deliver(a, b, nowMs) || deliver(b, a, nowMs);
    if (!moved) return;
  }
  throw new Error('control messages go back and forth without end');
}

function deliver(from: TestSession, to: TestSession, nowMs: number): boolean {
  const control = from.controlToSend(nowMs);
  if (control === undefined) return false;
  const path = control.path ?? RELAY_PATH;
  const plaintext = open(to, seal(from, control.payload, nowMs), nowMs, path);
  if (typeof plaintext === 'string') throw new Error(`control was refused: ${plaintext}`);
  to.onControl(plaintext, path);
  return true;
}

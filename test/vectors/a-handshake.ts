import { createHash } from 'node:crypto';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { ascii } from '../../src/protocol/bytes.js';
import { KeyStore } from '../../src/protocol/key-store.js';
import {
  HandshakeState,
  type HandshakeOptions,
  type KeyPair,
} from '../../src/protocol/noise/handshake-state.js';
import { SUITE } from '../../src/protocol/noise/suites.js';

/** A fixed key pair named by `seed`. */
export function aKeyPair(seed: string): KeyPair {
  const privateKey = Uint8Array.from(createHash('sha256').update(seed).digest());
  const publicKey = new Uint8Array(32);
  nodeBackend.x25519PublicKey(privateKey, publicKey);
  return { privateKey, publicKey };
}

/** What a side of a handshake over `keys` begins with: XX, the product's suite, fixed keys, a counter in place of chance. */
export function handshakeOptions(
  initiator: boolean,
  changes: Partial<HandshakeOptions> = {},
): HandshakeOptions {
  let drawn = 0;
  return {
    backend: nodeBackend,
    keys: new KeyStore(),
    pattern: 'XX',
    suite: SUITE,
    initiator,
    prologue: ascii('prologue'),
    s: aKeyPair(initiator ? 'initiator' : 'responder'),
    random: (out) => out.fill((initiator ? 1 : 101) + drawn++),
    ...changes,
  };
}

/** One side of a handshake, as `handshakeOptions` says. */
export function aHandshake(
  initiator: boolean,
  changes: Partial<HandshakeOptions> = {},
): HandshakeState {
  return new HandshakeState(handshakeOptions(initiator, changes));
}

/** The next message of `side`, which must be its turn. */
export function nextMessage(side: HandshakeState, payload = ascii('payload')): Uint8Array {
  const out = new Uint8Array(side.overheadBytes + payload.length);
  const written = side.writeMessage(payload, out);
  if (written !== out.length) throw new Error(`wrote ${written}, not ${out.length}`);
  return out;
}

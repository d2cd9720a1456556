/*
 * A program: one side of Noise XX in a process of its own, whose parent is the other side and looks into its memory.
 * `node --import tsx noise-endpoint.ts BACKEND initiator|responder PACKETS`; messages go over the channel of `fork`.
 */
import { randomFillSync } from 'node:crypto';
import { CANDIDATES } from '../../src/crypto/backend.chooser.js';
import { KeyStore } from '../../src/protocol/key-store.js';
import { HandshakeState, type TransportCiphers } from '../../src/protocol/noise/handshake-state.js';
import { SUITE } from '../../src/protocol/noise/suites.js';
import { MASK, PROLOGUE, type FromEndpoint, type ToEndpoint } from './noise-endpoint-channel.js';

const PACKET_BYTES = 1_200;

const [, , backendName, role, packets] = process.argv;
const backend = CANDIDATES.find(({ name }) => name === backendName)!.load();
const keys = new KeyStore();
const privateKey = randomFillSync(keys.take(32));
const publicKey = new Uint8Array(32);
backend.x25519PublicKey(privateKey, publicKey);
let maskedEphemeral = '';
const handshake = new HandshakeState({
  backend,
  keys,
  pattern: 'XX',
  suite: SUITE,
  initiator: role === 'initiator',
  prologue: PROLOGUE,
  s: { privateKey, publicKey },
  random: (out) => {
    randomFillSync(out);
    maskedEphemeral = masked(out);
  },
});
const buffer = new Uint8Array(1_024);
let transport: TransportCiphers | undefined;

/** The parent is told private keys under a mask, so that telling makes no copy to be found. */
function masked(key: Uint8Array): string {
  return Array.from(key, (byte) => (byte ^ MASK).toString(16).padStart(2, '0')).join('');
}

function tell(message: FromEndpoint): void {
  process.send?.(message);
}

/** Writes when it is our turn; after the last message uses both keys and tells that the session is open. */
function goOn(): void {
  if (handshake.turn === 'write') {
    const length = handshake.writeMessage(new Uint8Array(0), buffer);
    if (typeof length === 'string') throw new Error(length);
    tell({ message: Buffer.from(buffer.subarray(0, length)).toString('hex') });
  }
  if (handshake.turn !== 'done') return;
  transport = handshake.split();
  useKeys(transport);
  tell({ open: { maskedStatic: masked(privateKey), maskedEphemeral } });
}

function useKeys({ send, receive }: TransportCiphers): void {
  const packet = new Uint8Array(PACKET_BYTES + 16);
  const header = new Uint8Array(16);
  for (let i = 0; i < Number(packets); i++) {
    send.encryptWithAd(header, packet.subarray(0, PACKET_BYTES), packet);
    // Nobody sealed this for us: opening runs over all of it and refuses the tag.
    receive.decryptWithAd(header, packet, packet.subarray(0, PACKET_BYTES));
  }
}

function close(): void {
  transport?.send.destroy();
  transport?.receive.destroy();
  keys.erase(privateKey);
}

process.on('message', (order: ToEndpoint) => {
  if ('message' in order) {
    const message = Buffer.from(order.message, 'hex');
    const read = handshake.readMessage(message, buffer);
    if (typeof read === 'string') throw new Error(read);
    goOn();
    return;
  }
  close();
  tell({ closed: true });
});
if (role === 'initiator') goOn();

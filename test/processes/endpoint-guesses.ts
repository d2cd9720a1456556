/*
 * What somebody tries who has recorded a session and found things: keys made of public values, and everything in a
 * process's memory that could be a key.
 */
import { createHash, createHmac } from 'node:crypto';
import { loadSodiumBackend } from '../../src/crypto/sodium.backend.js';
import { hkdf2 } from '../session/xx-by-hand.js';
import { eachWindow } from './process-memory.js';

const KEY_BYTES = 32;
/** Keys lie at multiples of this: every allocator aligns to it. */
const ALIGNMENT = 16;
/** 32 random bytes have fewer different values than this less than once in a million times. */
const LEAST_VALUES = 20;

const LABELS = ['', 'client', 'server', 'initiator', 'responder', 'key', 'traffic', 'c2s', 's2c'];

const masked = (value: Uint8Array, mask: number): Uint8Array =>
  Uint8Array.from(value, (byte) => byte ^ mask);

/** The keys that an observer makes of one public value: hashes, HMAC, HKDF, and the value XOR every constant byte. */
export function derivedFrom(value: Uint8Array): Uint8Array[] {
  const first = createHash('sha256').update(value).digest();
  const seed = value.length === KEY_BYTES ? value : first;
  const labelled = LABELS.flatMap((label) => [
    createHash('sha256').update(value).update(label).digest(),
    createHash('blake2s256').update(value).update(label).digest(),
    createHmac('sha256', value).update(label).digest(),
    createHmac('blake2s256', value).update(label).digest(),
    ...hkdf2(seed, Buffer.from(label)),
  ]);
  // The handshake hash XOR constants, as a system before this one made its traffic keys.
  return [...labelled, ...Array.from({ length: 256 }, (_, mask) => masked(seed, mask))];
}

const chaChaPoly = loadSodiumBackend().aead('ChaChaPoly');

/** Whether `key` opens the transport datagram, by its header's counter. */
export function opens(key: Uint8Array, datagram: Uint8Array): boolean {
  if (!mayOpen(key, datagram)) return false;
  const nonce = new Uint8Array(12);
  for (let i = 0; i < 8; i++) nonce[4 + i] = datagram[7 - i]!;
  const sealed = datagram.subarray(16);
  const out = new Uint8Array(sealed.length - 16);
  return chaChaPoly.open(key, nonce, datagram.subarray(0, 16), sealed, out);
}

/** "expand 32-byte k" (RFC 8439, section 2.3). */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const QUARTERS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;
const state = new Int32Array(16);

/**
 * Whether the plaintext would begin as all of them do: form 0 or 1, and a packet number below 2^24. Every key that opens
 * passes; of the others one in 2^31. Asking the tag is 50 times dearer, and half a million keys are tried.
 */
function mayOpen(key: Uint8Array, datagram: Uint8Array): boolean {
  state.set(CONSTANTS);
  for (let i = 0; i < 8; i++) state[4 + i] = littleEndian(key, 4 * i);
  state[12] = 1; // RFC 8439, section 2.8: block 0 makes the key of the tag.
  state[13] = 0;
  state[14] = bigEndian(datagram, 4);
  state[15] = bigEndian(datagram, 0);
  for (let round = 0; round < 10; round++)
    for (const [a, b, c, d] of QUARTERS) quarterRound(a, b, c, d);
  const first = (state[0]! + CONSTANTS[0]!) ^ littleEndian(datagram, 16);
  return (first & 0xfffffffe) === 0;
}

function quarterRound(a: number, b: number, c: number, d: number): void {
  state[a] = state[a]! + state[b]!;
  state[d] = rotated(state[d]! ^ state[a], 16);
  state[c] = state[c]! + state[d];
  state[b] = rotated(state[b]! ^ state[c], 12);
  state[a] = state[a] + state[b];
  state[d] = rotated(state[d] ^ state[a], 8);
  state[c] = state[c] + state[d];
  state[b] = rotated(state[b] ^ state[c], 7);
}

const rotated = (word: number, by: number): number => (word << by) | (word >>> (32 - by));
const bigEndian = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
const littleEndian = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);

/** How many packets any of `keys` opens. */
export const openedBy = (keys: Iterable<Uint8Array>, packets: readonly Uint8Array[]): number => {
  let opened = 0;
  for (const key of keys) for (const packet of packets) if (opens(key, packet)) opened++;
  return opened;
};

/** Tries everything that looks like a key in the writable memory of process `pid` on `packets`. */
export function tryMemory(
  pid: number,
  packets: readonly Uint8Array[],
): { readonly tried: number; readonly opened: number } {
  let tried = 0;
  let opened = 0;
  eachWindow(pid, (window) => {
    for (let at = 0; at + KEY_BYTES <= window.length; at += ALIGNMENT) {
      if (!looksRandom(window, at)) continue;
      tried++;
      opened += openedBy([window.subarray(at, at + KEY_BYTES)], packets);
    }
  });
  return { tried, opened };
}

const lastSeen = new Uint32Array(256);
let stamp = 0;

function looksRandom(bytes: Uint8Array, from: number): boolean {
  // Most memory is zeros or text: two looks decide.
  if (bytes[from] === bytes[from + 1] && bytes[from] === bytes[from + 2]) return false;
  stamp++;
  let values = 0;
  for (let at = from; at < from + KEY_BYTES; at++) {
    const value = bytes[at]!;
    if (lastSeen[value] !== stamp) values++;
    lastSeen[value] = stamp;
  }
  return values >= LEAST_VALUES;
}

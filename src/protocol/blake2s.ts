/*
 * BLAKE2s without a key and with 32 bytes of output (RFC 7693), and HMAC over it (RFC 2104), for keys. The libraries
 * leave chaining values and digests behind in memory that they have freed; here every byte of every state is in one
 * buffer outside V8's heap, which is zeroed before a call returns. What is only hashed, and public, goes to a back end.
 *
 * The buffer, in bytes:
 *     0   32   h       the chaining value, 8 words, all words little-endian
 *    32   64   v       the working vector, 16 words
 *    96   64   m       the message block, 16 words
 *   160   64   key     HMAC's key, padded with zeros
 *   224   32   inner   HMAC's inner digest
 */

const H = 0;
const V = 32;
const M = 96;
const KEY = 160;
const INNER = 224;
const SCRATCH_BYTES = 256;

const WORD_BYTES = 4;
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const ROUNDS = 10;

/** RFC 7693 counts further, in a second word: no key is made of as much. */
const MAX_INPUT_BYTES = 2 ** 32 - 1 - BLOCK_BYTES;

/** RFC 2104, section 2. */
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** RFC 7693, section 2.6. */
const IV = littleEndian([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** RFC 7693, section 2.5: 32 bytes of digest, no key, fan-out and depth 1. */
const PARAMETERS = 0x01010020;

/** SIGMA of RFC 7693, section 2.7, a hexadecimal digit for each word and a line for each round, as byte offsets of the words. */
const SCHEDULE = new DataView(
  Uint8Array.from(
    '0123456789abcdef' +
      'ea489fd61c02b753' +
      'b8c052fdae367194' +
      '7931dcbe265a40f8' +
      '905724afe1bc683d' +
      '2c6a0b834d75fe19' +
      'c51fed4a0763928b' +
      'db7ec13950f4862a' +
      '6fe9b308c2d714a5' +
      'a2847615fb9e3cd0',
    (digit) => M + WORD_BYTES * parseInt(digit, 16),
  ).buffer,
);

const scratch = new Uint8Array(new ArrayBuffer(SCRATCH_BYTES));
const words = new DataView(scratch.buffer);
const innerDigest = scratch.subarray(INNER, INNER + DIGEST_BYTES);

/** Bytes that wait in `m`, and all bytes absorbed. Lengths are no secret. */
let waiting = 0;
let absorbed = 0;

/** Writes the BLAKE2s-256 of the joined `parts` to `out`, which may be one of them. @throws RangeError unless `out` has 32 bytes, and for parts of nearly 2^32 bytes. */
export function blake2s(parts: readonly Uint8Array[], out: Uint8Array): void {
  requireLengths(parts, out);
  try {
    begin();
    for (const part of parts) absorb(part);
    finish(out);
  } finally {
    scratch.fill(0);
  }
}

/** Writes HMAC-BLAKE2s of the joined `parts` to `out`, which may be one of them or the key. @throws RangeError as `blake2s` does. */
export function hmacBlake2s(key: Uint8Array, parts: readonly Uint8Array[], out: Uint8Array): void {
  requireLengths(parts, out);
  try {
    loadKey(key);
    beginPadded(INNER_PAD);
    for (const part of parts) absorb(part);
    finish(innerDigest);
    beginPadded(OUTER_PAD);
    absorb(innerDigest);
    finish(out);
  } finally {
    scratch.fill(0);
  }
}

function requireLengths(parts: readonly Uint8Array[], out: Uint8Array): void {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > MAX_INPUT_BYTES) throw new RangeError(`${length} bytes exceed ${MAX_INPUT_BYTES}`);
  if (out.length !== DIGEST_BYTES)
    throw new RangeError(`the output of BLAKE2s has ${DIGEST_BYTES} bytes, not ${out.length}`);
}

/** RFC 2104, section 3: a key longer than a block is hashed first. */
function loadKey(key: Uint8Array): void {
  if (key.length <= BLOCK_BYTES) {
    scratch.set(key, KEY);
    return;
  }
  begin();
  absorb(key);
  finish(scratch.subarray(KEY, KEY + DIGEST_BYTES));
}

function begin(): void {
  scratch.set(IV, H);
  words.setInt32(H, words.getInt32(H, true) ^ PARAMETERS, true);
  waiting = absorbed = 0;
}

/** Begins with the first block of an HMAC: the padded key, each byte XOR `pad`. */
function beginPadded(pad: number): void {
  begin();
  for (let i = 0; i < BLOCK_BYTES; i++) words.setUint8(M + i, words.getUint8(KEY + i) ^ pad);
  waiting = absorbed = BLOCK_BYTES;
}

function absorb(bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    // A full block waits until there is more: the last one is compressed as the last.
    if (waiting === BLOCK_BYTES) compress(false);
    const end = Math.min(bytes.length, at + BLOCK_BYTES - waiting);
    scratch.set(bytes.subarray(at, end), M + waiting);
    waiting += end - at;
    absorbed += end - at;
    at = end;
  }
}

function finish(out: Uint8Array): void {
  scratch.fill(0, M + waiting, M + BLOCK_BYTES);
  compress(true);
  out.set(scratch.subarray(H, H + DIGEST_BYTES));
}

/** F of RFC 7693, section 3.2, on `h` and `m`, which is empty then. */
function compress(isLast: boolean): void {
  scratch.copyWithin(V, H, H + DIGEST_BYTES);
  scratch.set(IV, V + DIGEST_BYTES);
  xorWord(V + 12 * WORD_BYTES, absorbed);
  if (isLast) xorWord(V + 14 * WORD_BYTES, -1);
  for (let at = 0; at < ROUNDS * 16; at += 2) mix((at >> 1) & 7, at);
  for (let at = 0; at < DIGEST_BYTES; at += WORD_BYTES)
    xorWord(H + at, words.getInt32(V + at, true) ^ words.getInt32(V + DIGEST_BYTES + at, true));
  waiting = 0;
}

function xorWord(at: number, value: number): void {
  words.setInt32(at, words.getInt32(at, true) ^ value, true);
}

/** G of RFC 7693, section 3.1, on column `lane`, or on diagonal `lane` - 4, with the two words that the schedule has at `step`. */
function mix(lane: number, step: number): void {
  const turn = lane >> 2;
  const atA = V + WORD_BYTES * (lane & 3);
  const atB = V + WORD_BYTES * (4 + ((lane + turn) & 3));
  const atC = V + WORD_BYTES * (8 + ((lane + 2 * turn) & 3));
  const atD = V + WORD_BYTES * (12 + ((lane + 3 * turn) & 3));
  let a = words.getInt32(atA, true);
  let b = words.getInt32(atB, true);
  let c = words.getInt32(atC, true);
  let d = words.getInt32(atD, true);
  a = (a + b + words.getInt32(SCHEDULE.getUint8(step), true)) | 0;
  d = rotateRight(d ^ a, 16);
  c = (c + d) | 0;
  b = rotateRight(b ^ c, 12);
  a = (a + b + words.getInt32(SCHEDULE.getUint8(step + 1), true)) | 0;
  d = rotateRight(d ^ a, 8);
  c = (c + d) | 0;
  b = rotateRight(b ^ c, 7);
  words.setInt32(atA, a, true);
  words.setInt32(atB, b, true);
  words.setInt32(atC, c, true);
  words.setInt32(atD, d, true);
}

function rotateRight(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function littleEndian(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(WORD_BYTES * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint32(WORD_BYTES * i, value, true);
  });
  return bytes;
}

/*
 * Which encodings of Ed25519 the product takes, decided once for every back end: OpenSSL, libsodium and noble differ in
 * what they let pass.
 *
 * Public key, 32 bytes:   y, little-endian, 255 bits; then the sign of x, 1 bit (RFC 8032, section 5.1.2)
 * Signature, 64 bytes:    R, 32 bytes, a point as above; S, 32 bytes, little-endian, below L (RFC 8032, section 5.1.6)
 */
import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES } from './ed25519-lengths.js';

/** p = 2^255 - 19 (RFC 8032, section 5.1), little-endian. */
const P = littleEndian('7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed');

/** L, the order of the base point (RFC 8032, section 5.1), little-endian. */
const L = littleEndian('1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed');

/** The y of the eight points whose order divides 8: of orders 4, 1, 2, and the two of order 8. The sign of x makes eight of them. */
const SMALL_ORDER_Y = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000001',
  '7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec',
  '05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826',
  '7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7',
].map(littleEndian);

/** The bits of the last byte that belong to y; the other is the sign of x. */
const Y_BITS = 0x7f;

/**
 * Whether `publicKey` may verify anything: 32 bytes, y below p, and not of small order, for which one signature fits
 * many messages. Whether y is on the curve is left to the back end, which needs the point anyway.
 */
export function isAcceptablePublicKey(publicKey: Uint8Array): boolean {
  return (
    publicKey.length === ED25519_KEY_BYTES &&
    isCanonicalY(publicKey) &&
    !SMALL_ORDER_Y.some((y) => isSameY(publicKey, y))
  );
}

/** Whether `signature` has 64 bytes, an R with y below p, and an S below L, so that nobody can write it in a second way. */
export function isCanonicalSignature(signature: Uint8Array): boolean {
  return (
    signature.length === ED25519_SIGNATURE_BYTES &&
    isCanonicalY(signature.subarray(0, ED25519_KEY_BYTES)) &&
    isBelow(signature.subarray(ED25519_KEY_BYTES), L, 0xff)
  );
}

const isCanonicalY = (point: Uint8Array): boolean => isBelow(point, P, Y_BITS);

/** Whether the little-endian number `a`, its last byte taken with `lastMask`, is below `b`. Public values: the time may depend on them. */
function isBelow(a: Uint8Array, b: Uint8Array, lastMask: number): boolean {
  for (let i = b.length - 1; i >= 0; i--) {
    const difference = (byteAt(a, i) & (i === b.length - 1 ? lastMask : 0xff)) - byteAt(b, i);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function isSameY(point: Uint8Array, y: Uint8Array): boolean {
  return y.every((byte, i) => byte === (byteAt(point, i) & (i === y.length - 1 ? Y_BITS : 0xff)));
}

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

function littleEndian(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16)).reverse();
}

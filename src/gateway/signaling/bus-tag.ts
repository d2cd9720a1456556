/*
 * A frame as NATS carries it. Only replicas can have written it: they share keys that come from the column keys of
 * their database, which NATS and whoever holds its credentials do not have. Its content can be read by both.
 *   8 bytes   id of the column key from which the key comes
 *   32 bytes  HMAC-SHA-256 (RFC 2104) of: subject (UTF-8), 0x00, frame
 *   n bytes   frame (bus-frames.ts)
 * The subject is part of it: an answer to one replica is worth nothing at another.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** A key that replicas share. */
export interface BusKey {
  /** 8 bytes as hex. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

const ID_BYTES = 8;
const TAG_BYTES = 32;
/** Bytes that stand before a frame. */
export const TAGGED_HEAD_BYTES = ID_BYTES + TAG_BYTES;

/** Why tagged bytes are not taken. Metric labels; nothing is ever sent back. */
export const TAG_REFUSALS = ['unknown-key', 'bad-tag'] as const;
/** Why tagged bytes are not taken. */
export type TagRefusal = (typeof TAG_REFUSALS)[number];

/** The keys of the bus of gateway `uid`, from its column keys by HKDF-SHA-256 (RFC 5869), in the same order. */
export const busKeys = (columnKeys: readonly BusKey[], uid: string): readonly BusKey[] =>
  columnKeys.map(({ id, key }) => {
    const derived = hkdfSync('sha256', key, new Uint8Array(0), `sallyport bus v1\0${uid}`, 32);
    return { id, key: new Uint8Array(derived) };
  });

/** `frame` with its tag for `subject`, as new bytes. */
export function tagged({ id, key }: BusKey, subject: string, frame: Uint8Array): Uint8Array {
  return Uint8Array.from(
    Buffer.concat([Buffer.from(id, 'hex'), tagOf(key, subject, frame), frame]),
  );
}

/** The frame in `bytes`, a part of them, or why it is not taken. Never throws. */
export function untagged(
  keys: readonly BusKey[],
  subject: string,
  bytes: Uint8Array,
): Uint8Array | TagRefusal {
  const id = Buffer.from(bytes.subarray(0, ID_BYTES)).toString('hex');
  const known = keys.find((one) => one.id === id);
  if (known === undefined) return 'unknown-key';
  const tag = bytes.subarray(ID_BYTES, TAGGED_HEAD_BYTES);
  const frame = bytes.subarray(TAGGED_HEAD_BYTES);
  const isGood = tag.length === TAG_BYTES && timingSafeEqual(tag, tagOf(known.key, subject, frame));
  return isGood ? frame : 'bad-tag';
}

const tagOf = (key: Uint8Array, subject: string, frame: Uint8Array): Buffer =>
  createHmac('sha256', key).update(subject).update('\0').update(frame).digest();

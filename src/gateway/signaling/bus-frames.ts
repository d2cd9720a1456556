/*
 * A message between replicas as bytes: UTF-8 JSON, at most 65,536 bytes, closed. Each begins with `v: 1`, `from` (names
 * the sending replica), `n` (its number, higher than all before) and `at` (Unix milliseconds).
 *
 *   {..., kind: 'here'}                  every second
 *   {..., kind: 'gone'}                  once, when a replica stops
 *   {..., kind: 'tell', message}
 *   {..., kind: 'ask', id, message}      id: chosen by the asking replica
 *   {..., kind: 'answer', id, body?}     to the asking replica only; no body: it has nothing to say
 */
import { Ajv } from 'ajv';
import { Type, type Static } from 'typebox';
import { closed } from '../../messages/fields.js';
import type { BusMessage } from '../bus.js';
import { busName, isAsk, isBusMessage } from './bus-schemas.js';
import { OWN_SCHEMAS } from '../../runtime/own-schemas.js';

/** Longest frame: an answer with eight devices and sixteen revocations of each is 27 kB. */
export const MAX_FRAME_BYTES = 65_536;
/** Version of the frames; replicas of another one are not understood. */
export const FRAME_VERSION = 1;

const head = {
  v: Type.Literal(FRAME_VERSION),
  from: busName(),
  n: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  at: Type.Integer({ minimum: 0, maximum: 8.64e15 }),
};
const id = () => Type.Integer({ minimum: 1, maximum: 0xffff_ffff });
/** Judged by its own schema. */
const inner = <Inner>() => Type.Unsafe<Inner>({ type: 'object' });

const FRAME = Type.Union([
  Type.Object({ ...head, kind: Type.Literal('here') }, closed),
  Type.Object({ ...head, kind: Type.Literal('gone') }, closed),
  Type.Object({ ...head, kind: Type.Literal('tell'), message: inner<BusMessage>() }, closed),
  Type.Object(
    { ...head, kind: Type.Literal('ask'), id: id(), message: inner<BusMessage>() },
    closed,
  ),
  Type.Object(
    {
      ...head,
      kind: Type.Literal('answer'),
      id: id(),
      body: Type.Optional(inner<Record<string, unknown>>()),
    },
    closed,
  ),
]);

/** A message between replicas. */
export type BusFrame = Static<typeof FRAME>;

/** Why bytes are no frame. A closed list: each is a metric label; nothing is ever sent back. */
export const FRAME_REFUSALS = ['too-long', 'not-json', 'bad-frame', 'bad-message'] as const;
/** Why bytes are no frame. */
export type FrameRefusal = (typeof FRAME_REFUSALS)[number];

const isFrame = new Ajv(OWN_SCHEMAS).compile<BusFrame>(FRAME);
const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** The bytes of a frame; `too-long` when they are more than a replica takes. */
export function encodeFrame(frame: BusFrame): Uint8Array | 'too-long' {
  const bytes = utf8.encode(JSON.stringify(frame));
  return bytes.length > MAX_FRAME_BYTES ? 'too-long' : bytes;
}

/** The frame in `bytes`, or why there is none. Never throws. */
export function decodeFrame(bytes: Uint8Array): BusFrame | FrameRefusal {
  if (bytes.length > MAX_FRAME_BYTES) return 'too-long';
  const value = parsed(bytes);
  if (value === undefined) return 'not-json';
  if (!isFrame(value)) return 'bad-frame';
  if (value.kind === 'tell' && !isBusMessage(value.message)) return 'bad-message';
  return value.kind === 'ask' && !(isBusMessage(value.message) && isAsk(value.message.type))
    ? 'bad-message'
    : value;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(strictUtf8.decode(bytes));
  } catch {
    return undefined;
  }
}

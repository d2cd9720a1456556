/*
 * PASETO v4.public (PASETO, Version 4): `v4.public.` base64url(payload, signature 64) [`.` base64url(footer)].
 * The Ed25519 signature is over PAE("v4.public.", payload, footer, implicit assertion).
 * Reading has two steps, because the footer names the key: `parsePaseto` takes the text apart and vouches for nothing,
 * `verifyPaseto` vouches for it. Primitives come in as arguments: nothing here can seal, open or sign by itself.
 */
import { ascii, concat } from '../bytes.js';
import { isAcceptablePublicKey, isCanonicalSignature } from '../ed25519-points.js';
import { fromBase64url, toBase64url } from './base64url.js';

/** Whether `signature` (64 bytes) of `message` verifies under `publicKey`. Must not throw. */
export type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** The 64-byte signature of `message` by the key of the 32-byte `seed`. */
export type Sign = (seed: Uint8Array, message: Uint8Array) => Uint8Array;

/** Why a text is not a PASETO that verifies. Closed: each is a metric label. */
export const PASETO_REFUSALS = [
  'token-too-long',
  'not-v4-public',
  'wrong-parts',
  'not-base64url',
  'token-too-short',
  'weak-key',
  'bad-signature',
] as const;

/** One of PASETO_REFUSALS. */
export type PasetoRefusal = (typeof PASETO_REFUSALS)[number];

/** A token taken apart; nothing of it is to be believed before verifyPaseto. */
export interface PasetoParts {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** Empty if the token has none. */
  readonly footer: Uint8Array;
}

const HEADER = ascii('v4.public.');
const SIGNATURE_BYTES = 64;
const DOT = 0x2e;

/** Eight bytes, little-endian, the highest bit clear (PASETO, PAE): lengths here are far below 2^32. */
function le64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Pre-authentication encoding: no two lists of pieces have the same. */
export const pae = (pieces: readonly Uint8Array[]): Uint8Array =>
  concat([le64(pieces.length), ...pieces.flatMap((piece) => [le64(piece.length), piece])]);

/** What is signed: payload and footer by the key's owner, for the purpose that the assertion names. */
export interface PasetoContent {
  readonly payload: Uint8Array;
  readonly footer: Uint8Array;
  /** Bound by the signature and not in the token; both sides know it. */
  readonly assertion: Uint8Array;
}

const signedBytes = ({ payload, footer, assertion }: PasetoContent): Uint8Array =>
  pae([HEADER, payload, footer, assertion]);

/** The text of a token. @throws RangeError if `sign` does not give 64 bytes. */
export function signPaseto(content: PasetoContent, seed: Uint8Array, sign: Sign): string {
  const signature = sign(seed, signedBytes(content));
  if (signature.length !== SIGNATURE_BYTES) throw new RangeError('a signature has 64 bytes');
  const body = `v4.public.${toBase64url(concat([content.payload, signature]))}`;
  return content.footer.length === 0 ? body : `${body}.${toBase64url(content.footer)}`;
}

/** Payload with signature, and footer, as base64url; undefined if there are other parts. */
function splitBody(text: Uint8Array): readonly [Uint8Array, Uint8Array] | undefined {
  const body = text.subarray(HEADER.length);
  const dot = body.indexOf(DOT);
  if (dot < 0) return [body, new Uint8Array(0)];
  const footer = body.subarray(dot + 1);
  return footer.length === 0 || footer.includes(DOT) ? undefined : [body.subarray(0, dot), footer];
}

/** Takes the ASCII text of a token of at most `maxBytes` apart. Never throws. */
export function parsePaseto(text: Uint8Array, maxBytes: number): PasetoParts | PasetoRefusal {
  if (text.length > maxBytes) return 'token-too-long';
  if (!HEADER.every((code, i) => text[i] === code)) return 'not-v4-public';
  const texts = splitBody(text);
  if (texts === undefined) return 'wrong-parts';
  const [body, footer] = texts.map(fromBase64url);
  if (body === undefined || footer === undefined) return 'not-base64url';
  if (body.length < SIGNATURE_BYTES) return 'token-too-short';
  const end = body.length - SIGNATURE_BYTES;
  return { payload: body.subarray(0, end), signature: body.subarray(end), footer };
}

/**
 * Why `parts` were not signed by `publicKey` for the purpose of `assertion`; undefined if they were. A public key of
 * small order, and a key or signature in a form that is not canonical, are refused before `verify` is asked: not every
 * verifier does.
 */
export function verifyPaseto(
  parts: PasetoParts,
  assertion: Uint8Array,
  publicKey: Uint8Array,
  verify: Verify,
): PasetoRefusal | undefined {
  if (!isAcceptablePublicKey(publicKey)) return 'weak-key';
  if (!isCanonicalSignature(parts.signature)) return 'bad-signature';
  const message = signedBytes({ payload: parts.payload, footer: parts.footer, assertion });
  return verify(publicKey, message, parts.signature) ? undefined : 'bad-signature';
}

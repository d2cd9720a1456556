import { CANDIDATES } from '../../src/crypto/backend.chooser.js';
import type { CryptoBackend } from '../../src/protocol/crypto-backend.js';

/** Every back end with its name, for `describe.each`. On the machines that run the tests sodium-native must load: otherwise this throws. */
export const EVERY_BACKEND: readonly (readonly [CryptoBackend['name'], CryptoBackend])[] =
  CANDIDATES.map(({ name, load }) => [name, load()] as const);

/** The bytes of `text`, hexadecimal digits with or without spaces between. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

/** Bytes of an unchecked length as lower-case hexadecimal digits. */
export const asHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

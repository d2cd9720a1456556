import { ascii } from '../../src/protocol/bytes.js';

/** What the parent of noise-endpoint.ts sends: a handshake message in hexadecimal digits, or the end of the session. */
export type ToEndpoint = { readonly message: string } | { readonly close: true };

/** What noise-endpoint.ts sends: a handshake message, its private keys under MASK once the session is open, or that all was erased. */
export type FromEndpoint =
  | { readonly message: string }
  | { readonly open: { readonly maskedStatic: string; readonly maskedEphemeral: string } }
  | { readonly closed: true };

/** Each byte of a private key is told XOR this. */
export const MASK = 0x5a;

/** What both sides agree on. */
export const PROLOGUE = ascii('memory');

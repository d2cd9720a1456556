import { ascii } from '../protocol/bytes.js';
import type { CryptoBackend } from '../protocol/crypto-backend.js';

/** What the store keeps of an invitation: SHA-256 of the code without its hyphens, which are for people only. */
export function inviteHash(backend: CryptoBackend, code: string): Uint8Array {
  const hash = new Uint8Array(32);
  backend.hash('SHA256', [ascii(code.replaceAll('-', ''))], hash);
  return hash;
}

/*
 * The footer of leases and grants: {"kid":"<22 characters>"} and nothing else.
 */
import { base64urlOf, readClaims, writeClaims, type ClaimRules } from './claims.js';

interface Footer {
  readonly kid: string;
}

const RULES: ClaimRules<Footer> = { kid: base64urlOf(16) };
const FOOTER_BYTES = '{"kid":""}'.length + 22;

/** @throws RangeError if `kid` is not base64url of 16 bytes. */
export const writeFooter = (kid: string): Uint8Array => writeClaims<Footer>({ kid }, RULES);

/** The key id that a footer names, not verified by anything; undefined if it is no footer of ours. Never throws. */
export function readFooter(footer: Uint8Array): string | undefined {
  if (footer.length !== FOOTER_BYTES) return undefined;
  const claims = readClaims<Footer>(footer, RULES);
  return typeof claims === 'string' ? undefined : claims.kid;
}

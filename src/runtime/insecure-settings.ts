/*
 * Settings by which other programs turn security off. Ours refuse them as unknown in any case; these get the reason.
 */
import { ActionableError } from './errors.js';

/** Names whose mere presence is a wish, in lower case without separators. */
const WISHES =
  /^(insecure.*|unsafe.*|plaintext|(allow|enable)(plaintext|insecure|unencrypted|anonymous|http|v1)|(no|disable|skip)(tls|ssl|verify|verification|encryption|auth|lease|leases|cookie|cookies|proof)|skiptlsverify|rejectunauthorized|trustall|devmode|debugkeys|minversion|tlsminversion|ciphers?|ciphersuites?)$/;

/** Switches that may not be off. */
const SWITCHES =
  /^(tls|ssl|verify|verification|verifypeer|verifyhost|encrypt|encryption|encrypted|auth|authentication|proof|leases?|cookies?|mtls|pinning)$/;

const OFF: readonly unknown[] = [
  false,
  null,
  0,
  'false',
  'off',
  'none',
  'no',
  'disabled',
  'null',
  '',
];

/** Deeper than any settings file of ours. */
const MAX_DEPTH = 12;

/**
 * Stops at a setting that asks for less security, wherever it stands in `value`, the content of the file `source`.
 * @throws ActionableError ERR_SETTING naming it
 */
export function refuseInsecureSettings(value: unknown, source: string): void {
  const path = insecureSetting(value);
  if (path === undefined) return;
  throw new ActionableError(
    'ERR_SETTING',
    `${source}: "${path}" asks for less security.`,
    'Remove it: there is no insecure mode, and TLS, verification and leases cannot be turned off.',
  );
}

/** The path of the first such setting, bounded for a message; undefined if there is none. */
export function insecureSetting(value: unknown, path = '', depth = 0): string | undefined {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return undefined;
  for (const [name, item] of Object.entries(value)) {
    const here = path === '' ? name : `${path}.${name}`;
    if (isInsecure(name, item)) return here.replace(/[^\w.-]/g, '?').slice(0, 80);
    const below = insecureSetting(item, here, depth + 1);
    if (below !== undefined) return below;
  }
  return undefined;
}

function isInsecure(name: string, value: unknown): boolean {
  const plain = name.toLowerCase().replace(/[-_]/g, '');
  if (WISHES.test(plain)) return true;
  return SWITCHES.test(plain) && OFF.includes(value);
}

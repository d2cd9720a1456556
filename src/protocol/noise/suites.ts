import type { AeadName, HashName } from '../crypto-backend.js';
import { NoiseMisuse } from './noise-error.js';

/** A cipher and a hash for Noise over X25519 (Noise rev 34, section 12). Every suite has a cipher: there is no null entry. */
export interface Suite {
  readonly aead: AeadName;
  readonly hash: HashName;
  /** HASHLEN of Noise rev 34, section 4.3. */
  readonly hashBytes: 32 | 64;
}

/** Every suite that the core knows, by its part of the Noise protocol name. The product runs on SUITE alone; the others exist for published vectors. */
export const SUITES = {
  ChaChaPoly_BLAKE2s: { aead: 'ChaChaPoly', hash: 'BLAKE2s', hashBytes: 32 },
  ChaChaPoly_BLAKE2b: { aead: 'ChaChaPoly', hash: 'BLAKE2b', hashBytes: 64 },
  ChaChaPoly_SHA256: { aead: 'ChaChaPoly', hash: 'SHA256', hashBytes: 32 },
  ChaChaPoly_SHA512: { aead: 'ChaChaPoly', hash: 'SHA512', hashBytes: 64 },
  AESGCM_BLAKE2s: { aead: 'AESGCM', hash: 'BLAKE2s', hashBytes: 32 },
  AESGCM_BLAKE2b: { aead: 'AESGCM', hash: 'BLAKE2b', hashBytes: 64 },
  AESGCM_SHA256: { aead: 'AESGCM', hash: 'SHA256', hashBytes: 32 },
  AESGCM_SHA512: { aead: 'AESGCM', hash: 'SHA512', hashBytes: 64 },
} as const satisfies Readonly<Record<string, Suite>>;

/** The name of a known suite. */
export type SuiteName = keyof typeof SUITES;

/** The one suite of sessions and envelopes: Noise_XX_25519_ChaChaPoly_BLAKE2s and Noise_X_25519_ChaChaPoly_BLAKE2s. No setting and no peer chooses another. */
export const SUITE: SuiteName = 'ChaChaPoly_BLAKE2s';

/** The suite called `name`. @throws NoiseMisuse ERR_NOISE_UNKNOWN_SUITE for every other name, so that no cipher "none" can be asked for. */
export function suiteNamed(name: string): Suite {
  if (!Object.hasOwn(SUITES, name))
    throw new NoiseMisuse('ERR_NOISE_UNKNOWN_SUITE', `no Noise suite is called "${name}"`);
  return SUITES[name as SuiteName]; // The line above found it among the keys.
}

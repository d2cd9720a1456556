/*
 * The phrase of an account: 12, 15, 18, 21 or 24 words (BIP39), and the identity key that comes of it.
 *
 *   seed64        PBKDF2-HMAC-SHA-512(NFKD(words joined by one space), "mnemonic" and NFKD(passphrase), 2,048 rounds)
 *   identity seed HKDF-SHA-256(ikm seed64, salt "sallyport identity v1", info empty), 32 bytes: an Ed25519 seed
 *
 * A phrase is a string where a person types it, and a string cannot be erased: copies stay in the memory of the
 * program until the garbage collector uses that memory for something else. So a program reads a phrase once, keeps the
 * identity seed only, in memory that it can erase, and ends soon. No refusal here says a word of the phrase.
 */
import { entropyToMnemonic, mnemonicToEntropy, mnemonicToSeedSync } from '@scure/bip39';
import { wordlist as english } from '@scure/bip39/wordlists/english.js';
import { ascii } from '../bytes.js';
import { hkdf } from '../hkdf.js';
import type { CryptoContext } from '../key-store.js';

const SALT = ascii('sallyport identity v1');
const WORD_COUNTS: readonly number[] = [12, 15, 18, 21, 24];

/** 24 words of the longest list have fewer than 300 characters; more is no phrase, and costs no work. */
const MAX_PHRASE_CHARACTERS = 1_024;
const MAX_PASSPHRASE_CHARACTERS = 1_024;

export const IDENTITY_SEED_BYTES = 32;

/** Why a text is no phrase. A closed list; none of them repeats what was typed. */
export type PhraseRefusal =
  | 'phrase-too-long'
  | 'phrase-not-unicode'
  | 'phrase-word-count'
  | 'phrase-unknown-word'
  | 'phrase-checksum'
  | 'passphrase-too-long'
  | 'passphrase-not-unicode';

/** A word list of BIP39: 2,048 words, each of them in NFKD. */
export type WordList = readonly string[];

/** The words of 16, 20, 24, 28 or 32 random bytes, for a person to write down. @throws RangeError for another length. */
export const phraseOf = (entropy: Uint8Array, words: WordList = english): string =>
  entropyToMnemonic(entropy, [...words]);

/**
 * Writes the 32-byte Ed25519 seed of the identity to `out`, which belongs to the caller, or says why the text is no
 * phrase. Accepted: any white space between and around the words, capitals, and every Unicode form of the same words.
 * Of the passphrase every character counts, spaces and capitals as well, after NFKD. Takes 2,048 rounds, some 20 ms.
 * @throws RangeError if `out` is not 32 bytes.
 */
export function identitySeed(
  context: CryptoContext,
  typed: { readonly phrase: string; readonly passphrase: string; readonly words?: WordList },
  out: Uint8Array,
): PhraseRefusal | undefined {
  if (out.length !== IDENTITY_SEED_BYTES) throw new RangeError(`a seed of ${out.length} bytes`);
  const seed = bip39Seed(typed);
  if (typeof seed === 'string') return seed;
  try {
    hkdf(context, { hash: 'SHA256', salt: SALT, ikm: seed, info: new Uint8Array() }, out);
  } finally {
    seed.fill(0);
  }
  return undefined;
}

/** The 64-byte seed of BIP39, which belongs to the caller, who erases it; or why the text is no phrase. */
export function bip39Seed({
  phrase,
  passphrase,
  words = english,
}: {
  readonly phrase: string;
  readonly passphrase: string;
  readonly words?: WordList;
}): Uint8Array | PhraseRefusal {
  if (passphrase.length > MAX_PASSPHRASE_CHARACTERS) return 'passphrase-too-long';
  if (!passphrase.isWellFormed()) return 'passphrase-not-unicode';
  const read = readPhrase(phrase, words);
  return typeof read === 'string' ? read : mnemonicToSeedSync(read.words.join(' '), passphrase);
}

/** The words of a phrase in the form that BIP39 hashes, or why it is none. */
export function readPhrase(
  phrase: string,
  list: WordList = english,
): { readonly words: readonly string[] } | PhraseRefusal {
  if (phrase.length > MAX_PHRASE_CHARACTERS) return 'phrase-too-long';
  if (!phrase.isWellFormed()) return 'phrase-not-unicode';
  const words = phrase.normalize('NFKD').toLowerCase().normalize('NFKD').trim().split(/\s+/);
  if (!WORD_COUNTS.includes(words.length)) return 'phrase-word-count';
  if (words.some((word) => !list.includes(word))) return 'phrase-unknown-word';
  return hasChecksum(words, list) ? { words } : 'phrase-checksum';
}

/** The library throws the offending word in its message, so its errors never leave this function. */
function hasChecksum(words: readonly string[], list: WordList): boolean {
  try {
    mnemonicToEntropy(words.join(' '), [...list]).fill(0);
    return true;
  } catch {
    return false;
  }
}

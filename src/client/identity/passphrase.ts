/*
 * Which passphrases are good enough for a new file. Long rather than strange (NIST SP 800-63B, 5.1.1.2): no rule asks
 * for capitals or signs, and what attackers try first is refused.
 *
 *   length       12 to 1,024 characters after NFKC
 *   predictable  fewer than five different characters, one step up or down all the way (`abcdefghijkl`), or a piece of
 *                at most four characters repeated
 *   breached     after small letters and common exchanges (`@` for `a`), and without digits and signs at both ends, it
 *                is on the list, or is words of the list one after the other
 *
 * A passphrase comes as bytes, which its owner can erase. The string that the rules need lives in these functions only.
 */
import { BREACHED } from './breached-list.js';

export const MIN_PASSPHRASE_CHARACTERS = 12;
const MAX_PASSPHRASE_CHARACTERS = 1_024;
const MAX_UTF8_BYTES = 4 * MAX_PASSPHRASE_CHARACTERS;
const MIN_DIFFERENT_CHARACTERS = 5;
const MAX_REPEATED_PIECE = 4;

/** Why a passphrase is not taken for a new file. A closed list; none repeats what was typed. */
export type PassphraseRefusal =
  | 'passphrase-too-short'
  | 'passphrase-too-long'
  | 'passphrase-not-unicode'
  | 'passphrase-predictable'
  | 'passphrase-breached';

/** What to tell the person for each refusal. */
export const PASSPHRASE_HINTS: Readonly<Record<PassphraseRefusal, string>> = {
  'passphrase-too-short': `Use at least ${MIN_PASSPHRASE_CHARACTERS} characters; five random words are easy to remember.`,
  'passphrase-too-long': `Use at most ${MAX_PASSPHRASE_CHARACTERS} characters.`,
  'passphrase-not-unicode': 'Type it as UTF-8 text.',
  'passphrase-predictable': 'Do not repeat or count characters; take five random words.',
  'passphrase-breached': 'It is made of well-known passwords; take five random words.',
};

const EXCHANGES: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '!': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
};

/**
 * The bytes that scrypt takes: NFKC and UTF-8, so that every keyboard opens the same file. They belong to the caller,
 * who erases them; `undefined` if `typed` is not UTF-8.
 */
export function passphraseBytes(typed: Uint8Array): Uint8Array | undefined {
  const text = textOf(typed);
  return text === undefined ? undefined : new TextEncoder().encode(text);
}

/** Why `typed` (UTF-8) may not protect a new file; undefined if it may. */
export function judgePassphrase(typed: Uint8Array): PassphraseRefusal | undefined {
  if (typed.length > MAX_UTF8_BYTES) return 'passphrase-too-long';
  const text = textOf(typed);
  if (text === undefined) return 'passphrase-not-unicode';
  const characters = Array.from(text);
  if (characters.length < MIN_PASSPHRASE_CHARACTERS) return 'passphrase-too-short';
  if (characters.length > MAX_PASSPHRASE_CHARACTERS) return 'passphrase-too-long';
  if (isPredictable(characters)) return 'passphrase-predictable';
  return isBreached(text.toLowerCase()) ? 'passphrase-breached' : undefined;
}

function textOf(typed: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(typed)
      .normalize('NFKC');
  } catch {
    return undefined;
  }
}

function isPredictable(characters: readonly string[]): boolean {
  if (new Set(characters).size < MIN_DIFFERENT_CHARACTERS) return true;
  const codes = characters.map((character) => character.codePointAt(0) ?? 0);
  if (
    isRow(
      codes,
      characters.every((character) => /[0-9]/.test(character)),
    )
  )
    return true;
  return [1, 2, 3, MAX_REPEATED_PIECE].some((piece) =>
    characters.every((character, i) => i < piece || character === characters[i - piece]),
  );
}

/** Whether each character stands one step behind the one before, in one direction; 0 follows 9. */
function isRow(codes: readonly number[], areDigits: boolean): boolean {
  const steps = codes.slice(1).map((code, i) => code - (codes[i] ?? 0));
  return [-1, 0, 1].some((step) =>
    steps.every((one) => one === step || (areDigits && (one - step) % 10 === 0)),
  );
}

const isBreached = (text: string): boolean =>
  [text, withExchanges(text)].some((spelling) => {
    const core = spelling.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
    return BREACHED.has(spelling) || BREACHED.has(core) || isMadeOfListed(core);
  });

const withExchanges = (text: string): string =>
  text.replace(/[^\p{L}]/gu, (character) => EXCHANGES[character] ?? character);

/** Whether the letters of `core` are words of the list one after the other, with digits and signs between them. */
function isMadeOfListed(core: string): boolean {
  const letters = core.replace(/[^\p{L}]+/gu, '');
  if (letters.length === 0) return false;
  // reachable[i]: the first i characters are words of the list.
  const reachable = new Array<boolean>(letters.length + 1).fill(false);
  reachable[0] = true;
  for (let end = 1; end <= letters.length; end++)
    for (let start = Math.max(0, end - LONGEST_LISTED); start < end; start++)
      if (reachable[start] === true && BREACHED.has(letters.slice(start, end)))
        reachable[end] = true;
  return reachable[letters.length] === true;
}

const LONGEST_LISTED = Math.max(...[...BREACHED].map((word) => word.length));

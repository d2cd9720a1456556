/*
 * A phrase as a person sees it, and what is wrong with what was typed again.
 */

const COLUMNS = 4;
/** The longest word of BIP39 has eight letters. */
const CELL_CHARACTERS = 14;

/** The words with their numbers, four in a row. */
export function phraseLines(phrase: string): readonly string[] {
  const cells = phrase
    .split(' ')
    .map((word, i) => `${String(i + 1).padStart(2)} ${word}`.padEnd(CELL_CHARACTERS));
  const rows = Math.ceil(cells.length / COLUMNS);
  return Array.from({ length: rows }, (_, row) =>
    cells
      .slice(row * COLUMNS, (row + 1) * COLUMNS)
      .join('')
      .trimEnd(),
  );
}

/** What differs between the phrase and what was typed again, for who has the phrase before them anyway. */
export function differenceText(phrase: string, typed: string): string {
  const expected = phrase.split(' ');
  const words = typed.trim().toLowerCase().split(/\s+/);
  if (words.length !== expected.length)
    return `These are ${words.length} words; the phrase has ${expected.length}.`;
  const wrong = expected.flatMap((word, i) => (word === words[i] ? [] : [i + 1]));
  return `Not as shown: word ${wrong.join(', ')}.`;
}

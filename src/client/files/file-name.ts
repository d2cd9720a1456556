/*
 * Names of files that others chose, made harmless: whatever comes, what is written is a plain name in the folder that the
 * person named, on every system, and it looks like what it is.
 */

/** Most file systems take 255 bytes; room is left for " (999)" and for the endings of partial files. */
const MAX_NAME_BYTES = 200;
const MAX_ENDING_LENGTH = 16;
const FALLBACK = 'file';

/** Controls, what has no width or turns the direction of writing (U+202E), separators, halves of characters, private ones. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
/** Not allowed in names on Windows, and `:` opens a stream of another file there. */
const FORBIDDEN = /[<>:"|?*]/g;
/** Names of devices on Windows, with any ending. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\.|$)/i;

/**
 * A harmless name for `name`: its last part, without what cannot be seen, at most 200 bytes. It is never empty, never a
 * path, never hidden, no option of a command and no device; the same name gives the same, and a harmless one gives itself.
 */
export function safeFileName(name: string): string {
  const visible = name.normalize('NFC').replace(INVISIBLE, '').replace(FORBIDDEN, '_');
  const parts = visible.split(/[/\\]/).map(trimmed);
  const last = parts.findLast((part) => part !== '') ?? FALLBACK;
  const plain = /^-|^~/.test(last) || DEVICE.test(last) ? `_${last}` : last;
  return cut(plain);
}

/** The ending of a name that `safeFileName` gave, in lower case with its dot; '' if there is none. */
export function fileEnding(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot).toLowerCase();
}

/** The same name with a number: `report (2).pdf`. */
export function numberedName(name: string, number: number): string {
  const ending = fileEnding(name).length <= MAX_ENDING_LENGTH ? fileEnding(name).length : 0;
  const stem = name.slice(0, name.length - ending);
  return `${stem} (${number})${name.slice(name.length - ending)}`;
}

/** What two names have in common if they are one file on a system that does not tell case, or the two forms of an umlaut, apart. */
export const foldedName = (name: string): string =>
  name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFC');

/** Leading dots hide a file; trailing dots and blanks vanish on Windows, so that the ending would be another. */
const trimmed = (part: string): string => part.replace(/^[.\s]+/u, '').replace(/[.\s]+$/u, '');

/** Whole characters of the stem, and the ending. */
function cut(name: string): string {
  if (bytesOf(name) <= MAX_NAME_BYTES) return name;
  const ending = fileEnding(name).length <= MAX_ENDING_LENGTH ? fileEnding(name).length : 0;
  const tail = name.slice(name.length - ending);
  let room = MAX_NAME_BYTES - bytesOf(tail);
  let stem = '';
  for (const character of name.slice(0, name.length - ending)) {
    room -= bytesOf(character);
    if (room < 0) break;
    stem += character;
  }
  return `${trimmed(stem)}${tail}`;
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

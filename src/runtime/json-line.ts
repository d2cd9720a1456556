/*
 * One record, one line. JSON.stringify escapes C0 controls, quotes and lone surrogates. It leaves DEL, the C1
 * controls (U+0085 is a line end, U+009B starts a terminal sequence), the separators U+2028 and U+2029 (line
 * ends for some readers) and the bidirectional controls that reorder what a person reads.
 */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** `value` as JSON on one line that no terminal or line reader can be led astray by; parses to the same value. */
export function jsonLine(value: unknown): string {
  return escapeLine(JSON.stringify(value));
}

/** JSON text with every character that could end a line or drive a terminal written as `\uXXXX`. */
export function escapeLine(json: string): string {
  return json.replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Free text made fit for one line of a terminal or table: controls become visible, length is bounded. */
export function plainText(text: string, maxCharacters: number): string {
  return cut(jsonLine(text).slice(1, -1).replaceAll('\\"', '"'), maxCharacters);
}

/** `value` as JSON for a message: one line, bounded, so that it may end in the middle. */
export function shortJson(value: unknown, maxCharacters: number): string {
  return cut(jsonLine(value), maxCharacters);
}

const cut = (text: string, maxCharacters: number): string =>
  text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1)}…`;

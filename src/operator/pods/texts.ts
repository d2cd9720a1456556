const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;

/** Whether a text or key at any depth of `value` holds a line break or another control character (T51). */
export function hasControlCharacter(value: unknown): boolean {
  if (typeof value === 'string') return CONTROL_CHARACTER.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, below]) => CONTROL_CHARACTER.test(key) || hasControlCharacter(below),
  );
}

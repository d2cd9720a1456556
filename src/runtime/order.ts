/**
 * Order of two texts by UTF-16 code units, for `sort`: negative, zero or positive. The same on every machine, which
 * orders by locale are not.
 */
export function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

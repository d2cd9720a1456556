/** A resourceVersion as every API server of Kubernetes writes it: a positive decimal number without leading zeros. */
const DECIMAL = /^(?:0|[1-9]\d*)$/;

/**
 * Negative when `a` is older than `b`, 0 when they are the same, positive when it is newer (KEP-5504: they are
 * comparable as integers, which may exceed 64 bits). Undefined when one of them is not a number: then only
 * the order of arrival counts.
 */
export function compareResourceVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return undefined;
  // Without leading zeros the longer number is the greater, and equal lengths compare as text.
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

/** Whether `a` is certainly older than `b`. */
export function isOlder(a: string, b: string): boolean {
  const order = compareResourceVersions(a, b);
  return order !== undefined && order < 0;
}

import { canonicalQuantity as apiForm } from '../../kubernetes/quantity.js';

/** The API server keeps no finer fraction than a billionth. */
const NANO = 1_000_000_000n;
/** What a resource of ours may say: no sign, no exponent. */
const PATTERN = /^([0-9]{1,18})(?:\.([0-9]{1,9}))?([KMGTPE]i|[numkMGTPE])?$/;
const DECIMAL_POWERS = 'numkMGTPE';
const BINARY_POWERS = 'KMGTPE';

/** `text` in billionths, rounded up; undefined when it is not a quantity that a resource of ours may hold. */
export function quantityInNano(text: string): bigint | undefined {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const [, whole = '0', fraction = '', suffix = ''] = match;
  const divisor = 10n ** BigInt(fraction.length);
  return (BigInt(whole + fraction) * unitInNano(suffix) + divisor - 1n) / divisor;
}

/**
 * `text` as the API server writes it back: `0.5` becomes `500m`, `1024Mi` becomes `1Gi`.
 * @throws RangeError for what is not a quantity: `validate.ts` of a room asks `quantityInNano` first.
 */
export function canonicalQuantity(text: string): string {
  const canonical = quantityInNano(text) === undefined ? undefined : apiForm(text);
  if (canonical !== undefined) return canonical;
  throw new RangeError(
    `"${text.slice(0, 64)}" is not a Kubernetes quantity. Write for example 500m or 1Gi.`,
  );
}

/** The larger of two quantities, canonical. */
export function largerQuantity(a: string, b: string): string {
  return canonicalQuantity((quantityInNano(a) ?? 0n) >= (quantityInNano(b) ?? 0n) ? a : b);
}

/** The smaller of two quantities, canonical. */
export function smallerQuantity(a: string, b: string): string {
  return canonicalQuantity((quantityInNano(a) ?? 0n) <= (quantityInNano(b) ?? 0n) ? a : b);
}

function unitInNano(suffix: string): bigint {
  if (suffix === '') return NANO;
  if (suffix.endsWith('i'))
    return NANO << BigInt(10 * (BINARY_POWERS.indexOf(suffix.slice(0, 1)) + 1));
  // n, u, m lie below one; k and the rest above, with one step in between that has no letter.
  const step = DECIMAL_POWERS.indexOf(suffix);
  return 10n ** BigInt(3 * (step < 3 ? step : step + 1));
}

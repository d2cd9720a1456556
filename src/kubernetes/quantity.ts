/*
 * Resource quantities in the canonical form of the API server (k8s.io/apimachinery, resource.Quantity):
 * no precision is lost, no fractional digits, the largest suffix that allows both.
 */

const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];

/** Decimal digits after the point that a quantity can hold: the suffix `n`. Finer values are rounded up. */
const SCALE = 9;
const ONE = 10n ** BigInt(SCALE);

const QUANTITY = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/;

/** The form in which the API server stores `text`; undefined when it is not a quantity. */
export function canonicalQuantity(text: string): string | undefined {
  const match = QUANTITY.exec(text);
  if (!match) return undefined;
  const [, sign = '', digits = '', suffix = ''] = match;
  const nanos = nanosOf(digits, suffix);
  const minus = sign === '-' && nanos !== 0n ? '-' : '';
  if (/^[eE]/.test(suffix) && suffix.length > 1) return minus + withExponent(nanos);
  return minus + (suffix.endsWith('i') ? withBinarySuffix(nanos) : withDecimalSuffix(nanos));
}

/** In units of 10^-9, rounded up (away from zero). */
function nanosOf(digits: string, suffix: string): bigint {
  const [whole = '', fraction = ''] = digits.split('.');
  const mantissa = BigInt(whole + fraction || '0');
  if (suffix.endsWith('i')) {
    const factor = 1024n ** BigInt(BINARY.indexOf(suffix));
    return dividedUp(mantissa * factor * ONE, 10n ** BigInt(fraction.length));
  }
  const power = SCALE + exponentOf(suffix) - fraction.length;
  return power >= 0 ? mantissa * 10n ** BigInt(power) : dividedUp(mantissa, 10n ** BigInt(-power));
}

function exponentOf(suffix: string): number {
  if (suffix.length > 1) return Number(suffix.slice(1));
  if (suffix === '') return 0;
  return (DECIMAL.indexOf(suffix) - DECIMAL.indexOf('')) * 3;
}

function dividedUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

function withDecimalSuffix(nanos: bigint): string {
  const { number, thousands } = trimmed(nanos);
  return `${number}${DECIMAL[thousands] ?? ''}`;
}

function withExponent(nanos: bigint): string {
  const { number, thousands } = trimmed(nanos);
  const exponent = (thousands - DECIMAL.indexOf('')) * 3;
  return exponent === 0 ? `${number}` : `${number}e${exponent}`;
}

/** `nanos` as number times 1000^(thousands - 3). */
function trimmed(nanos: bigint): { readonly number: bigint; readonly thousands: number } {
  if (nanos === 0n) return { number: 0n, thousands: DECIMAL.indexOf('') };
  let number = nanos;
  let thousands = 0;
  while (number % 1000n === 0n && thousands < DECIMAL.length - 1) {
    number /= 1000n;
    thousands += 1;
  }
  return { number, thousands };
}

/** A binary suffix is for whole numbers of at least 1024; anything else is written decimally. */
function withBinarySuffix(nanos: bigint): string {
  if (nanos % ONE !== 0n || nanos < 1024n * ONE) return withDecimalSuffix(nanos);
  let number = nanos / ONE;
  let index = 0;
  while (number % 1024n === 0n && index < BINARY.length - 1) {
    number /= 1024n;
    index += 1;
  }
  return `${number}${BINARY[index] ?? ''}`;
}

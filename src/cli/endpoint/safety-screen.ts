/*
 * The safety number as people compare it: by reading it to each other, or by scanning.
 */
import { renderUnicodeCompact } from 'uqr';

const GROUPS_IN_A_LINE = 4;
const DIGITS = 60;

/** The number in lines of four groups. */
export function safetyLines(name: string, number: string): readonly string[] {
  const groups = number.split(' ');
  const lines = Array.from({ length: Math.ceil(groups.length / GROUPS_IN_A_LINE) }, (_, i) =>
    groups.slice(i * GROUPS_IN_A_LINE, (i + 1) * GROUPS_IN_A_LINE).join(' '),
  );
  return [`Safety number of you and ${name}:`, '', ...lines.map((line) => `    ${line}`), ''];
}

/** The same as a QR code: the 60 digits. Dark on light, whatever the colours of the terminal. */
export const qrLines = (number: string): readonly string[] =>
  renderUnicodeCompact(number.replaceAll(' ', ''), { border: 2 }).split('\n');

/** Whether what somebody typed or scanned is `own`; blanks and hyphens do not count. */
export function sameNumber(own: string, other: string): boolean {
  const digits = other.replace(/[\s-]/g, '');
  return digits.length === DIGITS && digits === own.replaceAll(' ', '');
}

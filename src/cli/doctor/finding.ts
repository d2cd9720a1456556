import { plainText } from '../../runtime/json-line.js';

/** `unknown`: nobody could look, because something before it failed or was not asked for. */
export type Outcome = 'ok' | 'warning' | 'failed' | 'unknown';

/** What one look at a gateway or at the network gave. */
export interface Finding {
  /** What was looked at: `tls`, `certificate`, `nat`. */
  readonly check: string;
  readonly outcome: Outcome;
  readonly detail: string;
  /** What to do, unless all is well. */
  readonly hint?: string;
}

const MARKS: Readonly<Record<Outcome, string>> = {
  ok: 'ok     ',
  warning: 'WARNING',
  failed: 'FAILED ',
  unknown: '-      ',
};
const MAX_CHARACTERS = 400;

/** Makes a finding. */
export const finding = (
  check: string,
  outcome: Outcome,
  detail: string,
  hint?: string,
): Finding => ({ check, outcome, detail, ...(hint !== undefined && { hint }) });

/** Findings as lines, hints below what they belong to. */
export function findingLines(findings: readonly Finding[]): readonly string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings.flatMap(({ check, outcome, detail, hint }) => [
    `${MARKS[outcome]}  ${check.padEnd(width)}  ${plainText(detail, MAX_CHARACTERS)}`,
    ...(hint === undefined ? [] : [`${' '.repeat(width + 11)}${plainText(hint, MAX_CHARACTERS)}`]),
  ]);
}

/** Whether something is wrong. */
export const isFailed = (findings: readonly Finding[]): boolean =>
  findings.some(({ outcome }) => outcome === 'failed');

/* What values.yaml of a chart says, in the order of the file: each value with the comment that stands above it. */

/** One value of a chart. */
export interface ChartValue {
  /** `scope.watch` */
  readonly path: string;
  /** As it stands in values.yaml. */
  readonly fallback: string;
  /** Empty where nobody wrote a comment. */
  readonly meaning: string;
}

const ENTRY = /^( *)([A-Za-z][-A-Za-z0-9]*):(?: +(\S.*))?$/;
const COMMENT = /^ *# ?(.*)$/;

/**
 * The values of a values.yaml, which holds maps with two spaces per level and each leaf on one line.
 * @throws Error at a line that is neither a comment, nor empty, nor `key: value`.
 */
export function chartValues(text: string): readonly ChartValue[] {
  const values: ChartValue[] = [];
  const open: string[] = [];
  let comment: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const said = COMMENT.exec(line)?.[1];
    if (said !== undefined) {
      comment.push(said);
      continue;
    }
    const entry = ENTRY.exec(line);
    if (entry) {
      open.splice(entry[1]!.length / 2, Infinity, entry[2]!);
      if (entry[3] !== undefined)
        values.push({ path: open.join('.'), fallback: entry[3], meaning: comment.join(' ') });
    } else if (line.trim() !== '') throw new Error(`values.yaml:${index + 1}: ${line}`);
    comment = [];
  }
  return values;
}

/** The values as a table of Markdown. */
export function valuesTable(values: readonly ChartValue[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = values.map(
    ({ path, fallback, meaning }) => `| \`${path}\` | \`${cell(fallback)}\` | ${cell(meaning)} |`,
  );
  return ['| value | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

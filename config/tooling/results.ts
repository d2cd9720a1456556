import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestResult } from './promises.js';

/** All results of the last run, from the files that config/tooling/results.reporter.js wrote below `folder`. */
export function readResults(folder: string, names: readonly string[]): readonly TestResult[] {
  return names
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as TestResult[]);
}

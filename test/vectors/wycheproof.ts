import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What every Wycheproof test says of itself. */
export interface WycheproofTest {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

/** The tests of one file of Wycheproof, each merged with the fields of its group. */
export function wycheproof<Test extends WycheproofTest>(name: string): Test[] {
  const file = join(import.meta.dirname, `wycheproof-${name}.json`);
  const { testGroups, numberOfTests } = JSON.parse(readFileSync(file, 'utf8')) as {
    testGroups: { tests: Test[] }[];
    numberOfTests: number;
  };
  const tests = testGroups.flatMap(({ tests: ofGroup, ...group }) =>
    ofGroup.map((test) => ({ ...group, ...test })),
  );
  if (tests.length !== numberOfTests)
    throw new Error(`${name} has ${tests.length} tests, not ${numberOfTests}`);
  return tests;
}

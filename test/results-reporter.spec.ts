import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import ResultsReporter from '../config/tooling/results.reporter.js';

describe('the file of test results', () => {
  let rootDir: string;
  beforeEach(() => {
    rootDir = mkdtempSync(join(tmpdir(), 'sallyport-results-'));
    mkdirSync(join(rootDir, 'src'));
    for (const name of ['a', 'b']) writeFileSync(join(rootDir, 'src', `${name}.spec.ts`), '');
  });
  afterEach(() => {
    rmSync(rootDir, { recursive: true });
  });

  interface Run {
    readonly paths?: readonly string[];
    readonly testNamePattern?: string;
  }

  /** One run of jest that ran these tests: file, title, status. */
  function run(
    tests: readonly (readonly [string, string, string])[],
    { paths = [], ...rest }: Run = {},
  ): void {
    const reporter = new ResultsReporter({
      rootDir,
      testPathPatterns: { patterns: paths },
      ...rest,
    });
    for (const file of new Set(tests.map(([name]) => name))) {
      const context = { config: { displayName: { name: 'unit' } } };
      const testResults = tests
        .filter(([name]) => name === file)
        .map(([, title, status]) => ({ title, fullName: `it ${title}`, status, duration: 3 }));
      reporter.onTestResult({ path: join(rootDir, file), context }, { testResults });
    }
  }

  const written = (): string[] => {
    const text = readFileSync(join(rootDir, 'test-results', 'unit.json'), 'utf8');
    return (JSON.parse(text) as Record<string, string>[]).map(({ file, title, status }) =>
      [file, title, status].join(' '),
    );
  };

  const A = 'src/a.spec.ts';
  const B = 'src/b.spec.ts';

  it('lists each test of a whole run, and nothing of an earlier one', () => {
    run([[A, 'old', 'passed']]);
    run([
      [B, 'one', 'failed'],
      [A, 'two', 'passed'],
    ]);
    expect(written()).toEqual([`${A} two passed`, `${B} one failed`]);
    const text = readFileSync(join(rootDir, 'test-results', 'unit.json'), 'utf8');
    expect(JSON.parse(text)).toContainEqual({
      title: 'two',
      fullName: 'it two',
      file: A,
      status: 'passed',
      ms: 3,
    });
  });

  it('keeps the other files when some paths are run, unless they are gone', () => {
    run([
      [A, 'one', 'passed'],
      [B, 'two', 'passed'],
      ['src/gone.spec.ts', 'three', 'passed'],
    ]);
    run([[B, 'renamed', 'failed']], { paths: ['src/b'] });
    expect(written()).toEqual([`${A} one passed`, `${B} renamed failed`]);
  });

  it('keeps the other tests of a file when tests are run by name', () => {
    run([
      [A, 'one', 'passed'],
      [A, 'two', 'passed'],
    ]);
    run(
      [
        [A, 'one', 'pending'],
        [A, 'two', 'failed'],
      ],
      { testNamePattern: 'two' },
    );
    expect(written()).toEqual([`${A} one passed`, `${A} two failed`]);
  });

  it('names a file that did not load as a failure', () => {
    const reporter = new ResultsReporter({ rootDir, testPathPatterns: { patterns: [] } });
    const context = { config: { displayName: { name: 'unit' } } };
    const testExecError = { message: 'no such module' };
    reporter.onTestResult({ path: join(rootDir, A), context }, { testResults: [], testExecError });
    expect(written()).toEqual([`${A} the file loads failed`]);
  });
});

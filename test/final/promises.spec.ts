import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  brokenPromises,
  idsOf,
  PROMISE_IDS,
  readPromises,
  unlistedTests,
} from '../../config/tooling/promises.js';
import { readResults } from '../../config/tooling/results.js';

/** This project runs after all others, so that their results of this run are there. */
const results = readResults('test-results', readdirSync('test-results'));
const promises = readPromises(readFileSync('docs/promises.yaml', 'utf8'));

/** The result of the test that names it is not written yet while it runs. */
const itself = [
  {
    title: 'S204: names only tests that exist, ran and passed in this run',
    file: 'test/final/promises.spec.ts',
    status: 'passed',
  },
];

describe('docs/promises.yaml', () => {
  it('lists every row of the catalogue and of the threats, once and in order', () => {
    expect(promises.map(({ id }) => id)).toEqual(PROMISE_IDS);
  });

  it('S204: names only tests that exist, ran and passed in this run', () => {
    expect(
      brokenPromises(
        promises,
        results.filter(({ title }) => title !== itself[0]?.title).concat(itself),
      ),
    ).toEqual([]);
  });

  it('names each test whose title begins with an id', () => {
    expect(unlistedTests(promises, results)).toEqual([]);
  });
});

describe('the check of the promises', () => {
  const promise = { id: 'S1', claim: 'c', state: 'shown', tests: ['S1: works'] } as const;

  it.each([
    ['did not run', [], 'S1: the test "S1: works" is not run.'],
    [
      'failed',
      [{ title: 'S1: works', file: 'f', status: 'failed' }],
      'S1: the test "S1: works" is failed.',
    ],
    [
      'was skipped',
      [{ title: 'S1: works', file: 'f', status: 'pending' }],
      'S1: the test "S1: works" is pending.',
    ],
  ])('finds a test that %s', (_, ran, complaint) => {
    expect(brokenPromises([promise], ran)).toEqual([complaint]);
  });

  it('lets a title stand for a table of tests, all of which must pass', () => {
    const table = [{ ...promise, tests: ['S1: works with %s'] }];
    const ran = (title: string, status = 'passed') => ({ title, file: 'f', status });
    expect(brokenPromises(table, [ran('S1: works with a'), ran('S1: works with b')])).toEqual([]);
    expect(
      brokenPromises(table, [ran('S1: works with a'), ran('S1: works with b', 'failed')]),
    ).toHaveLength(1);
    expect(unlistedTests(table, [ran('S1: works with c')])).toEqual([]);
  });

  it('finds a title without the id and a test that is not listed', () => {
    expect(brokenPromises([{ ...promise, tests: ['works'] }], [])).toHaveLength(1);
    expect(
      unlistedTests([promise], [{ title: 'S1, T2: both', file: 'f', status: 'passed' }]),
    ).toHaveLength(2);
    expect(idsOf('S22, T51: rotates')).toEqual(['S22', 'T51']);
  });

  it('refuses a row without a test, with an unknown state, or without the sentence that it owes', () => {
    const row = (text: string) => () => readPromises(`promises:\n  S1: {claim: c, ${text}}`);
    expect(row('state: shown')).toThrow('names no test');
    expect(row('state: perhaps')).toThrow('state is not one of');
    expect(row('state: planned')).toThrow('missing belongs to');
  });
});

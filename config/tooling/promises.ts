import { load } from 'js-yaml';

/** How far a promise is kept; the words are explained at the top of docs/promises.yaml. */
export type PromiseState = 'shown' | 'rendered' | 'part' | 'planned';

/** One row of the catalogue or of the threats. */
export interface ProductPromise {
  readonly id: string;
  readonly claim: string;
  readonly state: PromiseState;
  /** What is missing, in one sentence; only for `part` and `planned`. */
  readonly missing?: string;
  /** Whole titles of the tests that show it. */
  readonly tests: readonly string[];
}

/** One test of the last run, as config/tooling/results.reporter.js writes it. */
export interface TestResult {
  readonly title: string;
  readonly file: string;
  readonly status: string;
}

const STATES: readonly string[] = ['shown', 'rendered', 'part', 'planned'];

/** The ids that must be there: S1 to S216 and T1 to T52, in this order. */
export const PROMISE_IDS: readonly string[] = [
  ...Array.from({ length: 216 }, (_, index) => `S${index + 1}`),
  ...Array.from({ length: 52 }, (_, index) => `T${index + 1}`),
];

/** Reads docs/promises.yaml. @throws Error with the id when a row has not the form that its head describes. */
export function readPromises(yaml: string): readonly ProductPromise[] {
  const document = load(yaml) as { promises: Record<string, Record<string, unknown>> };
  return Object.entries(document.promises).map(([id, row]) => readPromise(id, row));
}

function readPromise(id: string, row: Record<string, unknown>): ProductPromise {
  const fault = FAULTS.find(({ holds }) => holds(row));
  if (fault) throw new Error(`docs/promises.yaml, ${id}: ${fault.says}`);
  return { id, tests: [], ...(row as Omit<ProductPromise, 'id' | 'tests'>) };
}

const FIELDS: readonly string[] = ['claim', 'state', 'missing', 'tests'];

const owesReason = ({ state }: Record<string, unknown>): boolean =>
  state === 'part' || state === 'planned';

const isTitles = (tests: unknown): boolean =>
  tests === undefined || (Array.isArray(tests) && tests.every((test) => typeof test === 'string'));

/** What can be wrong with a row; the first that holds is told. */
const FAULTS: readonly {
  readonly holds: (row: Record<string, unknown>) => boolean;
  readonly says: string;
}[] = [
  { holds: ({ claim }) => typeof claim !== 'string' || claim === '', says: 'has no claim.' },
  {
    holds: ({ state }) => typeof state !== 'string' || !STATES.includes(state),
    says: `state is not one of ${STATES.join(', ')}.`,
  },
  {
    holds: (row) => Object.keys(row).some((field) => !FIELDS.includes(field)),
    says: `has a field that is none of ${FIELDS.join(', ')}.`,
  },
  { holds: ({ tests }) => !isTitles(tests), says: 'tests is not a list of titles.' },
  {
    holds: (row) => owesReason(row) !== (typeof row['missing'] === 'string'),
    says: 'missing belongs to part and planned, and only there.',
  },
  {
    holds: ({ state, tests }) => state !== 'planned' && !(Array.isArray(tests) && tests.length > 0),
    says: 'names no test, although something is shown.',
  },
];

/**
 * Why the promises cannot be believed after this run: empty when each named test exists, ran and passed. A `%s` in a
 * named title stands for any text, as in the source of a test with a table; then all that match must have passed.
 */
export function brokenPromises(
  promises: readonly ProductPromise[],
  results: readonly TestResult[],
): readonly string[] {
  return promises.flatMap(({ id, tests }) =>
    tests.flatMap((title) => {
      if (!idsOf(title).includes(id))
        return [`${id}: the title "${title}" does not begin with ${id}.`];
      const status = statusOf(title, results);
      return status === 'passed' ? [] : [`${id}: the test "${title}" is ${status}.`];
    }),
  );
}

/** Tests whose title begins with an id under which docs/promises.yaml does not list them. */
export function unlistedTests(
  promises: readonly ProductPromise[],
  results: readonly TestResult[],
): readonly string[] {
  const listed = new Map(promises.map(({ id, tests }) => [id, tests.map(patternOf)]));
  const titles = [...new Set(results.map(({ title }) => title))];
  return titles.flatMap((title) =>
    idsOf(title)
      .filter((id) => !listed.get(id)?.some((pattern) => pattern.test(title)))
      .map((id) => `${id}: "${title}" is not listed.`),
  );
}

/** The worst status of the tests that a title of docs/promises.yaml names; `not run` where there is none. */
export function statusOf(title: string, results: readonly TestResult[]): string {
  const pattern = patternOf(title);
  const statuses = results
    .filter((result) => pattern.test(result.title))
    .map(({ status }) => status);
  if (statuses.length === 0) return 'not run';
  return statuses.find((status) => status !== 'passed') ?? 'passed';
}

function patternOf(title: string): RegExp {
  const literal = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('%s', '.+')}$`, 's');
}

/** The ids with which a test title begins: `S22, T51: rotates ...` gives S22 and T51. */
export function idsOf(title: string): readonly string[] {
  const head = /^((?:[ST]\d+(?:, )?)+): /.exec(title)?.[1];
  return head?.split(', ') ?? [];
}

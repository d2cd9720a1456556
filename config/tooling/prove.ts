/* `npm run prove`: claim, test, result of the last run, for each promise. Exit code 1 when a named test failed or did not run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { brokenPromises, readPromises, statusOf, type ProductPromise } from './promises.js';
import { readResults } from './results.js';

const promises = readPromises(readFileSync('docs/promises.yaml', 'utf8'));
const results = existsSync('test-results')
  ? readResults('test-results', readdirSync('test-results'))
  : [];
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const all = process.argv.includes('--all');

function print({ id, claim, state, missing, tests }: ProductPromise): void {
  console.log(`${id.padEnd(5)} ${state.padEnd(9)} ${claim}`);
  if (missing !== undefined) console.log(`      missing   ${missing}`);
  for (const title of tests) console.log(`      ${statusOf(title, results).padEnd(9)} ${title}`);
}

const chosen = promises.filter(({ id, state }) =>
  wanted.length > 0 ? wanted.includes(id) : all || state !== 'planned',
);
chosen.forEach(print);

const count = (state: string) => promises.filter((promise) => promise.state === state).length;
console.log(
  `\n${promises.length} promises: ${count('shown')} shown, ${count('rendered')} rendered, ${count('part')} in part, ${count('planned')} planned.` +
    (all || wanted.length > 0 ? '' : ' `npm run prove -- --all` prints the planned ones too.'),
);
const broken = brokenPromises(chosen, results);
if (broken.length > 0) {
  console.error(`\nNot proven by the last run (run \`npm test\` first):\n${broken.join('\n')}`);
  process.exitCode = 1;
}

/* `npm run bench -- operator`: prints one JSON line per figure, then a table. Never part of the tests. */
import { benchOperator } from './operator.bench.js';
import { jsonLine, table, type Metric } from './report.js';

const BENCHES: Readonly<
  Record<string, (report: (metric: Metric) => void, args: readonly string[]) => Promise<void>>
> = {
  operator: benchOperator,
};

const [name, ...args] = process.argv.slice(2);
const bench = BENCHES[name ?? ''];
if (bench === undefined) {
  console.error(
    `npm run bench -- ${Object.keys(BENCHES).join(' | ')}: which one? "${name ?? ''}" is none of them.`,
  );
  process.exit(64);
}
const metrics: Metric[] = [];
await bench((metric) => {
  metrics.push(metric);
  console.log(jsonLine(metric));
}, args);
console.log(`\n${table(metrics)}`);

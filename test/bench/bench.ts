/* `npm run bench -- NAME... [OPTIONS]`: prints one JSON line per figure, then a table. Never part of the tests. */
import { benchClient } from './client.bench.js';
import { benchGateway } from './gateway.bench.js';
import { benchOperator } from './operator.bench.js';
import { benchRelay } from './relay.bench.js';
import { jsonLine, table, type Metric } from './report.js';
import { benchSession } from './session.bench.js';

type Bench = (report: (metric: Metric) => void, args: readonly string[]) => Promise<void>;

const BENCHES: Readonly<Record<string, Bench>> = {
  client: benchClient,
  gateway: benchGateway,
  operator: benchOperator,
  relay: benchRelay,
  session: benchSession,
};

// Names stand first; options are for each of them.
const given = process.argv.slice(2);
const firstOption = given.findIndex((word) => word.startsWith('-'));
const names = firstOption < 0 ? given : given.slice(0, firstOption);
const args = given.slice(names.length);
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (names.length === 0 || unknown.length > 0) {
  console.error(
    `npm run bench -- ${Object.keys(BENCHES).join(' | ')}: which? "${unknown.join(' ')}" is none of them.`,
  );
  process.exit(64);
}
const metrics: Metric[] = [];
for (const name of names)
  await BENCHES[name]!((metric) => {
    metrics.push(metric);
    console.log(jsonLine(metric));
  }, args);
console.log(`\n${table(metrics)}`);

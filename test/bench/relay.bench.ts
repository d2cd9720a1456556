/*
 * `npm run bench -- relay`: our relay beside the others, in one run and on one core each time, with the generator and
 * sink on another. Without `--full` it measures the cells of the targets three times and the rest once.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import {
  bundleContestants,
  CONTESTANTS,
  coturnTree,
  cpuSeconds,
  machine,
  startContestant,
  type Contestant,
  type ContestantName,
} from './relay-contestants.js';
import { benchFlood } from './relay-flood.js';
import { benchHeldSessions } from './relay-held.js';
import { Load, type Seen } from './relay-load.js';
import { median, type Metric } from './report.js';

/** Generator and sink on one core, what is measured on the other. */
const LOAD_CORE = 0;
/** Its core. */
const RELAY_CORE = 1;
/** Loss up to which a rate counts as carried. */
const LOSS = 0.001;

/** One point of the grid. */
export interface Cell {
  readonly bytes: number;
  readonly flows: number;
  readonly burst: number;
  readonly repetitions: number;
}

/** How long things take. */
interface Pace {
  readonly probeMs: number;
  readonly probes: number;
  readonly cpuMs: number;
}

/** What one contestant did in one repetition. */
interface Result {
  readonly pps: number;
  readonly cpuUs: number;
  readonly p99: number;
  readonly lossAtHalf: number;
  readonly generatorBound: boolean;
}

type Report = (metric: Metric) => void;

/** Measures everything. `--full` is the whole grid (an hour), `--smoke` a look whether it works (figures mean nothing). */
export async function benchRelay(report: Report, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      only: { type: 'string', default: CONTESTANTS.join(',') },
      part: { type: 'string', default: 'grid,held,flood' },
    },
  });
  if (availableParallelism() < 2) throw new Error('The relay bench needs two cores.');
  await bundleContestants();
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  say(machine());
  say(`coturn from ${coturnTree(say).packages.join(' ')}`);
  const parts = values.part.split(',');
  const names = CONTESTANTS.filter((name) => values.only.split(',').includes(name));
  const load = await Load.start(LOAD_CORE);
  try {
    if (parts.includes('grid'))
      await benchGrid({ load, report, names, cells: cellsOf(values), pace: paceOf(values) });
    if (parts.includes('held')) await benchHeldSessions(load, report, values.smoke ? 500 : 10_000);
    if (parts.includes('flood')) await benchFlood(load, report, values.smoke);
  } finally {
    await load.stop();
  }
}

interface Extent {
  readonly full: boolean;
  readonly smoke: boolean;
}

function paceOf({ full, smoke }: Extent): Pace {
  if (smoke) return { probeMs: 150, probes: 2, cpuMs: 300 };
  return full
    ? { probeMs: 1_000, probes: 8, cpuMs: 3_000 }
    : { probeMs: 300, probes: 5, cpuMs: 1_200 };
}

/** The two cells of the targets first. */
function cellsOf({ full, smoke }: Extent): readonly Cell[] {
  const repetitions = smoke ? 1 : 3;
  const targets: Cell[] = [1, 4].map((burst) => ({ bytes: 1_200, flows: 100, burst, repetitions }));
  if (full) {
    const grid = [64, 300, 1_200].flatMap((bytes) =>
      [1, 100, 1_000].flatMap((flows) =>
        [1, 2, 4, 8].map((burst) => ({ bytes, flows, burst, repetitions })),
      ),
    );
    const rest = grid.filter(
      ({ bytes, flows, burst }) =>
        !targets.some((c) => c.bytes === bytes && c.flows === flows && c.burst === burst),
    );
    return [...targets, ...rest];
  }
  const once = (change: Partial<Cell>): Cell => ({ ...targets[0]!, repetitions: 1, ...change });
  return [
    ...targets,
    once({ bytes: 64 }),
    once({ bytes: 300 }),
    once({ flows: 1 }),
    once({ flows: 1_000 }),
    once({ burst: 2 }),
    once({ burst: 8 }),
  ];
}

interface Grid {
  readonly load: Load;
  readonly report: Report;
  readonly names: readonly ContestantName[];
  readonly cells: readonly Cell[];
  readonly pace: Pace;
}

async function benchGrid(grid: Grid): Promise<void> {
  for (const cell of grid.cells) {
    const contestants: Contestant[] = [];
    try {
      for (const name of grid.names) contestants.push(await startContestant(name, RELAY_CORE));
      await benchCell(grid, cell, contestants);
    } finally {
      await Promise.all(contestants.map((contestant) => contestant.stop()));
    }
  }
}

async function benchCell(
  grid: Grid,
  cell: Cell,
  contestants: readonly Contestant[],
): Promise<void> {
  const { load, pace } = grid;
  const results = new Map<ContestantName, Result[]>(contestants.map(({ name }) => [name, []]));
  const direct: number[] = [];
  for (let i = 0; i < cell.repetitions; i++) {
    for (const contestant of contestants)
      results.get(contestant.name)!.push(await measure(load, contestant, cell, pace));
    direct.push(await directP99(load, cell, results.get('relay')?.at(-1)?.pps ?? 100_000));
  }
  reportCell(grid.report, cell, results, median(direct));
}

/** The highest rate that passes, and what half of it costs. */
async function measure(
  load: Load,
  contestant: Contestant,
  cell: Cell,
  pace: Pace,
): Promise<Result> {
  await load.open();
  const offset = await contestant.prepare(load, cell.flows, cell.bytes);
  const run = { ...shapeOf(cell), offset };
  // So that nothing is compiled or allocated for the first time while it is measured.
  await load.run({ ...run, rate: 20_000, ms: pace.probeMs });
  const flat = await load.run({ ...run, rate: 0, ms: pace.probeMs });
  let low = 0;
  let high = Math.min(flat.sentPerSecond, flat.receivedPerSecond * 1.4);
  let best = flat;
  for (let i = 0; i < pace.probes; i++) {
    const rate = i === 0 ? high * 0.65 : (low + high) / 2;
    const seen = await probe(load, { ...run, rate, ms: pace.probeMs });
    if (seen.lossRatio <= LOSS) [low, best] = [rate, seen];
    else high = rate;
  }
  const pps = best === flat ? flat.receivedPerSecond : best.sentPerSecond * (1 - best.lossRatio);
  const before = cpuSeconds(contestant.pid);
  const half = await load.run({ ...run, rate: pps / 2, ms: pace.cpuMs });
  const cpuUs = ((cpuSeconds(contestant.pid) - before) * 1e6) / half.received;
  const generatorBound = low > 0.95 * flat.sentPerSecond;
  return { pps, cpuUs, p99: half.p99, lossAtHalf: half.lossRatio, generatorBound };
}

/** A second try: a machine that paused for a moment is not a relay that cannot. */
async function probe(load: Load, run: Parameters<Load['run']>[0]): Promise<Seen> {
  const first = await load.run(run);
  return first.lossRatio <= LOSS ? first : load.run(run);
}

/** What the way from the generator to the sink takes by itself, at the rate at which the relay's was taken. */
async function directP99(load: Load, cell: Cell, pps: number): Promise<number> {
  await load.open();
  await load.aim('127.0.0.1', load.ports[1]);
  const seen = await load.run({ ...shapeOf(cell), offset: 0, rate: pps / 2, ms: 500 });
  return seen.p99;
}

const shapeOf = ({ bytes, flows, burst }: Cell) => ({ bytes, flows, burst });

function reportCell(
  report: Report,
  cell: Cell,
  results: ReadonlyMap<ContestantName, readonly Result[]>,
  direct: number,
): void {
  const medianOf = (name: ContestantName, key: 'pps' | 'cpuUs'): number | undefined => {
    const found = results.get(name);
    return found && median(found.map((result) => result[key]));
  };
  for (const [name, found] of results) {
    const tell = (metric: string, unit: string, values: readonly number[], reference?: string) => {
      report({
        ...{ bench: 'relay', metric: `${name}_${metric}`, unit },
        value: median(values),
        least: Math.min(...values),
        most: Math.max(...values),
        ...{ packet_bytes: cell.bytes, flows: cell.flows, burst: cell.burst },
        ...(reference !== undefined && { reference }),
      });
    };
    const bound = found.some(({ generatorBound }) => generatorBound);
    const pps = found.map((result) => result.pps);
    tell('pps_lossless', '1/s', pps, ppsReference(name, cell, bound));
    const cpu = found.map((result) => result.cpuUs);
    tell('cpu_us_per_packet', 'us', cpu, cpuReference(name, cell, medianOf));
    tell(
      'added_latency_p99_us',
      'us',
      found.map((result) => Math.max(0, result.p99 - direct)),
      `at half of its own rate; without a relay ${Math.round(direct)}`,
    );
    tell(
      'loss_at_half_rate',
      'ratio',
      found.map((result) => result.lossAtHalf),
      '0',
    );
  }
}

const isTarget = ({ bytes, flows }: Cell): boolean => bytes === 1_200 && flows === 100;

function ppsReference(name: ContestantName, cell: Cell, bound: boolean): string | undefined {
  const limit = bound ? 'the generator was the limit' : undefined;
  if (name !== 'relay' || !isTarget(cell) || cell.burst !== 1) return limit;
  return ['>= 300000, none lost at half', limit].filter((text) => text !== undefined).join('; ');
}

/** What the targets allow, from the others' figures in this very run. */
function cpuReference(
  name: ContestantName,
  cell: Cell,
  medianOf: (name: ContestantName, key: 'cpuUs') => number | undefined,
): string | undefined {
  const factors = { 1: [1.1, 2.5], 4: [2, 4] }[cell.burst];
  if (name !== 'relay' || !isTarget(cell) || !factors) return undefined;
  const limits = (['coturn', 'bare_forwarder'] as const).map((other, i) => {
    const cpu = medianOf(other, 'cpuUs');
    return cpu === undefined
      ? ''
      : `<= ${(cpu / factors[i]!).toFixed(2)} (${other} / ${factors[i]})`;
  });
  return limits.filter((text) => text !== '').join(', ');
}

// The first thing that `npm start`, `npm test`, `npm run check` and `npm run bench` run, in a fresh clone
// too. One plain JavaScript file that Node 20 runs and that needs no package: it fetches what package-lock.json
// names, if that changed, puts Node 24 (a package in the lock file) first on the path, and runs the tier.
//
//   node config/tooling/bootstrap.js start | test | test:long | test:cluster | check | bench [ARGUMENTS]
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  HOW_TO_GET_BINARIES,
  ensureTestBed,
  findTestBed,
  goVersion,
} from '../../test/testbed/build.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const RESULTS = join(ROOT, 'test-results');
const MINUTE_MS = 60_000;

/** Minutes per tier on a cold machine with two cores; a tier that takes longer is ended and has failed. */
const BUDGETS = {
  check: 4,
  unit: 4,
  'test bed': 9,
  charts: 3,
  'api server': 12,
  'storage and bus': 8,
  rules: 4,
  image: 6,
  processes: 12,
  gateway: 20,
  final: 1,
  'programs of the cluster': 14,
  cluster: 20,
};

const ENV = {
  ...process.env,
  PATH: `${join(MODULES, '.bin')}${delimiter}${process.env.PATH ?? ''}`,
};

const COMMANDS = {
  start,
  test,
  'test:long': testLong,
  'test:cluster': testCluster,
  check,
  bench,
  image: tool('image.ts'),
  bundle: tool('air-gap.ts'),
  advisories: tool('advisories.ts'),
};

/** A message for a person; anything else that is thrown is a fault of ours and shows its stack. */
class Hint extends Error {}

// ---- Packages -------------------------------------------------------------------------------------

function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

/**
 * True if node_modules holds what package-lock.json names. npm writes the second of these files last, so an
 * install that was interrupted does not count. Optional packages of other platforms are absent.
 */
function packagesAreCurrent() {
  const wanted = readPackages(join(ROOT, 'package-lock.json'));
  const present = readPackages(join(MODULES, '.package-lock.json'));
  const names = Object.keys(wanted).filter((name) => name !== '');
  return (
    Object.keys(present).length > 0 &&
    names.every((name) => same(wanted[name], present[name])) &&
    Object.keys(present).every((name) => name in wanted)
  );
}

function same(wanted, present) {
  if (!present) return Boolean(wanted.optional || wanted.devOptional || wanted.peer);
  return wanted.version === present.version && wanted.integrity === present.integrity;
}

async function installPackages() {
  if (packagesAreCurrent()) return;
  say('fetching the packages of package-lock.json (npm ci); only when that file changed');
  const began = Date.now();
  const timer = setInterval(() => say(`npm ci: ${seconds(began)} s`), 10_000);
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  // The engines of single packages want Node 24, which is about to be fetched: their warnings only alarm.
  const run = { env: process.env, quiet: true };
  const { code, output } = await execute(
    [...npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'],
    run,
  );
  clearInterval(timer);
  if (code !== 0)
    throw new Hint(`npm ci failed (exit ${code}). Is the package registry reachable?\n${output}`);
  say(`packages are here after ${seconds(began)} s`);
}

/** @throws Hint where no package brings Node 24 for this platform and the installed one is older */
function requireNode24() {
  const { stdout } = spawnSync('node', ['--version'], { env: ENV, encoding: 'utf8' });
  const major = Number(/^v(\d+)\./.exec(stdout ?? '')?.[1]);
  if (major >= 24) return;
  throw new Hint(
    `Sallyport needs Node 24 and there is no package with it for ${process.platform}-${process.arch}. ` +
      `Install Node 24 or newer (this is ${process.version}) and run the command again.`,
  );
}

// ---- Processes ------------------------------------------------------------------------------------

const running = new Set();

let interrupted = false;

for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => {
    interrupted = true;
    for (const child of running) killGroup(child, 'SIGTERM');
    const patienceEnds = Date.now() + 3_000;
    setInterval(() => {
      if (running.size === 0 || Date.now() > patienceEnds) process.exit(code);
    }, 20);
  });
}
process.on('exit', () => {
  for (const child of running) killGroup(child, 'SIGKILL');
});

function killGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // All of the group has ended already.
  }
}

/**
 * Runs a command in a process group of its own, so that all of it can be ended; a run that is `quiet`
 * gives its output instead of showing it. `budgetMs` ends it and makes the exit code 124.
 */
function execute([command, ...args], { env = ENV, quiet = false, budgetMs } = {}) {
  return new Promise((resolve) => {
    const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'];
    const child = spawn(command, args, { cwd: ROOT, env, stdio, detached: true });
    running.add(child);
    const chunks = [];
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    let over = false;
    const timer = setTimeout(
      () => {
        over = true;
        killGroup(child, 'SIGKILL');
      },
      budgetMs ?? 2 ** 31 - 1,
    );
    const done = (code) => {
      clearTimeout(timer);
      if (!running.delete(child)) return;
      killGroup(child, 'SIGKILL');
      // Ctrl-C ends the whole command, not one step of it.
      if (interrupted) return;
      resolve({ code: over ? 124 : code, over, output: Buffer.concat(chunks).toString() });
    };
    child.on('error', (error) => {
      chunks.push(Buffer.from(error.message));
      done(127);
    });
    child.on(quiet ? 'close' : 'exit', (code) => done(code ?? 1));
  });
}

/** Runs a program that talks to the person: same terminal, same process group; gives its exit code. */
function foreground([command, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env: ENV, stdio: 'inherit' });
    // Ctrl-C reaches the program itself, which then decides how to end.
    process.removeAllListeners('SIGINT').on('SIGINT', () => undefined);
    for (const signal of ['SIGTERM', 'SIGHUP']) {
      process.removeAllListeners(signal).on(signal, () => child.kill(signal));
    }
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ? 1 : code));
  });
}

// ---- Tiers ----------------------------------------------------------------------------------------

/** @throws Hint that names everything that is missing on this machine, before anything is fetched */
function requireTestPrograms() {
  try {
    if (findTestBed()) return;
  } catch (error) {
    throw new Hint(error.message);
  }
  const version = goVersion();
  if (version === undefined) throw new Hint(HOW_TO_GET_BINARIES);
  // Go fetches a newer version of itself, as go.mod asks for, since 1.21.
  const minor = Number(/^go1\.(\d+)/.exec(version)?.[1] ?? 99);
  if (minor < 21) throw new Hint(`${HOW_TO_GET_BINARIES} The Go on the path is ${version}.`);
}

const jest = (project, ...args) => [
  'node',
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  join(MODULES, 'jest', 'bin', 'jest.js'),
  '--config=config/tooling/jest.config.js',
  ...args,
  '--selectProjects',
  project,
];

/** Runs one jest project and counts its tests; a run that was ended or tested nothing counts as one failure. */
async function jestTier(name, project, args = []) {
  const results = join(RESULTS, `${project}.json`);
  rmSync(results, { force: true });
  return tier(name, async (budgetMs) => {
    const { code, over } = await execute(jest(project, ...args), { budgetMs });
    const entries = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : [];
    const passed = entries.filter(({ status }) => status === 'passed').length;
    const failed = entries.filter(({ status }) => status === 'failed').length;
    if (passed + failed === 0 && !over) say(`${name}: no test ran`);
    const ended = over || passed + failed === 0 || (code !== 0 && failed === 0);
    return { passed, failed: failed + (ended ? 1 : 0), over };
  });
}

/** Runs a tier within its budget and says how long it took. */
async function tier(name, work) {
  const minutes = BUDGETS[name];
  const budget = minutes ? `budget ${minutes} min` : 'no budget';
  say(`${name}: begins (${budget})`);
  const began = Date.now();
  const outcome = await work(minutes && minutes * MINUTE_MS);
  if (outcome.over) say(`${name}: ended, because it took longer than its ${minutes} minutes`);
  const line = `${name}: ${outcome.passed} passed, ${outcome.failed} failed in ${seconds(began)} s (${budget})`;
  say(line);
  mkdirSync(RESULTS, { recursive: true });
  appendFileSync(join(RESULTS, 'tiers.txt'), `${line}\n`);
  return outcome;
}

/** Prints the closing line; gives the exit code. */
function close(outcomes) {
  const sum = (key) => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  const passed = sum('passed');
  const failed = sum('failed');
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

/** The test bed is no test: it counts only when it cannot be had. */
function testBedTier() {
  return tier('test bed', async (budgetMs) => {
    const { code, over } = await execute(['node', 'test/testbed/build.js'], { budgetMs });
    return { passed: 0, failed: code === 0 ? 0 : 1, over };
  });
}

// ---- Commands -------------------------------------------------------------------------------------

async function start(args) {
  await installPackages();
  requireNode24();
  const named = args.some((argument) => /^(-f|--filename)/.test(argument));
  const resources = named ? [] : ['-f', 'config/quickstart', '--demo'];
  await bundlePrograms();
  return foreground(['node', 'dist/bundle/sallyport.js', 'up', ...resources, ...args]);
}

/** @throws Hint with what the bundler says */
async function bundlePrograms() {
  say('making the programs');
  const { code, output } = await execute(['tsx', 'config/tooling/compile.ts'], { quiet: true });
  if (code !== 0) throw new Hint(`The programs could not be made.\n${output}`);
}

async function test(args) {
  if (args.length > 0) {
    throw new Hint(
      'npm test takes no arguments. For a part: npm run test:unit -- PATH, npm run test:apiserver -- PATH.',
    );
  }
  requireTestPrograms();
  await installPackages();
  requireNode24();
  rmSync(RESULTS, { recursive: true, force: true });
  const outcomes = [await jestTier('unit', 'unit')];
  const bed = await testBedTier();
  outcomes.push(bed);
  if (bed.failed === 0) {
    outcomes.push(await jestTier('charts', 'chart', ['--runInBand']));
    outcomes.push(await jestTier('api server', 'apiserver'));
  }
  // Something stays open after all have passed (docs/known-gaps.md, Delivery).
  outcomes.push(await jestTier('storage and bus', 'storage', ['--runInBand', '--forceExit']));
  outcomes.push(await jestTier('rules', 'rules', ['--runInBand']));
  outcomes.push(await jestTier('image', 'image', ['--runInBand']));
  outcomes.push(await jestTier('processes', 'processes', ['--runInBand']));
  outcomes.push(await jestTier('gateway', 'gateway', ['--runInBand']));
  outcomes.push(await jestTier('final', 'final', ['--runInBand']));
  say('time per tier:');
  process.stdout.write(readFileSync(join(RESULTS, 'tiers.txt'), 'utf8'));
  return close(outcomes);
}

async function testLong(args) {
  requireTestPrograms();
  await installPackages();
  requireNode24();
  const outcomes = [await testBedTier()];
  if (outcomes[0].failed === 0)
    outcomes.push(await jestTier('long', 'long', ['--runInBand', ...args]));
  return close(outcomes);
}

/** A real node: the programs that it needs are built first, once on a machine. */
async function testCluster(args) {
  requireTestPrograms();
  if (process.getuid?.() !== 0)
    throw new Hint('npm run test:cluster makes namespaces and runs containers: run it as root.');
  await installPackages();
  requireNode24();
  const programs = await tier('programs of the cluster', async (budgetMs) => {
    const { code, over } = await execute(['node', 'test/testbed/build.js', 'cluster'], {
      budgetMs,
    });
    return { passed: 0, failed: code === 0 ? 0 : 1, over };
  });
  const outcomes = [programs];
  if (programs.failed === 0)
    outcomes.push(await jestTier('cluster', 'cluster', ['--runInBand', ...args]));
  return close(outcomes);
}

async function bench(args) {
  // Only the operator is measured against an API server; the others need no Go.
  const needsTestBed = args.includes('operator');
  if (needsTestBed) requireTestPrograms();
  await installPackages();
  requireNode24();
  if (needsTestBed) await ensureTestBed({ log: say });
  return foreground(['tsx', 'test/bench/bench.ts', ...args]);
}

/** A program of config/tooling as a command. */
function tool(file) {
  return async (args) => {
    await installPackages();
    requireNode24();
    return foreground(['tsx', `config/tooling/${file}`, ...args]);
  };
}

/** What `check` runs. `remedy` says what to do about a failure. */
const CHECKS = [
  {
    name: 'format',
    command: ['prettier', '--check', '--log-level=warn', '.'],
    remedy: 'npm run format',
  },
  {
    name: 'lint',
    command: ['eslint', '--config=config/tooling/eslint.config.js', 'src', 'test', 'config'],
    remedy: 'change the lines above',
  },
  {
    name: 'types',
    command: ['tsc', '--noEmit', '--project', '.'],
    remedy: 'change the lines above',
  },
  {
    name: 'supply chain',
    command: ['tsx', 'config/tooling/supply-chain.ts'],
    remedy: 'read docs/supply-chain.md',
    isShown: true,
  },
  {
    name: 'advisories',
    command: ['tsx', 'config/tooling/advisories.ts'],
    remedy: 'take the versions that mend it',
    // Who could not be asked is worth knowing also when nothing was found.
    isShown: true,
  },
];

async function check() {
  await installPackages();
  requireNode24();
  mkdirSync(RESULTS, { recursive: true });
  rmSync(join(RESULTS, 'tiers.txt'), { force: true });
  const outcome = await tier('check', async (budgetMs) => {
    const deadline = Date.now() + budgetMs;
    const verdicts = [];
    for (const check of CHECKS) {
      const { command } = check;
      verdicts.push(
        await checked(check, () => execute(command, { quiet: true, budgetMs: left(deadline) })),
      );
    }
    verdicts.push(
      await checked({ name: 'generated files', remedy: 'npm run generate, and commit them' }, () =>
        generated(deadline),
      ),
    );
    const over = verdicts.some((verdict) => verdict.over);
    return {
      passed: verdicts.filter(({ ok }) => ok).length,
      failed: verdicts.filter(({ ok }) => !ok).length,
      over,
    };
  });
  return close([outcome]);
}

const left = (deadline) => Math.max(1, deadline - Date.now());

async function checked({ name, remedy, isShown = false }, work) {
  const began = Date.now();
  const { code, over, output } = await work();
  const ok = code === 0;
  say(
    `check ${name}: ${ok ? 'ok' : over ? 'ended, out of time' : `failed; to repair: ${remedy}`} (${seconds(began)} s)`,
  );
  if (!ok || isShown) process.stdout.write(`${output.trimEnd()}\n`);
  return { ok, over };
}

/**
 * Writes the generated files again and compares: what is checked out (committed or not) must be what the
 * generator writes. In a clean checkout that is `git diff --exit-code`.
 */
async function generated(deadline) {
  const before = contents();
  const run = await execute(['tsx', 'config/tooling/generate.ts'], {
    quiet: true,
    budgetMs: left(deadline),
  });
  if (run.code !== 0) return run;
  const after = contents();
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  const changed = names.filter((name) => before.get(name) !== after.get(name));
  if (changed.length === 0) return run;
  const { output } = await execute(['git', '--no-pager', 'diff', '--stat', '--', ...changed], {
    quiet: true,
  });
  return {
    code: 1,
    over: false,
    output: `These were out of date and are written now:\n${changed.join('\n')}\n${output}`,
  };
}

/** A hash per file that git knows or would add. */
function contents() {
  const list = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 2 ** 27,
  });
  if (list.status !== 0) throw new Hint(`npm run check needs a git checkout: ${list.stderr}`);
  const names = list.stdout
    .split('\0')
    .filter((name) => name !== '' && existsSync(join(ROOT, name)));
  return new Map(
    names.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(ROOT, name)))
        .digest('hex'),
    ]),
  );
}

function say(line) {
  process.stderr.write(`== ${line}\n`);
}

function seconds(since) {
  return Math.round((Date.now() - since) / 1000);
}

// ---- Main -----------------------------------------------------------------------------------------

try {
  const [name = '', ...args] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command)
    throw new Hint(`Usage: node config/tooling/bootstrap.js ${Object.keys(COMMANDS).join(' | ')}`);
  process.exitCode = await command(args);
} catch (error) {
  process.stderr.write(`${error instanceof Hint ? error.message : error.stack}\n`);
  process.exitCode = 1;
}

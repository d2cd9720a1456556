// Writes test-results/<project>.json: one entry {title, fullName, file, status, ms} per test. `npm run
// prove` and test/final read them. A whole run replaces the file; a part of a run (a path, a pattern, a
// name) replaces only what it ran.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export default class ResultsReporter {
  constructor(globalConfig) {
    this.root = globalConfig.rootDir;
    this.byName = Boolean(globalConfig.testNamePattern);
    this.partial =
      this.byName ||
      globalConfig.testPathPatterns.patterns.length > 0 ||
      Boolean(
        globalConfig.onlyChanged ||
        globalConfig.onlyFailures ||
        globalConfig.shard ||
        globalConfig.watch,
      );
    this.projects = new Map();
  }

  onTestResult(test, result) {
    const project = test.context.config.displayName?.name ?? 'tests';
    const files = this.projects.get(project) ?? new Map();
    this.projects.set(project, files);
    const file = relative(this.root, test.path).split(sep).join('/');
    files.set(file, entriesOf(file, result));
    // After each file, so that a run that is ended for taking too long still shows what it did.
    this.write(project, files);
  }

  write(project, files) {
    const folder = join(this.root, 'test-results');
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${project}.json`);
    const kept = this.partial ? this.kept(path, files) : [];
    const entries = [...kept, ...[...files.values()].flat().filter((entry) => this.ran(entry))];
    entries.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
    const temporary = `${path}.${process.pid}`;
    writeFileSync(temporary, `${JSON.stringify(entries, null, 1)}\n`);
    renameSync(temporary, path);
  }

  /** With a name pattern jest lists the tests that it left out as pending: those keep their old result. */
  ran(entry) {
    return !(this.byName && entry.status === 'pending');
  }

  kept(path, files) {
    const old = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [];
    return old.filter(({ file, fullName }) => {
      if (!existsSync(join(this.root, file))) return false;
      const now = files.get(file);
      if (!now) return true;
      return this.byName && !now.some((entry) => entry.fullName === fullName && this.ran(entry));
    });
  }
}

function entriesOf(file, { testResults, testExecError }) {
  const entries = testResults.map(({ title, fullName, status, duration }) => {
    return { title, fullName, file, status, ms: duration ?? 0 };
  });
  // A file that does not load has no tests, and must not look as if all was well.
  if (testExecError) {
    entries.push({
      title: 'the file loads',
      fullName: `${file} loads`,
      file,
      status: 'failed',
      ms: 0,
    });
  }
  return entries;
}

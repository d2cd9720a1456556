import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** What each folder of src may import besides itself. Arrows point down only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  bin: [
    'cli',
    'operator',
    'gateway',
    'relay',
    'audit',
    'client',
    'standalone',
    'kubernetes',
    'runtime',
    'kinds',
    'policy',
    'protocol',
    'crypto',
    'messages',
  ],
  cli: [
    'operator',
    'gateway',
    'relay',
    'audit',
    'client',
    'standalone',
    'kubernetes',
    'runtime',
    'kinds',
    'policy',
    'protocol',
    'crypto',
    'messages',
  ],
  operator: ['kinds', 'kubernetes', 'policy', 'audit', 'runtime'],
  standalone: ['operator', 'kubernetes', 'runtime', 'kinds'],
  gateway: ['protocol', 'messages', 'crypto', 'policy', 'audit', 'runtime'],
  relay: ['protocol', 'messages', 'crypto', 'policy', 'audit', 'runtime'],
  client: ['protocol', 'messages', 'crypto', 'policy', 'audit', 'runtime'],
  kubernetes: ['audit', 'runtime'],
  policy: ['kinds'],
  audit: ['crypto', 'protocol', 'runtime'],
  crypto: ['protocol'],
  protocol: [],
  messages: [],
  kinds: [],
  runtime: [],
};

/** Folders of src/operator that every room may use; they are not rooms. */
const NOT_ROOMS = ['pods', 'keys', 'alerts'];

/** A RetentionPolicy becomes a section of the gateway's settings: its room has no object to build. */
const BUILDS_NOTHING = ['retention-policy'];

/** Modules whose import touches the world. `node:crypto` is judged by the names it gives (below). */
const WORLDLY_MODULES =
  /from '(node:(?!crypto|util|assert|path)[a-z/_]+|undici|pino|prom-client|ws|@nestjs\/[a-z-]+|@kubernetes\/client-node|@peculiar\/x509|koffi|js-yaml)'/;
const WORLDLY_CRYPTO =
  /import (?!type)[^;]*\b(random\w*|generateKey\w*|webcrypto|subtle)\b[^;]*from 'node:crypto'/;
const WORLDLY_CALLS =
  /\b(Date\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|process\.(env|exit|argv|stdout|stderr|hrtime|on)\b|console\.\w+\(|set(Timeout|Interval|Immediate)\(|crypto\.(getRandomValues|randomUUID)|fetch\()/;

const FORBIDDEN_NAMES = /(^|[/.-])(common|utils?|helpers?|shared|manager|misc|index)([/.-]|$)/i;
const TOP_LEVEL = new Set([
  'package.json',
  'package-lock.json',
  'nest-cli.json',
  'tsconfig.json',
  'src',
  'charts',
  'crds',
  'config',
  'test',
  'docs',
  'README.md',
  'LICENSE',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'node_modules',
  'dist',
  'test-results',
  'coverage',
]);

const root = normalize(join(import.meta.dirname, '..'));
const sources = filesBelow(join(root, 'src')).filter((file) => file.endsWith('.ts'));
const production = sources.filter((file) => !file.endsWith('.spec.ts'));

function filesBelow(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesBelow(path) : [relative(root, path)]));
}

const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** Comments and string contents may name what code may not. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');
}

function importsOf(file: string): string[] {
  return [...withoutComments(read(file)).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)\.js'/g)].map(
    (match) => normalize(join(dirname(file), match[1]!)).replace(/^src\//, ''),
  );
}

/** The folder whose rules hold for `file`, e.g. `kubernetes` or `operator/relay-pool`. */
function homeOf(file: string): string {
  const [top, sub, ...rest] = file.replace(/^src\//, '').split('/');
  return top === 'operator' && rest.length > 0 ? `operator/${sub}` : top!;
}

function mayImport(file: string, imported: string): boolean {
  const home = homeOf(file);
  const top = home.split('/')[0]!;
  if (imported.startsWith(`${home}/`)) return true;
  if (imported.startsWith('operator/')) {
    if (top === 'operator') {
      const fromRoom = home !== 'operator';
      const [, target] = imported.split('/');
      return !fromRoom || NOT_ROOMS.includes(target!) || imported.split('/').length === 2;
    }
    return MAY_IMPORT[top]!.includes('operator');
  }
  if (top === 'operator' && /^(gateway|relay|audit)\/settings$/.test(imported)) return true;
  return MAY_IMPORT[top]!.some((folder) => imported.startsWith(`${folder}/`));
}

/** Rule 2: `relay-pool.reconciler.ts` has a dotted name, `plan.ts` has not. Specs and generated files have their own endings. */
function isPure(file: string): boolean {
  const name = file
    .split('/')
    .at(-1)!
    .replace(/\.gen\.ts$/, '.ts');
  return !file.startsWith('src/bin/') && name.replace(/\.ts$/, '').split('.').length === 1;
}

describe('the house', () => {
  it('has the fixed top level', () => {
    const strangers = readdirSync(root).filter(
      (name) => !name.startsWith('.') && !TOP_LEVEL.has(name),
    );
    expect(strangers).toEqual([]);
  });

  it('has only the folders of the floor plan in src', () => {
    const folders = readdirSync(join(root, 'src'));
    expect(folders.filter((name) => !(name in MAY_IMPORT))).toEqual([]);
  });

  it.each(production)('%s imports downward only', (file) => {
    expect(importsOf(file).filter((imported) => !mayImport(file, imported))).toEqual([]);
  });

  it.each(production.filter(isPure))('%s is pure, as its undotted name says', (file) => {
    const source = withoutComments(read(file));
    const touches = [WORLDLY_MODULES, WORLDLY_CRYPTO, WORLDLY_CALLS].flatMap(
      (pattern) => pattern.exec(source)?.[0] ?? [],
    );
    expect(touches).toEqual([]);
  });

  it.each(production.filter((file) => !file.startsWith('src/bin/') && !isPure(file)))(
    '%s says with one dot which part of the world it touches',
    (file) => {
      expect(file.split('/').at(-1)!.replace(/\.ts$/, '').split('.').length).toBe(2);
    },
  );

  it('is at most two folders deep below src', () => {
    expect(sources.filter((file) => file.split('/').length > 4)).toEqual([]);
  });

  it('has no name that says nothing', () => {
    expect(sources.filter((file) => FORBIDDEN_NAMES.test(file))).toEqual([]);
  });

  it('keeps each program in src/bin below 40 lines', () => {
    const long = production.filter(
      (file) => file.startsWith('src/bin/') && read(file).split('\n').length > 40,
    );
    expect(long).toEqual([]);
  });

  it('reads process.env in src/bin only', () => {
    const readers = production.filter(
      (file) => !file.startsWith('src/bin/') && withoutComments(read(file)).includes('process.env'),
    );
    expect(readers).toEqual([]);
  });

  it('gives each room the same furniture', () => {
    const rooms = readdirSync(join(root, 'src/operator'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !NOT_ROOMS.includes(entry.name))
      .map((entry) => entry.name);
    const missing = rooms.flatMap((room) =>
      ['validate.ts', 'objects.ts', 'plan.ts', `${room}.reconciler.ts`, `${room}.module.ts`]
        .map((name) => `src/operator/${room}/${name}`)
        .filter((file) => !production.includes(file))
        .filter((file) => !(BUILDS_NOTHING.includes(room) && file.endsWith('/objects.ts'))),
    );
    expect(missing).toEqual([]);
  });

  it('has rooms of at most ten files', () => {
    const counts = new Map<string, number>();
    for (const file of production) {
      const home = homeOf(file);
      if (home.startsWith('operator/') && !NOT_ROOMS.includes(home.split('/')[1]!))
        counts.set(home, (counts.get(home) ?? 0) + 1);
    }
    expect([...counts].filter(([, count]) => count > 10)).toEqual([]);
  });
});

describe('the rules themselves', () => {
  it('refuse an arrow that points up and one between rooms', () => {
    expect(mayImport('src/kubernetes/store.ts', 'operator/pods/pod')).toBe(false);
    expect(mayImport('src/operator/relay-pool/plan.ts', 'operator/signaling-gateway/objects')).toBe(
      false,
    );
    expect(mayImport('src/operator/relay-pool/plan.ts', 'operator/pods/pod')).toBe(true);
    expect(mayImport('src/operator/relay-pool/objects.ts', 'relay/settings')).toBe(true);
    expect(mayImport('src/operator/relay-pool/objects.ts', 'relay/relay.server')).toBe(false);
  });

  it('tell a pure file from one that touches the world', () => {
    expect(WORLDLY_CALLS.test('const t = Date.now();')).toBe(true);
    expect(WORLDLY_MODULES.test("import { Agent } from 'undici';")).toBe(true);
    expect(WORLDLY_CRYPTO.test("import { randomBytes } from 'node:crypto';")).toBe(true);
    expect(WORLDLY_CRYPTO.test("import { createHash } from 'node:crypto';")).toBe(false);
    expect(isPure('src/relay/relay.server.ts')).toBe(false);
    expect(isPure('src/relay/forwarding-table.ts')).toBe(true);
  });
});

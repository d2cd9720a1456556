import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commandTree } from '../src/cli/command-tree.js';
import { ROUTES } from '../src/gateway/access/routes.js';
import { REQUEST_NAMES } from '../src/messages/requests.js';

const PAGES = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
].sort();

/** Relative links, and paths in backticks that begin in one of our folders; a star stands for any file name. */
function pathsIn(page: string): readonly string[] {
  const text = readFileSync(page, 'utf8').replace(/```[\s\S]*?```/g, '');
  const links = [...text.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(
    ([, target]) => join(dirname(page), target!),
  );
  const quoted = [...text.matchAll(/`((?:src|test|docs|crds|config|charts)\/[\w./*-]+)`/g)].map(
    ([, target]) => target!,
  );
  return [...links, ...quoted];
}

function stands(path: string): boolean {
  if (!path.includes('*')) return existsSync(path);
  const pattern = new RegExp(
    `^${path.split('/').at(-1)!.replaceAll('.', '\\.').replaceAll('*', '.*')}$`,
  );
  return existsSync(dirname(path)) && readdirSync(dirname(path)).some((name) => pattern.test(name));
}

/** Who may, as docs/gateway.md says it. */
function permissionIn({ permission }: (typeof ROUTES)[keyof typeof ROUTES]): string {
  if (permission === 'Own') return 'own';
  if (permission === ROUTES['envelope.send'].permission) return 'reach';
  if (permission === ROUTES['contact.find'].permission) return 'begin';
  return permission.map((one) => one.join(' ')).join(', ');
}

/** Every command without commands of its own: `contacts list`. */
function commandsBelow(node: ReturnType<typeof commandTree>, path: string): readonly string[] {
  if (node.commands.length === 0) return [path];
  return node.commands.flatMap((child) => commandsBelow(child, `${path} ${child.name()}`.trim()));
}

describe('the documentation', () => {
  it.each(PAGES)('%s names only files that exist', (page) => {
    expect(pathsIn(page).filter((path) => !stands(path))).toEqual([]);
  });

  it('lists every request of the gateway as it is decided', () => {
    const [, after = ''] = readFileSync('docs/gateway.md', 'utf8').split(
      '<!-- requests: begin -->',
    );
    const rows = after.split('<!-- requests: end -->')[0]!.match(/^\| `.*$/gm);
    const yes = (is: true | undefined) => (is === true ? ' yes ' : ' ');
    const decided = REQUEST_NAMES.map((name) => {
      const route = ROUTES[name];
      const start = `| \`${name}\` | ${permissionIn(route)} |`;
      return `${start}${yes(route.stepUp)}|${yes(route.enrolment)}| ${route.recorded} |`;
    });
    expect(rows).toEqual(decided);
  });

  it('names every command', () => {
    const page = readFileSync('docs/command-line.md', 'utf8');
    const commands = commandsBelow(
      commandTree('', () => undefined),
      '',
    );
    expect(commands.filter((command) => !new RegExp(`\`${command}[\` ]`).test(page))).toEqual([]);
  });

  it('gives each dependency a reason in README', () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      readFileSync('package.json', 'utf8'),
    ) as Record<string, Record<string, string>>;
    const table = readFileSync('README.md', 'utf8').split('## Dependencies')[1]!.split('\n## ')[0]!;
    const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(names.filter((name) => !new RegExp(`(^|[ ,|])${name}([ ,|])`, 'm').test(table))).toEqual(
      [],
    );
  });

  it('pins every dependency to one version', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    const versions = Object.values({
      ...manifest['dependencies'],
      ...manifest['devDependencies'],
      ...manifest['optionalDependencies'],
    });
    expect(versions.filter((version) => !/^(npm:[\w-]+@)?\d+\.\d+\.\d+$/.test(version))).toEqual(
      [],
    );
  });
});

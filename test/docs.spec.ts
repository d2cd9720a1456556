import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

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

describe('the documentation', () => {
  it.each(PAGES)('%s names only files that exist', (page) => {
    expect(pathsIn(page).filter((path) => !stands(path))).toEqual([]);
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

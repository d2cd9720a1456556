/*
 * Programs of the distribution without installing them: apt fetches packages, and what this machine lacks for them, into
 * the user's cache folder, dpkg-deb unpacks them beside it. Once per machine and version; nothing on the host changes.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Unpacked packages. */
export interface DebianTree {
  /** What stands in for `/`. */
  readonly root: string;
  /** `name_version_architecture` of every package in it. */
  readonly packages: readonly string[];
  /** What a program of the tree is started with. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The unpacked `packages` in the versions that the distribution serves today, fetched if they are not here yet.
 * @throws Error if this is no Debian or its archive cannot be reached.
 */
export function debianTree(
  packages: readonly string[],
  log: (line: string) => void = () => undefined,
): DebianTree {
  const versions = packages.map(candidateOf);
  const key = createHash('sha256').update(versions.join('\n')).digest('hex').slice(0, 16);
  const folder = join(cacheFolder(), `${packages[0]}-${key}`);
  if (!existsSync(folder)) {
    log(
      `fetching ${versions.join(', ')} from the distribution; only the first time on this machine`,
    );
    fetchInto(folder, packages);
  }
  const root = join(folder, 'root');
  const libraries = join(root, 'usr', 'lib', `${machine()}-linux-gnu`);
  const found = readdirSync(join(folder, 'archives')).filter((name) => name.endsWith('.deb'));
  return {
    root,
    packages: found.map((name) => decodeURIComponent(name.replace(/\.deb$/, ''))).sort(),
    env: { LD_LIBRARY_PATH: libraries },
  };
}

const cacheFolder = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sallyport', 'debian');

const machine = (): string => (process.arch === 'arm64' ? 'aarch64' : 'x86_64');

function candidateOf(name: string): string {
  const policy = () => execFileSync('apt-cache', ['policy', name], { encoding: 'utf8' });
  const read = (text: string) => /Candidate: (\S+)/.exec(text)?.[1];
  let version = read(policy());
  if (version === undefined || version === '(none)') {
    execFileSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'] });
    version = read(policy());
  }
  if (version === undefined || version === '(none)')
    throw new Error(`The distribution has no package ${name}.`);
  return `${name}=${version}`;
}

function fetchInto(folder: string, packages: readonly string[]): void {
  const temporary = `${folder}.tmp-${process.pid}`;
  const archives = join(temporary, 'archives');
  mkdirSync(join(archives, 'partial'), { recursive: true });
  mkdirSync(join(temporary, 'root'));
  try {
    execFileSync(
      'apt-get',
      [
        ...['install', '-qq', '-d', '-y', '--reinstall', '--no-install-recommends'],
        ...[
          '-o',
          `Dir::Cache::archives=${archives}`,
          '-o',
          'Debug::NoLocking=1',
          '-o',
          'APT::Sandbox::User=root',
          ...packages,
        ],
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    for (const name of readdirSync(archives).filter((file) => file.endsWith('.deb')))
      execFileSync('dpkg-deb', ['-x', join(archives, name), join(temporary, 'root')]);
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

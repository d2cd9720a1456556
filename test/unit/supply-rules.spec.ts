import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { LockEntries } from '../../config/tooling/image/components.js';
import {
  INSTALL_SCRIPTS,
  isAllowed,
  licenseFindings,
  packageCounts,
  scriptFindings,
} from '../../config/tooling/supply/rules.js';

const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
const lock = (JSON.parse(read('package-lock.json')) as { readonly packages: LockEntries }).packages;

describe('the supply chain', () => {
  it('S37: has only licences that go with Apache-2.0', () => {
    expect(licenseFindings(lock)).toEqual([]);
    const bad: LockEntries = {
      'node_modules/a': { version: '1.0.0', license: 'GPL-3.0-only' },
      'node_modules/b': { version: '1.0.0' },
      'node_modules/c': { version: '1.0.0', license: 'GPL-3.0-only', dev: true },
    };
    expect(licenseFindings(bad)).toEqual([
      'a@1.0.0 has the licence GPL-3.0-only.',
      'b@1.0.0 has the licence none.',
    ]);
  });

  it.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0-only)', true],
    ['MIT AND GPL-3.0-only', false],
    ['SEE LICENSE IN x', false],
  ])('judges the licence %s: %s', (license, expected) => {
    expect(isAllowed(license)).toBe(expected);
  });

  it('S37: runs no install script, and knows each package that has one', () => {
    expect(scriptFindings(lock, read('.npmrc'))).toEqual([]);
    const entries = Object.fromEntries(
      [...Object.keys(INSTALL_SCRIPTS).slice(1), 'stranger'].map((name) => [
        `node_modules/${name}`,
        { version: '1.0.0', hasInstallScript: true },
      ]),
    );
    expect(scriptFindings(entries, '')).toEqual([
      'stranger has an install script that nobody has read.',
      `${Object.keys(INSTALL_SCRIPTS)[0]} is listed, and has no install script any more.`,
      '.npmrc lets install scripts run.',
    ]);
  });

  it('counts what the programs name themselves and what that becomes', () => {
    const counted: LockEntries = {
      '': { version: '0', dependencies: { a: '1' }, optionalDependencies: { b: '1' } },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '1.0.0' },
      'node_modules/c': { version: '1.0.0' },
      'node_modules/d': { version: '1.0.0', dev: true },
    };
    expect(packageCounts(counted)).toEqual({ direct: 2, all: 3 });
  });
});

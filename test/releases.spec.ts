import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { load, loadAll } from 'js-yaml';
import type { TSchema } from 'typebox';
import { GATEWAY_SETTINGS } from '../src/gateway/settings.js';
import { RELAY_SETTINGS } from '../src/relay/settings.js';
import { restartPart } from '../src/runtime/live-settings.js';
import { incompatibilities, type Schema } from './crd-compatibility.js';

const releases = readdirSync('test/releases').sort();

interface Crd {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

const schemaOf = (file: string): Schema =>
  (load(readFileSync(file, 'utf8')) as Crd).spec.versions.find(({ name }) => name === 'v1alpha1')!
    .schema.openAPIV3Schema;

interface Rendered {
  readonly data?: Readonly<Record<string, string>>;
}

/** Whose settings.json a golden file holds, by its folder. */
const SETTINGS: Readonly<Record<string, TSchema>> = {
  'relay-pool': RELAY_SETTINGS,
  'signaling-gateway': GATEWAY_SETTINGS,
};

/** The objects of a golden file, but for settings that running programs take up: a change of those restarts nothing. */
function renderedIn(folder: string, name: string): readonly unknown[] {
  const schema = SETTINGS[name.split('/')[0] ?? ''];
  return loadAll(readFileSync(join(folder, name), 'utf8')).map((object) => {
    const { data } = (object ?? {}) as Rendered; // Written by our own golden tests.
    const text = data?.['settings.json'];
    if (schema === undefined || text === undefined) return object;
    const settings = restartPart(schema, JSON.parse(text) as unknown);
    return { ...(object as Rendered), data: { ...data, 'settings.json': settings } };
  });
}

describe.each(releases)('release %s', (release) => {
  const folder = join('test/releases', release);

  it('names the commit that it records', () => {
    expect(readFileSync(join(folder, 'commit'), 'utf8')).toMatch(/^[0-9a-f]{40}\n$/);
  });

  it.each(readdirSync(join(folder, 'crds')))('finds its %s only extended', (name) => {
    const now = join('crds', name);
    expect(existsSync(now)).toBe(true);
    expect(incompatibilities(schemaOf(join(folder, 'crds', name)), schemaOf(now))).toEqual([]);
  });

  it('finds its golden objects rendered as they were but for live settings, so that an upgrade restarts nothing', () => {
    const recorded = join(folder, 'golden');
    const files = readdirSync(recorded, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.yaml'),
    );
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) {
      expect(existsSync(join('test/golden', name))).toBe(true);
      expect(renderedIn('test/golden', name)).toEqual(renderedIn(recorded, name));
    }
  });
});

describe('the check of compatibility', () => {
  const before: Schema = {
    type: 'object',
    required: ['a'],
    properties: { a: { type: 'string', enum: ['x', 'y'], maxLength: 5 } },
  };

  it('lets a version add', () => {
    const after = {
      ...before,
      properties: {
        a: { type: 'string', enum: ['x', 'y', 'z'], maxLength: 9 },
        b: { type: 'integer' },
      },
    };
    expect(incompatibilities(before, after)).toEqual([]);
  });

  it.each([
    ['removes', { ...before, properties: {} }, '.a is gone'],
    ['retypes', { ...before, properties: { a: { type: 'integer' } } }, '.a was string, is integer'],
    [
      'drops a value',
      { ...before, properties: { a: { type: 'string', enum: ['x'], maxLength: 5 } } },
      '.a no longer takes y',
    ],
    [
      'tightens',
      { ...before, properties: { a: { type: 'string', enum: ['x', 'y'], maxLength: 4 } } },
      '.a has a tighter maxLength',
    ],
    ['requires', { ...before, required: ['a', 'b'] }, '.b is newly required'],
    ['redefaults', { ...before, default: {} }, ' has another default'],
  ])('finds a version that %s', (_, after, complaint) => {
    expect(incompatibilities(before, after as Schema)).toContain(complaint);
  });
});

/*
 * Every object of every sample and of a grid of settings, as files in test/golden. They are written anew by
 * UPDATE_GOLDEN=1 and reviewed in the diff: a change here is a change of what clusters get.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { dump, loadAll } from 'js-yaml';
import type { KubernetesObject } from '../../../src/kubernetes/object.js';
import { CREATED } from '../../builders.js';
import { schemaOf, withDefaults } from '../../defaulting.js';
import { hardeningViolations } from '../../hardening/hardening.js';

const ROOT = join(import.meta.dirname, '../../..');
const SAMPLES = join(ROOT, 'config/samples');

/** A resource by the name of its golden file. */
export type GoldenCase<T> = readonly [string, T];

/** The samples whose files begin with `prefix`, as the API server defaults them, then `grid`. */
export function goldenCases<T extends KubernetesObject>(
  prefix: string,
  uid: string,
  grid: Readonly<Record<string, T>>,
): readonly GoldenCase<T>[] {
  const files = readdirSync(SAMPLES).filter((file) => file.startsWith(prefix));
  return [
    ...files.map((file) => [file.replace('.yaml', ''), sample<T>(file, uid)] as const),
    ...Object.entries(grid),
  ];
}

/** Declares the tests that the objects of each case are those of its file in `test/golden/FOLDER`, and hardened. */
export function itIsGolden<T>(
  folder: string,
  cases: readonly GoldenCase<T>[],
  render: (resource: T) => readonly KubernetesObject[],
): void {
  const golden = join(ROOT, 'test/golden', folder);

  it.each(cases)('S204: %s are those of the golden file', (name, resource) => {
    const text = render(resource)
      .map((object) => dump(object, { lineWidth: 120, noRefs: true, sortKeys: false }))
      .join('---\n');
    const file = join(golden, `${name}.yaml`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
    expect(existsSync(file)).toBe(true);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  it.each(cases)('S178: %s satisfy every row of the hardening baseline', (_, resource) => {
    expect(hardeningViolations(render(resource))).toEqual([]);
  });

  it('has no golden file that no case writes', () => {
    const files = readdirSync(golden).map((file) => file.replace('.yaml', ''));
    expect(files.sort()).toEqual(cases.map(([name]) => name).sort());
  });
}

/** The JSON file called `name` in one of the ConfigMaps among `objects`. */
export function jsonFileIn(objects: readonly KubernetesObject[], name: string): object {
  const files = objects
    .filter(({ kind }) => kind === 'ConfigMap')
    .flatMap((object) => Object.entries(object['data'] as Readonly<Record<string, string>>));
  return JSON.parse(files.find(([file]) => file === name)![1]) as object;
}

function sample<T extends KubernetesObject>(file: string, uid: string): T {
  const [document] = loadAll(readFileSync(join(SAMPLES, file), 'utf8')) as [T];
  const { spec } = withDefaults(schemaOf(document.kind), document) as { readonly spec: unknown };
  const { name, labels } = document.metadata;
  const metadata = {
    name,
    namespace: 'demo',
    uid,
    generation: 1,
    creationTimestamp: CREATED,
    ...(labels === undefined ? {} : { labels }),
  };
  return { ...document, metadata, spec };
}

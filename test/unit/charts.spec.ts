import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { load } from 'js-yaml';
import { CHART_SCHEMAS, type ValueSchema } from '../../config/tooling/generate/chart-schema.js';
import { chartValues } from '../../config/tooling/generate/chart-values.js';
import { generateCharts } from '../../config/tooling/generate/charts.js';

const ROOT = join(import.meta.dirname, '../..');
const CHARTS = Object.keys(CHART_SCHEMAS);
const COPY = 'charts/sallyport/charts/sallyport-cluster';
const valuesOf = (chart: string): string =>
  readFileSync(join(ROOT, 'charts', chart, 'values.yaml'), 'utf8');
const filesIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(ROOT, folder).length + 1))
    .sort();

/** The path of each leaf of a schema, and of each map that takes names which are not its own. */
function leaves(schema: ValueSchema, path: string): readonly string[] {
  const { properties, additionalProperties } = schema as {
    readonly properties?: Readonly<Record<string, ValueSchema>>;
    readonly additionalProperties?: unknown;
  };
  if (properties === undefined) return [path];
  expect([path, additionalProperties]).toEqual([path, false]);
  return Object.entries(properties).flatMap(([name, child]) =>
    leaves(child, path === '' ? name : `${path}.${name}`),
  );
}

describe.each(CHARTS)('values.yaml of chart %s', (chart) => {
  const values = chartValues(valuesOf(chart));

  it('holds every value of the schema, and the schema every value', () => {
    expect(leaves(CHART_SCHEMAS[chart]!, '').toSorted()).toEqual(
      values.map(({ path }) => path).toSorted(),
    );
  });

  it('says what each value means', () => {
    for (const { path, meaning } of values)
      expect([path, meaning]).toEqual([path, expect.stringMatching(/^.{12,}[.]$/)]);
  });

  it('is what its schema takes', () => {
    const ajv = new Ajv({ strict: false });
    ajv.validate(CHART_SCHEMAS[chart]!, load(valuesOf(chart)));
    expect(ajv.errors).toBeNull();
  });
});

describe('the charts', () => {
  it('have the version of the program', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    for (const chart of CHARTS)
      expect(load(readFileSync(join(ROOT, 'charts', chart, 'Chart.yaml'), 'utf8'))).toMatchObject({
        version,
        appVersion: version,
      });
  });

  it('are as npm run generate writes them', () => {
    for (const { path, text } of generateCharts(ROOT))
      expect([path, readFileSync(join(ROOT, path), 'utf8')]).toEqual([path, text]);
  });

  it('hold one chart twice, file by file', () => {
    const original = filesIn('charts/sallyport-cluster').filter((file) => file !== 'README.md');
    expect(filesIn(COPY)).toEqual(original);
  });

  it('hold no CRD that is gone from crds/', () => {
    expect(filesIn('charts/sallyport-cluster/templates/crds')).toEqual(filesIn('crds'));
  });
});

describe('chartValues', () => {
  it('reads values with their comments, group by group', () => {
    const text = '# One.\na: 1\n\nb:\n  # Two,\n  # and more.\n  c: []\nd: x\n';
    expect(chartValues(text)).toEqual([
      { path: 'a', fallback: '1', meaning: 'One.' },
      { path: 'b.c', fallback: '[]', meaning: 'Two, and more.' },
      { path: 'd', fallback: 'x', meaning: '' },
    ]);
  });

  it('refuses a line that is no value', () => {
    expect(() => chartValues('a: 1\n- b\n')).toThrow('values.yaml:2: - b');
  });
});

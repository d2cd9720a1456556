import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { dump, load } from 'js-yaml';
import { rulesOf } from '../../config/tooling/generate/rbac.js';
import type { AnyObject } from '../apiserver/bed/admin.js';
import { readOperatorSettings } from '../../src/operator/settings.js';
import { hardeningViolations } from '../hardening/hardening.js';
import { at } from '../hardening/pods.js';
import { CASES } from './cases.js';
import { chartFolder, helm, only, rendered, templateRun } from './helm.js';

const GOLDEN = join(import.meta.dirname, 'golden');
const CLAIMED = ['1.33.0', '1.34.0', '1.35.0', '1.36.0'];
const NAMES = Object.keys(CASES);
const operatorCases = NAMES.filter((name) => CASES[name]!.chart === undefined);

const isCrd = ({ kind }: AnyObject): boolean => kind === 'CustomResourceDefinition';
const objects = Object.fromEntries(NAMES.map((name) => [name, rendered(CASES[name])])) as Readonly<
  Record<string, readonly AnyObject[]>
>;

/** What would be false of a chart that the tests below judge: its pods talk to the API server, so they hold a token. */
const EXPECTED_VIOLATIONS = ['noTokenVolume'];
/** Without a digest, which a chart from this folder cannot know. */
const UNPINNED = ['pinnedImage'];

describe('helm', () => {
  it.each(['sallyport', 'sallyport-cluster'])('lints %s strictly', (chart) => {
    expect(helm(['lint', '--strict', chartFolder(chart), '--kube-version', CLAIMED[0]!]).code).toBe(
      0,
    );
  });

  it.each(NAMES)('renders the golden objects of %s', (name) => {
    const text = objects[name]!.filter((object) => !isCrd(object))
      .map((object) => dump(object, { lineWidth: 120, noRefs: true }))
      .join('---\n');
    const file = join(GOLDEN, `${name}.yaml`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
    expect(existsSync(file)).toBe(true);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  it('has no golden file that no case writes', () => {
    const files = readdirSync(GOLDEN).map((file) => file.replace('.yaml', ''));
    expect(files.sort()).toEqual([...NAMES].sort());
  });

  it.each(CLAIMED)('renders the same for Kubernetes %s as for the newest', (kubernetes) => {
    for (const name of ['no-values', 'production', 'cluster'])
      expect(rendered({ ...CASES[name], kubernetes })).toEqual(objects[name]);
  });

  it('refuses a Kubernetes that is too old', () => {
    const { code, stderr } = templateRun({ kubernetes: '1.32.9' });
    expect(code).toBe(1);
    expect(stderr).toContain('requires kubeVersion: >=1.33.0-0');
  });
});

describe('what chart sallyport renders', () => {
  it.each(operatorCases)(
    'S178: %s: pods satisfy the hardening baseline, but for their token',
    (name) => {
      const ours = objects[name]!.filter((object) => !isCrd(object));
      const violations = [...new Set(hardeningViolations(ours).map(({ rule }) => rule))];
      const digest = at(CASES[name]!.values, 'image', 'digest') !== undefined;
      expect(violations.sort()).toEqual(
        [...EXPECTED_VIOLATIONS, ...(digest ? [] : UNPINNED)].sort(),
      );
    },
  );

  it.each(operatorCases)('%s: the operator takes the settings', (name) => {
    const data = only(objects[name]!, 'ConfigMap', '-settings')['data'];
    const settings: unknown = JSON.parse((data as Record<string, string>)['settings.json']!);
    expect(() => readOperatorSettings(settings, name)).not.toThrow();
  });

  it('runs the operator with the defaults of its settings', () => {
    const data = only(objects['no-values']!, 'ConfigMap', '-settings')['data'];
    const given: unknown = JSON.parse((data as Record<string, string>)['settings.json']!);
    const least = {
      version: 1,
      installId: 'sallyport-system',
      namespace: 'sallyport-system',
      renders: [
        { version: 1, image: { repository: 'registry.example.com/sallyport', tag: '0.1.0' } },
      ],
    };
    expect(readOperatorSettings(given, 'chart')).toEqual(readOperatorSettings(least, 'least'));
  });

  it('mounts no Secret, and a token of an hour', () => {
    const volumes = at(
      only(objects['production']!, 'Deployment'),
      'spec',
      'template',
      'spec',
      'volumes',
    );
    expect(JSON.stringify(volumes)).not.toContain('"secret"');
    expect(JSON.stringify(volumes)).toContain('"expirationSeconds":3600');
  });

  it('replaces pods when settings change, and only then', () => {
    const template = (values: object) =>
      at(only(rendered({ values }), 'Deployment'), 'spec', 'template');
    const { values = {} } = CASES['production']!;
    expect(template({ ...values, workers: 7 })).not.toEqual(template(values));
    expect(template({ ...values, replicas: 4 })).toEqual(template(values));
  });
});

describe('S189: the permissions that chart sallyport renders', () => {
  it('are those of docs/rbac.md, for all namespaces', () => {
    const all = objects['no-values']!;
    expect(only(all, 'ClusterRole', '-operator')['rules']).toEqual([
      ...rulesOf('Watched'),
      ...rulesOf('Cluster'),
    ]);
    expect(only(all, 'Role', '-lease')['rules']).toEqual(rulesOf('Operator'));
  });

  it('are the same when chart sallyport-cluster grants them', () => {
    const role = only(objects['cluster-for-existing-role']!, 'ClusterRole');
    expect(role['rules']).toEqual([...rulesOf('Watched'), ...rulesOf('Cluster')]);
  });

  it('name the lease of the release', () => {
    const rules = only(objects['labelled-namespaces']!, 'Role', '-lease')['rules'];
    expect(rules).toEqual(rulesOf('Operator', 'blue-operator'));
  });

  it('are Roles in the named namespaces and its own, each once', () => {
    const roles = objects['named-namespaces']!.filter(
      ({ kind, metadata }) => kind === 'Role' && metadata.name === 'sallyport-operator',
    );
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual([
      'sallyport-system',
      'clinic',
      'office',
    ]);
    for (const { rules } of roles) expect(rules).toEqual(rulesOf('Watched'));
  });

  it.each(['named-namespaces', 'existing-cluster-role'])(
    '%s: not one object is cluster-scoped when cluster.install is false',
    (name) => {
      const outside = objects[name]!.filter(({ metadata }) => metadata.namespace === undefined);
      expect(outside).toEqual([]);
      expect(
        objects[name]!.map(({ kind }) => kind).filter((kind) => /^(Cluster|Custom)/.test(kind)),
      ).toEqual([]);
    },
  );
});

describe('the CRDs that the charts render', () => {
  it.each(['no-values', 'cluster'])('%s: are those of crds/, and are kept', (name) => {
    const crds = objects[name]!.filter(isCrd);
    const sources = readdirSync('crds').map(
      (file) => load(readFileSync(join('crds', file), 'utf8')) as AnyObject,
    );
    const specOf = (crd: AnyObject): unknown => crd['spec'];
    expect(crds.map(specOf)).toEqual(sources.map(specOf));
    for (const { metadata } of crds)
      expect(metadata.annotations).toEqual({
        'helm.sh/resource-policy': 'keep',
        'sallyport.dev/schema-revision': '1',
      });
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import type { RuleGroup } from '../../src/operator/alerts/rules.js';
import { lintOf } from './promtool.js';

interface RuleObject {
  readonly metadata: { readonly namespace: string };
  readonly spec: { readonly groups: readonly RuleGroup[] };
}

const read = (name: string) =>
  load(readFileSync(`config/alerts/${name}.yaml`, 'utf8')) as RuleObject;

/** `job` by `namespace` of every selector in `groups`. */
const scrapedBy = (groups: readonly RuleGroup[]) =>
  new Set(
    groups
      .flatMap(({ rules }) => rules)
      .flatMap(({ expr }) => [...expr.matchAll(/namespace="([^"]+)",job="([^"]+)"/g)])
      .map(([, namespace, job]) => `${namespace}/${job}`),
  );

/** Services of the resources in config/quickstart and of the chart, as the golden files have them. */
describe.each([
  ['gateway', 'demo-gateway-internal', 'default'],
  ['relay-pool', 'local-relay', 'default'],
  ['operator', 'sallyport-operator-metrics', 'sallyport-system'],
])('the rules in config/alerts/%s.yaml', (file, job, namespace) => {
  it('are what promtool takes', () => {
    expect(lintOf(read(file).spec.groups)).toBe('');
  });

  it('read the series of one program only', () => {
    expect([...scrapedBy(read(file).spec.groups)]).toEqual([`${namespace}/${job}`]);
    expect(read(file).metadata.namespace).toBe(namespace);
  });

  it('lead to pages that exist here', () => {
    const pages = read(file)
      .spec.groups.flatMap(({ rules }) => rules)
      .flatMap((rule) => ('alert' in rule ? [rule.annotations['runbook_url']!] : []))
      .map((url) => `docs/runbooks/${url.split('/').at(-1)}`);
    expect(pages.filter((page) => !readFileSync(page, 'utf8').startsWith('# '))).toEqual([]);
  });
});

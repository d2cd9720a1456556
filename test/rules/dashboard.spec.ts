import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { dashboard } from '../../src/operator/alerts/dashboard.js';
import { gatewayRules } from '../../src/operator/alerts/gateway-rules.js';
import { operatorRules } from '../../src/operator/alerts/operator-rules.js';
import { DASHBOARD_ROWS } from '../../src/operator/alerts/panels.js';
import { relayRules } from '../../src/operator/alerts/relay-rules.js';
import { alertsOf, lintOf, RUNBOOKS, SCRAPED } from './promtool.js';

const panels = DASHBOARD_ROWS.flatMap((row) => row.panels);
const queries = panels.flatMap(({ lines }) => Object.values(lines));
const groups = [gatewayRules, relayRules, operatorRules].flatMap((rules) =>
  rules(SCRAPED, RUNBOOKS),
);

/** All names of metrics that the programs declare, read from their source. */
const declared = new Set(
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ts$/.test(name) && !/\.spec\.ts$|^operator\/alerts\//.test(name))
    .flatMap((name) => {
      const text = readFileSync(join('src', name), 'utf8');
      const prefix = /^const PREFIX = '([a-z_]+)';$/m.exec(text)?.[1] ?? '';
      const counted = [...text.matchAll(/['`]\$\{PREFIX\}([a-z_]+)['`]/g)].map(
        ([, rest]) => `${prefix}${rest}`,
      );
      const units = ['packets', 'bytes'].map((unit) => `${prefix}${unit}_total`);
      const whole = [...text.matchAll(/'([a-z]+_[a-z_]+)'/g)].map(([, metric]) => metric!);
      return [...whole, ...counted, ...(text.includes('`${PREFIX}${unit}_total`') ? units : [])];
    }),
);

/** Names of metrics in an expression; those with colons are recorded by the rules themselves. */
const metricsIn = (expr: string) =>
  [
    ...expr.matchAll(/\b(sallyport_[a-z_]+|controller_runtime_[a-z_]+|leader_election_[a-z_]+)\{/g),
  ].map(([, metric]) => metric!);

describe('the dashboard', () => {
  it('has the file that is generated from it', () => {
    expect(JSON.parse(readFileSync('config/alerts/dashboard.json', 'utf8'))).toEqual(dashboard());
  });

  it('asks only what Prometheus can parse', () => {
    const rules = queries.map((query, at) => ({
      record: `sallyport:panel:query${at}`,
      expr: query.replaceAll('$__rate_interval', '5m').replaceAll(/\$(namespace|job)/g, '.+'),
    }));
    expect(lintOf([{ name: 'panels', rules }])).toBe('');
  });

  it('says of each graph what it shows, and in which unit', () => {
    expect(panels.filter(({ description, unit }) => !description.endsWith('.') || !unit)).toEqual(
      [],
    );
  });

  it('draws the limits at which alerts fire', () => {
    const limits = panels.flatMap((panel) =>
      panel.limits === undefined ? [] : [panel.limits.warning, panel.limits.critical ?? []].flat(),
    );
    const compared = alertsOf(groups).flatMap(({ expr }) =>
      [...expr.matchAll(/[<>]=? (\d+(?:\.\d+)?)/g)].map(([, figure]) => Number(figure)),
    );
    // No leader is not a comparison with one: `== 0`.
    expect(limits.filter((limit) => limit !== 1 && !compared.includes(limit))).toEqual([]);
    expect(limits.length).toBeGreaterThan(15);
  });
});

describe('rules and dashboard', () => {
  it('read only metrics that a program has', () => {
    const read = [...alertsOf(groups).map(({ expr }) => expr), ...queries].flatMap(metricsIn);
    expect([...new Set(read)].filter((metric) => !declared.has(metric))).toEqual([]);
    expect(new Set(read).size).toBeGreaterThan(15);
  });

  it('record what alerts read under a name', () => {
    const recorded = groups
      .flatMap(({ rules }) => rules)
      .flatMap((rule) => ('record' in rule ? rule.record : []));
    const read = groups
      .flatMap(({ rules }) => rules)
      .flatMap(({ expr }) => expr.match(/sallyport:[a-z_]+:[a-z0-9_]+/g) ?? []);
    expect(read.filter((name) => !recorded.includes(name))).toEqual([]);
  });
});

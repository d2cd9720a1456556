import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { gatewayRules } from '../../src/operator/alerts/gateway-rules.js';
import { operatorRules } from '../../src/operator/alerts/operator-rules.js';
import { relayRules } from '../../src/operator/alerts/relay-rules.js';
import { CERTIFICATES } from '../../src/operator/alerts/thresholds.js';
import { LEAF_SECONDS } from '../../src/operator/keys/leaf.js';
import { alertsOf, RUNBOOKS, SCRAPED } from './promtool.js';

const FOLDER = 'docs/runbooks';
const ALERTS = [gatewayRules, relayRules, operatorRules].flatMap((rules) =>
  alertsOf(rules(SCRAPED, RUNBOOKS)),
);
const pages = readdirSync(FOLDER).filter((name) => name !== 'README.md');

describe('the runbooks', () => {
  it('are one for each alert, at the address that it shows', () => {
    const wanted = ALERTS.map(({ annotations }) =>
      annotations['runbook_url']?.replace(`${RUNBOOKS.baseUrl}/`, ''),
    );
    expect([...pages].sort()).toEqual([...wanted].sort());
  });

  it.each(pages)('%s says what it means, how to look, and what to do', (page) => {
    const text = readFileSync(`${FOLDER}/${page}`, 'utf8');
    const [title, ...sections] = text.split(/^## /m).map((part) => part.trim());
    expect(title).toBe(`# ${page.replace('.md', '')}`);
    expect(sections.map((section) => section.split('\n')[0])).toEqual([
      'What it means',
      'How to look',
      'What to do',
    ]);
    expect(sections[2]).toMatch(/^1\. /m);
  });

  it('are all listed in the first page', () => {
    const list = readFileSync(`${FOLDER}/README.md`, 'utf8');
    expect(pages.filter((page) => !list.includes(`(${page})`))).toEqual([]);
  });
});

describe('the alerts', () => {
  it('have names of their own, a loudness, a level and a signal', () => {
    expect(new Set(ALERTS.map(({ alert }) => alert)).size).toBe(ALERTS.length);
    for (const { labels } of ALERTS) {
      expect(['info', 'warning', 'critical']).toContain(labels['severity']);
      expect(labels['incident_level']).toMatch(/^[1-4]$/);
      expect(labels['signal']).toMatch(/^[a-z]+$/);
    }
  });

  it('summarise without figures that change', () => {
    expect(ALERTS.filter(({ annotations }) => annotations['summary']?.includes('{{'))).toEqual([]);
  });

  it('do not speak of a certificate before its renewal is due', () => {
    expect(CERTIFICATES.overdueSeconds).toBeLessThan(LEAF_SECONDS / 3);
    expect(CERTIFICATES.warningSeconds).toBeLessThan(CERTIFICATES.overdueSeconds);
  });
});

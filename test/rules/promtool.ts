/*
 * The distribution's promtool on rules of ours: JSON is YAML, so that they are written as they are. A case of a test says
 * what series there are, when Prometheus is asked, and which alerts fire then.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlertRule, RuleGroup } from '../../src/operator/alerts/rules.js';
import { debianTree } from '../debian/packages.js';

/** One question to the rules. */
export interface AlertCase {
  readonly alert: string;
  /** Ends the sentence `fires` or `is silent`. */
  readonly when: string;
  /** Values by series, in promtool's notation, without `namespace` and `job`. */
  readonly series: Readonly<Record<string, string>>;
  /** Minutes between two values, and between two evaluations; 1 unless days are played. */
  readonly step?: number;
  /** Minutes after the first value. */
  readonly at: number;
  /** What the one firing alert shows; absent: nothing fires. */
  readonly fires?: {
    readonly description: string;
    /** Besides those of the rule, `namespace` and `job`. */
    readonly labels?: Readonly<Record<string, string>>;
  };
}

/** Whose series they are in every case. */
export const SCRAPED = { namespace: 'demo', job: 'edge' };

/** Where the runbooks of the rules under test are. */
export const RUNBOOKS = { baseUrl: 'https://docs.example.com/runbooks' };

/** A counter in promtool's notation: `[step, times]` one after the other, from 0. */
export function rising(...pieces: readonly (readonly [step: number, times: number])[]): string {
  let total = 0;
  return pieces
    .map(([step, times], at) => {
      const begin = at === 0 ? total : total + step;
      const count = at === 0 ? times : times - 1;
      total = begin + step * count;
      return `${begin}+${step}x${count}`;
    })
    .join(' ');
}

/** `value`, always, for more than an hour. */
export const steady = (value: number): string => `${value}+0x90`;

/** Nothing for five minutes, then `amount` at once. */
export const jump = (amount: number): string => `0+0x5 ${amount}+0x90`;

/** All alerting rules of `groups`. */
export function alertsOf(groups: readonly RuleGroup[]): readonly AlertRule[] {
  return groups.flatMap(({ rules }) => rules).filter((rule) => 'alert' in rule);
}

/** Runs `promtool check rules` with every lint; '' or what it complains about. */
export function lintOf(groups: readonly RuleGroup[]): string {
  return inFolder((folder) => {
    const rules = join(folder, 'rules.yaml');
    writeFileSync(rules, JSON.stringify({ groups }));
    return promtool('check', 'rules', '--lint=all', '--lint-fatal', rules);
  });
}

/** Plays `case_` against `groups`; '' or what is not as the case says. */
export function playedBy(groups: readonly RuleGroup[], case_: AlertCase): string {
  return inFolder((folder) => {
    const test = join(folder, 'test.yaml');
    writeFileSync(
      join(folder, 'rules.yaml'),
      JSON.stringify({ groups: only(groups, case_.alert) }),
    );
    writeFileSync(test, JSON.stringify(testFile(groups, case_)));
    return promtool('test', 'rules', test);
  });
}

/** What is recorded, and `alert`: other alerts would only make a week long. */
function only(groups: readonly RuleGroup[], alert: string): readonly RuleGroup[] {
  return groups.map((group) => ({
    ...group,
    rules: group.rules.filter((rule) => !('alert' in rule) || rule.alert === alert),
  }));
}

function testFile(groups: readonly RuleGroup[], { alert, series, step = 1, at, fires }: AlertCase) {
  const rule = alertsOf(groups).find((one) => one.alert === alert);
  if (rule === undefined) throw new Error(`There is no alert ${alert}.`);
  const { description } = fires ?? {};
  // Watchdog speaks for nobody.
  const whose = rule.expr === 'vector(1)' ? {} : SCRAPED;
  const expected = {
    exp_labels: { ...rule.labels, ...whose, ...fires?.labels },
    exp_annotations: { ...rule.annotations, description },
  };
  return {
    rule_files: ['rules.yaml'],
    evaluation_interval: `${step}m`,
    tests: [
      {
        interval: `${step}m`,
        input_series: Object.entries(series).map(([name, values]) => ({
          series: ownedBy(name),
          values,
        })),
        alert_rule_test: [
          { eval_time: `${at}m`, alertname: alert, exp_alerts: fires ? [expected] : [] },
        ],
      },
    ],
  };
}

/** `name{a="b"}` with the labels of who is scraped. */
function ownedBy(name: string): string {
  const [metric, labels = ''] = name.replace(/\}$/, '').split('{');
  const own = `namespace="${SCRAPED.namespace}",job="${SCRAPED.job}"`;
  return `${metric}{${[own, labels].filter((part) => part !== '').join(',')}}`;
}

function inFolder(work: (folder: string) => string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-rules-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** '' if it says that all is well, else all that it says. */
function promtool(...args: readonly string[]): string {
  const { root, env } = prometheus();
  const run = spawnSync(join(root, 'usr', 'bin', 'promtool'), args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 120_000,
  });
  return run.status === 0 ? '' : `${run.error ?? ''}${run.stdout}${run.stderr}`;
}

let tree: ReturnType<typeof debianTree> | undefined;

function prometheus(): NonNullable<typeof tree> {
  tree ??= debianTree(['prometheus']);
  return tree;
}

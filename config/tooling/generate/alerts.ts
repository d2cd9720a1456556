/*
 * The alerts and the dashboard as files to apply by hand: PrometheusRules for the gateway and the pool of config/quickstart in
 * namespace `default` and for an operator that was installed as docs/install.md says.
 */
import { dump } from 'js-yaml';
import { dashboard } from '../../../src/operator/alerts/dashboard.js';
import { gatewayRules } from '../../../src/operator/alerts/gateway-rules.js';
import { prometheusRule } from '../../../src/operator/alerts/objects.js';
import { operatorRules } from '../../../src/operator/alerts/operator-rules.js';
import { relayRules } from '../../../src/operator/alerts/relay-rules.js';
import type { RuleGroup, Runbooks, Scraped } from '../../../src/operator/alerts/rules.js';
import type { GeneratedFile } from './rbac.js';

const RUNBOOKS: Runbooks = { baseUrl: 'https://docs.example.com/runbooks' };
const NAMESPACE = 'default';

interface RuleFile {
  readonly file: string;
  /** Of the object. */
  readonly name: string;
  /** The Service by which Prometheus names what it scrapes. */
  readonly scraped: Scraped;
  readonly rules: (scraped: Scraped, runbooks: Runbooks) => readonly RuleGroup[];
}

const FILES: readonly RuleFile[] = [
  {
    file: 'gateway',
    name: 'demo-gateway',
    scraped: { namespace: NAMESPACE, job: 'demo-gateway-internal' },
    rules: gatewayRules,
  },
  {
    file: 'relay-pool',
    name: 'local-relay',
    scraped: { namespace: NAMESPACE, job: 'local-relay' },
    rules: relayRules,
  },
  {
    file: 'operator',
    name: 'sallyport-operator',
    scraped: { namespace: 'sallyport-system', job: 'sallyport-operator-metrics' },
    rules: operatorRules,
  },
];

/** Every file of config/alerts. */
export function generateAlerts(): readonly GeneratedFile[] {
  return [
    { path: 'config/alerts/dashboard.json', text: JSON.stringify(dashboard()) },
    ...FILES.map(({ file, name, scraped, rules }) => ({
      path: `config/alerts/${file}.yaml`,
      text: rulesText({ name, namespace: scraped.namespace }, rules(scraped, RUNBOOKS)),
    })),
  ];
}

function rulesText(
  metadata: { readonly name: string; readonly namespace: string },
  groups: readonly RuleGroup[],
): string {
  const head =
    '# Written by `npm run generate` from src/operator/alerts. For a resource of another name or namespace replace\n' +
    '# namespace and job everywhere, and the address of the runbooks by that of your copy of docs/runbooks.\n';
  return head + dump(prometheusRule(metadata, groups), { lineWidth: 110, noRefs: true });
}

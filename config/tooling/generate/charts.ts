/*
 * The generated parts of charts/: CRDs, RBAC rules, schemas of values, READMEs, and the copy of sallyport-cluster in
 * sallyport, so that a chart can be installed from its folder without a network.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { CHART_INTRODUCTIONS } from './chart-introductions.js';
import { CHART_SCHEMAS, schemaText } from './chart-schema.js';
import { chartValues, valuesTable } from './chart-values.js';
import { readCrds } from './crds.js';
import { rulesOf, type GeneratedFile } from './rbac.js';
import { revisionOf } from './schema.js';

const CLUSTER = 'charts/sallyport-cluster';
const OPERATOR = 'charts/sallyport';
const LEASE_MARK = 'LEASE-OF-THIS-RELEASE';

/** Every generated file of charts/. */
export function generateCharts(root: string): readonly GeneratedFile[] {
  const cluster = [...crdTemplates(root), ...rules(CLUSTER), ...documents(root, CLUSTER)];
  const generated = new Set(cluster.map(({ path }) => path));
  const handWritten = filesOf(root, CLUSTER).filter(({ path }) => !generated.has(path));
  const readme = `${CLUSTER}/README.md`; // Its links lead from where it stands.
  const copied = [...cluster, ...handWritten].filter(({ path }) => path !== readme);
  const copies = copied.map(({ path, text }) => ({
    path: path.replace(CLUSTER, `${OPERATOR}/${CLUSTER}`),
    text,
  }));
  return [...cluster, ...rules(OPERATOR), ...documents(root, OPERATOR), ...copies];
}

/** Each CRD as a template. Not in crds/ of the chart: Helm would never upgrade it there. */
function crdTemplates(root: string): readonly GeneratedFile[] {
  return readCrds(join(root, 'crds')).map(({ file, crd }) => {
    const source = readFileSync(join(root, 'crds', file), 'utf8');
    if (source.includes('{{')) throw new Error(`crds/${file} holds {{, which Helm would run.`);
    const head = `metadata:\n  name: ${crd.metadata.name}\n  labels: { app.kubernetes.io/part-of: sallyport }\n`;
    if (!source.includes(head)) throw new Error(`crds/${file} does not begin as others do.`);
    const annotations = `(dict "helm.sh/resource-policy" "keep" "sallyport.dev/schema-revision" "${revisionOf(crd)}")`;
    const metadata = `metadata:\n  name: ${crd.metadata.name}\n  {{- include "sallyport-cluster.metadata" (dict "root" $ "annotations" ${annotations}) | nindent 2 }}\n`;
    return {
      path: `${CLUSTER}/templates/crds/${file}`,
      text: `{{- if .Values.crds.install }}\n# Written by \`npm run generate\` from crds/${file}. Do not edit.\n${source.replace(head, metadata)}{{- end }}\n`,
    };
  });
}

/** RBAC rules as named templates. */
function rules(chart: string): readonly GeneratedFile[] {
  const name = chart.split('/')[1]!;
  const lease = '{{ include "sallyport.name" . }}';
  const parts = ([scope, rules]: readonly [string, readonly object[]]) =>
    `{{- define "${name}.rules.${scope}" -}}\n${dump(rules, { lineWidth: 110, noRefs: true }).trimEnd()}\n{{- end }}\n`;
  const scopes: (readonly [string, readonly object[]])[] = [
    ['watched', rulesOf('Watched')],
    ['cluster', rulesOf('Cluster')],
    // The lease is in the namespace of the operator, which only its own chart knows.
    ...(chart === OPERATOR ? [['operator', rulesOf('Operator', LEASE_MARK)] as const] : []),
  ];
  const head =
    '{{- /* Written by `npm run generate` from src/operator/permissions.ts, where each verb has its reason. Do not edit. */ -}}\n';
  const text = head + scopes.map(parts).join('\n').replaceAll(LEASE_MARK, lease);
  return [{ path: `${chart}/templates/_rules.tpl`, text }];
}

function documents(root: string, chart: string): readonly GeneratedFile[] {
  const name = chart.split('/')[1]!;
  const table = valuesTable(chartValues(readFileSync(join(root, chart, 'values.yaml'), 'utf8')));
  return [
    { path: `${chart}/values.schema.json`, text: schemaText(CHART_SCHEMAS[name]!) },
    { path: `${chart}/README.md`, text: `${CHART_INTRODUCTIONS[name]!}\n## Values\n\n${table}\n` },
  ];
}

function filesOf(root: string, folder: string): readonly GeneratedFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({
      path: file.slice(root.length).replace(/^\//, ''),
      text: readFileSync(file, 'utf8'),
    }));
}

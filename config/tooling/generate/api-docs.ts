import {
  defaultText,
  valuesOf,
  versionOf,
  walk,
  type Crd,
  type Rule,
  type Schema,
} from './schema.js';

/** `docs/api/<kind>.md`: every field and every rule of one CRD, as users read them. */
export function apiPage(crd: Crd, source: string): string {
  const { kind, plural, shortNames, categories } = crd.spec.names;
  const version = versionOf(crd);
  const root = version.schema.openAPIV3Schema;
  const columns = version.additionalPrinterColumns.map(({ name }) => name);
  const selectable = version.selectableFields.map(({ jsonPath }) => code(jsonPath.slice(1)));
  return [
    `<!-- Written by \`npm run generate\` from ${source}. Do not edit. -->`,
    `# ${kind}`,
    root.description ?? '',
    [
      `- API version: ${code(`${crd.spec.group}/${version.name}`)}, namespaced, ${code(`kubectl get ${plural}`)}`,
      `- Short: ${shortNames.map(code).join(', ')}; in the category ${categories.map(code).join(', ')}`,
      `- Columns: ${columns.join(', ')}`,
      `- Field selectors: ${selectable.join(', ')}`,
      ...('scale' in version.subresources
        ? [`- ${code(`kubectl scale ${plural}/NAME`)} works once \`spec.replicas\` is set`]
        : []),
    ].join('\n'),
    '## Spec',
    fields(root, 'spec'),
    '## Rules',
    'What the API server refuses beside wrong types and bounds, and what it says then.',
    rules(root),
    '## Status',
    'Written by the operator; read it, never write it.',
    `${fields(root, 'status')}\n`,
  ].join('\n\n');
}

function fields(root: Schema, part: string): string {
  const schema = root.properties?.[part];
  if (!schema) throw new Error(`there is no ${part}`);
  const required = new Set(schema.required ?? []);
  return [...walk(schema)]
    .filter(([path, { description }]) => path !== '' && description !== undefined)
    .map(([path, field]) => {
      const needed = required.has(path) || isRequired(schema, path) ? ', required' : '';
      return `- **${code(path)}** (${typeText(field)}${needed}${defaultOf(field)}): ${field.description ?? ''}`;
    })
    .join('\n');
}

function isRequired(root: Schema, path: string): boolean {
  const parent = [...walk(root)].find(([at]) => at === path.replace(/\.?[^.]+$/, ''))?.[1];
  return parent?.required?.includes(path.replace(/^.*\./, '')) ?? false;
}

function typeText(schema: Schema): string {
  switch (schema.type) {
    case 'array':
      return `list of ${range(schema.minItems ?? 0, schema.maxItems)}: ${typeText(schema.items ?? schema)}`;
    case 'object':
      return schema.additionalProperties
        ? `map of ${range(schema.minProperties ?? 0, schema.maxProperties)} strings`
        : 'object';
    case 'integer':
      return `integer ${range(schema.minimum, schema.maximum)}`;
    case 'string':
      return stringText(schema);
    case 'boolean':
      return 'boolean';
  }
}

function stringText(schema: Schema): string {
  const values = valuesOf(schema);
  if (values) return values.map(code).join(' or ');
  if (schema.format === 'date-time') return 'time';
  return `string of at most ${schema.maxLength ?? 0} characters${schema.pattern === undefined ? '' : `, ${code(schema.pattern)}`}`;
}

function range(low: number | undefined, high: number | undefined): string {
  return `${low ?? ''} to ${high ?? ''}`;
}

function defaultOf(schema: Schema): string {
  const text = defaultText(schema);
  return text === undefined ? '' : `, default ${code(text)}`;
}

function rules(root: Schema): string {
  return [...walk(root)]
    .flatMap(([path, schema]) =>
      (schema['x-kubernetes-validations'] ?? []).map((rule) => ruleText(path, rule)),
    )
    .join('\n');
}

function ruleText(path: string, { rule, message }: Rule): string {
  return `- **${path === '' ? 'the whole resource' : code(path)}**: ${plain(message)}\n  ${code(rule.replace(/\s+/g, ' '))}`;
}

/** Text that Markdown shows as it is. */
function plain(text: string): string {
  return text.replace(/[*_<>]/g, (char) => `\\${char}`);
}

function code(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

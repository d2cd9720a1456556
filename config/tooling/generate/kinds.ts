import {
  defaultText,
  propertiesOf,
  revisionOf,
  valuesOf,
  versionOf,
  type Crd,
  type Schema,
} from './schema.js';

const WIDTH = 100;

/** `src/kinds/<kind>.gen.ts`: the TypeScript of one CRD. Same input, same text. */
export function kindModule(crd: Crd, source: string): string {
  const { kind, plural } = crd.spec.names;
  const version = versionOf(crd);
  const root = version.schema.openAPIV3Schema;
  const apiVersion = `${crd.spec.group}/${version.name}`;
  const types: string[] = [];
  for (const part of ['spec', 'status'] as const) {
    const schema = root.properties?.[part];
    if (schema) declare(kind, part === 'spec' ? `${kind}Spec` : `${kind}Status`, schema, types);
  }
  const top = [
    comment(root.description ?? '', 0),
    `export type ${kind} = {`,
    `  readonly apiVersion: '${apiVersion}';`,
    `  readonly kind: '${kind}';`,
    '  readonly metadata: Metadata;',
    `  readonly spec: ${kind}Spec;`,
    `  readonly status?: ${kind}Status;`,
    '};',
  ].join('\n');
  const constant = [
    `/** How the API server knows ${kind}. */`,
    `export const ${constantName(kind)} = {`,
    `  apiVersion: '${apiVersion}',`,
    `  kind: '${kind}',`,
    `  plural: '${plural}',`,
    `  schemaRevision: ${revisionOf(crd)},`,
    '} as const;',
  ].join('\n');
  const head = `// Written by \`npm run generate\` from ${source}. Do not edit.\nimport type { Metadata } from './metadata.js';`;
  return [head, constant, top, ...types].join('\n\n') + '\n';
}

/** `SIGNALING_GATEWAY` for `SignalingGateway`. */
export function constantName(kind: string): string {
  return kind.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

/** `signaling-gateway` for `SignalingGateway`. */
export function fileName(kind: string): string {
  return kind.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}

function declare(prefix: string, name: string, schema: Schema, out: string[]): void {
  const place = out.push('') - 1; // A type stands before those that it names.
  const required = new Set(schema.required ?? []);
  const lines = propertiesOf(schema).map(([field, child]) => {
    const optional = !required.has(field) && child.default === undefined;
    const childName = prefix + (name === `${prefix}Status` ? 'Status' : '') + pascal(field);
    const type = typeOf(childName, child, out);
    return `${comment(describe(child), 2)}\n  readonly ${field}${optional ? '?' : ''}: ${type};`;
  });
  out[place] =
    `${comment(schema.description ?? '', 0)}\nexport interface ${name} {\n${lines.join('\n')}\n}`;
}

function typeOf(name: string, schema: Schema, out: string[]): string {
  switch (schema.type) {
    case 'string':
      return (
        valuesOf(schema)
          ?.map((value) => `'${value}'`)
          .join(' | ') ?? 'string'
      );
    case 'integer':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array':
      return arrayOf(typeOf(singular(name), itemsOf(name, schema), out));
    case 'object':
      return objectType(name, schema, out);
  }
}

function objectType(name: string, schema: Schema, out: string[]): string {
  if (schema.additionalProperties) {
    return `Readonly<Record<string, ${typeOf(`${name}Value`, schema.additionalProperties, out)}>>`;
  }
  if (!schema.properties) return 'Readonly<Record<string, never>>';
  declare(name, name, schema, out);
  return name;
}

function itemsOf(name: string, schema: Schema): Schema {
  if (!schema.items) throw new Error(`${name} is an array without items`);
  return schema.items;
}

function arrayOf(type: string): string {
  return type.includes('|') ? `readonly (${type})[]` : `readonly ${type}[]`;
}

function singular(name: string): string {
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`;
  return name.endsWith('s') && !name.endsWith('ss') ? name.slice(0, -1) : `${name}Item`;
}

function pascal(field: string): string {
  return field.charAt(0).toUpperCase() + field.slice(1);
}

function describe(schema: Schema): string {
  const text = schema.description ?? '';
  const value = defaultText(schema);
  return value === undefined ? text : `${text} The CRD's default is ${value}.`;
}

function comment(text: string, indent: number): string {
  const pad = ' '.repeat(indent);
  const line = `${pad}/** ${text} */`;
  if (line.length <= WIDTH) return line;
  const lines = wrap(text, WIDTH - indent - 3).map((part) => `${pad} * ${part}`);
  return [`${pad}/**`, ...lines, `${pad} */`].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

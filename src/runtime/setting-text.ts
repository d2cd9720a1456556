/** The parts of JSON Schema that settings use, as ajv and typebox hand them over. */
export interface SettingSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SettingSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: SettingSchema;
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly required?: readonly string[];
}

/** What a value of this schema must be, to follow "is not": `a whole number from 1 to 64`. */
export function boundsText(schema: SettingSchema): string {
  const choices = choicesOf(schema);
  if (choices !== undefined) return `${choices.length === 1 ? '' : 'one of '}${choices.join(', ')}`;
  switch (schema.type) {
    case 'integer':
      return `a whole number${rangeText(schema.minimum, schema.maximum, '')}`;
    case 'number':
      return `a number${rangeText(schema.minimum, schema.maximum, '')}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return `text${rangeText(schema.minLength, schema.maxLength, ' characters')}${patternText(schema)}`;
    case 'array':
      return `a list${rangeText(schema.minItems, schema.maxItems, ' entries')}${itemsText(schema)}`;
    case 'object':
      return `an object with ${Object.keys(schema.properties ?? {}).join(', ')}`;
    default:
      return 'an accepted value';
  }
}

/** The values that a closed list allows, as JSON, or `undefined` when the schema is none. */
function choicesOf(schema: SettingSchema): string[] | undefined {
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value));
  if (!schema.anyOf) return undefined;
  const parts = schema.anyOf.map(choicesOf);
  return parts.some((part) => part === undefined) ? undefined : parts.flatMap((part) => part ?? []);
}

function rangeText(low: number | undefined, high: number | undefined, unit: string): string {
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}${unit}`;
  if (low !== undefined) return ` of at least ${low}${unit}`;
  return high === undefined ? '' : ` of at most ${high}${unit}`;
}

const patternText = ({ pattern }: SettingSchema) => (pattern ? ` that match ${pattern}` : '');
const itemsText = ({ items }: SettingSchema) => (items ? `, each ${boundsText(items)}` : '');

/** One line per setting, depth first: what `--help` prints. */
export function settingsHelp(schema: SettingSchema, prefix = ''): string[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    if (child.properties) return settingsHelp(child, path);
    return [
      `${path}: ${boundsText(child)}${fallbackText(child, required.has(name))}. ${child.description ?? ''}`,
      ...itemHelp(child, path),
    ];
  });
}

function itemHelp(schema: SettingSchema, path: string): string[] {
  return schema.items?.properties ? settingsHelp(schema.items, `${path}[]`) : [];
}

function fallbackText(schema: SettingSchema, required: boolean): string {
  if (schema.default !== undefined) return `; default ${JSON.stringify(schema.default)}`;
  return required ? '; required' : '; optional';
}

/** The name in `known` that someone who wrote `name` most likely meant, if one is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({
      candidate,
      distance: editDistance(name.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, Math.floor(name.length / 3))
    ? best.candidate
    : undefined;
}

/** Levenshtein distance. Inputs are setting names: short. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const swap = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

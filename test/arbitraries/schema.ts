import fc from 'fast-check';
import { propertiesOf, valuesOf, type Schema } from '../../config/tooling/generate/schema.js';

/** How values that the schema alone does not describe are made. The first entry whose path matches counts. */
export interface Known {
  /** Strings (and maps: their keys) by path below the schema, `storage.postgresql.peers[].cidr`. */
  readonly strings: readonly (readonly [RegExp, fc.Arbitrary<string>])[];
  /** What CEL rules between fields ask for: changes a value that satisfies the schema into one that satisfies them. */
  readonly rules: readonly (readonly [RegExp, (value: Part) => unknown])[];
}

/** A JSON object, as a rule sees it. */
export type Part = Readonly<Record<string, unknown>>;

/** Longer lists add time to every property test and nothing to what is tested. */
const MOST_ITEMS = 4;

/** Random values of `schema`: each optional field is there or not, each bound is met and sometimes touched. */
export function valueOf(schema: Schema, known: Known, path = ''): fc.Arbitrary<unknown> {
  const value = plainValueOf(schema, known, path);
  const rule = known.rules.find(([where]) => where.test(path))?.[1];
  return rule ? value.map((made) => rule(made as Part)) : value;
}

function plainValueOf(schema: Schema, known: Known, path: string): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer(bounds(schema.minimum, schema.maximum, path));
    case 'string':
      return stringOf(schema, known, path);
    case 'array':
      return arrayOf(schema, known, path);
    case 'object':
      return objectOf(schema, known, path);
  }
}

function stringOf(schema: Schema, known: Known, path: string): fc.Arbitrary<string> {
  const values = valuesOf(schema);
  if (values) return fc.constantFrom(...values);
  return bounded(stringsOf(known, path), schema.maxLength);
}

function stringsOf(known: Known, path: string): fc.Arbitrary<string> {
  const found = known.strings.find(([where]) => where.test(path));
  if (!found)
    throw new Error(`${path} is a string that test/arbitraries does not know how to make`);
  return found[1];
}

function bounded(strings: fc.Arbitrary<string>, maxLength = Infinity): fc.Arbitrary<string> {
  return strings.filter((made) => made.length <= maxLength);
}

function arrayOf(schema: Schema, known: Known, path: string): fc.Arbitrary<unknown> {
  if (!schema.items) throw new Error(`${path} is an array without items`);
  const keys = schema['x-kubernetes-list-map-keys'];
  return fc.uniqueArray(valueOf(schema.items, known, `${path}[]`), {
    minLength: schema.minItems ?? 0,
    maxLength: Math.min(schema.maxItems ?? MOST_ITEMS, MOST_ITEMS),
    selector: (item) => JSON.stringify(keys ? keys.map((key) => (item as Part)[key]) : item),
  });
}

function objectOf(schema: Schema, known: Known, path: string): fc.Arbitrary<unknown> {
  if (schema.additionalProperties) {
    const values = valueOf(schema.additionalProperties, known, `${path}{}`);
    return fc.dictionary(stringsOf(known, path), values as fc.Arbitrary<string>, {
      minKeys: schema.minProperties ?? 0,
      maxKeys: MOST_ITEMS,
      noNullPrototype: true,
    });
  }
  const fields = propertiesOf(schema).map(([name, child]) => {
    const inner = valueOf(child, known, path === '' ? name : `${path}.${name}`);
    return [name, inner] as const;
  });
  const requiredKeys = [...(schema.required ?? [])];
  return fc.record(Object.fromEntries(fields), { requiredKeys, noNullPrototype: true });
}

function bounds(
  min: number | undefined,
  max: number | undefined,
  path: string,
): { min: number; max: number } {
  if (min === undefined || max === undefined) throw new Error(`${path} has no bounds`);
  return { min, max };
}

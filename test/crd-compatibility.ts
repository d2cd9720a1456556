/** The part of an OpenAPI schema that decides whether an older resource is still valid. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly [keyword: string]: unknown;
}

/** Bounds that may be loosened and never tightened: the sign says in which direction a bound loosens. */
const BOUNDS: Readonly<Record<string, 1 | -1>> = {
  maximum: 1,
  maxLength: 1,
  maxItems: 1,
  maxProperties: 1,
  minimum: -1,
  minLength: -1,
  minItems: -1,
};

/**
 * What of `before` an additive version may not have done: a field removed, a type changed, an enum value dropped, a
 * bound tightened, a field newly required, a default changed. Empty when every old resource is still valid and means
 * the same.
 */
export function incompatibilities(
  before: Schema,
  after: Schema | undefined,
  path = '',
): readonly string[] {
  if (after === undefined) return [`${path} is gone`];
  return [
    ...retyped(before, after, path),
    ...dropped(before, after, path),
    ...newlyRequired(before, after, path),
    ...tightened(before, after, path),
    ...below(before, after, path),
  ];
}

function retyped(before: Schema, after: Schema, path: string): readonly string[] {
  const found = before.type === after.type ? [] : [`${path} was ${before.type}, is ${after.type}`];
  const sameDefault = JSON.stringify(before.default) === JSON.stringify(after.default);
  return sameDefault ? found : [...found, `${path} has another default`];
}

function dropped(before: Schema, after: Schema, path: string): readonly string[] {
  const gone = (before.enum ?? []).filter((value) => after.enum && !after.enum.includes(value));
  return gone.map((value) => `${path} no longer takes ${String(value)}`);
}

function newlyRequired(before: Schema, after: Schema, path: string): readonly string[] {
  const added = (after.required ?? []).filter((name) => !before.required?.includes(name));
  return added.map((name) => `${path}.${name} is newly required`);
}

function below(before: Schema, after: Schema, path: string): readonly string[] {
  const { items, additionalProperties: values } = before;
  const properties = Object.entries(before.properties ?? {}).flatMap(([name, schema]) =>
    incompatibilities(schema, after.properties?.[name], `${path}.${name}`),
  );
  const inItems = items ? incompatibilities(items, after.items, `${path}[]`) : [];
  const inValues =
    typeof values === 'object'
      ? incompatibilities(values, after.additionalProperties as Schema | undefined, `${path}{}`)
      : [];
  return [...properties, ...inItems, ...inValues];
}

function tightened(before: Schema, after: Schema, path: string): readonly string[] {
  return Object.entries(BOUNDS).flatMap(([keyword, direction]) => {
    const [old, now] = [
      before[keyword] as number | undefined,
      after[keyword] as number | undefined,
    ];
    const tighter = now !== undefined && (old === undefined || (now - old) * direction < 0);
    return tighter ? [`${path} has a tighter ${keyword}`] : [];
  });
}

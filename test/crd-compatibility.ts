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
  const found: string[] = [];
  if (before.type !== after.type) found.push(`${path} was ${before.type}, is ${after.type}`);
  for (const value of before.enum ?? []) {
    if (after.enum !== undefined && !after.enum.includes(value))
      found.push(`${path} no longer takes ${String(value)}`);
  }
  if (JSON.stringify(before.default) !== JSON.stringify(after.default))
    found.push(`${path} has another default`);
  for (const name of after.required ?? []) {
    if (!(before.required ?? []).includes(name)) found.push(`${path}.${name} is newly required`);
  }
  found.push(...tightened(before, after, path));
  for (const [name, schema] of Object.entries(before.properties ?? {})) {
    found.push(...incompatibilities(schema, after.properties?.[name], `${path}.${name}`));
  }
  if (before.items) found.push(...incompatibilities(before.items, after.items, `${path}[]`));
  if (typeof before.additionalProperties === 'object') {
    found.push(
      ...incompatibilities(
        before.additionalProperties,
        after.additionalProperties as Schema,
        `${path}{}`,
      ),
    );
  }
  return found;
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

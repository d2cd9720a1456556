import type { TSchema } from 'typebox';

interface SchemaShape {
  readonly live?: boolean;
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly anyOf?: readonly TSchema[];
  readonly const?: unknown;
}

/**
 * The part of `settings` that a running program does not take up: all but the values whose schema says `live: true`.
 * The operator hashes it into the pod template, so that these changes, and no others, roll pods. `undefined` when
 * everything is live.
 */
export function restartPart(schema: TSchema, settings: unknown): unknown {
  const { live, properties, anyOf } = schema as SchemaShape;
  if (live === true) return undefined;
  if (!isRecord(settings)) return settings;
  if (anyOf !== undefined) return restartPart(branchOf(anyOf, settings), settings);
  const parts = Object.entries(settings).flatMap(([name, value]) => {
    const known = properties?.[name];
    const part = known === undefined ? value : restartPart(known, value);
    return part === undefined ? [] : [[name, part] as const];
  });
  return parts.length === 0 ? undefined : Object.fromEntries(parts);
}

/** A union of objects is told apart by the literal in `type`. */
function branchOf(branches: readonly TSchema[], value: Readonly<Record<string, unknown>>): TSchema {
  const typeOf = (branch: TSchema) =>
    ((branch as SchemaShape).properties?.['type'] as SchemaShape | undefined)?.const;
  const found = branches.find((branch) => typeOf(branch) === value['type']);
  if (found === undefined)
    throw new RangeError(`no branch of the schema has type ${String(value['type'])}`);
  return found;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { isDeepStrictEqual } from 'node:util';
import type { Static, TSchema } from 'typebox';

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

/** What a new settings.json means for a program that runs. */
export interface SettingsChange<Settings> {
  /** The settings from now on: live values of the new file, everything else as it was. */
  readonly settings: Settings;
  /** Whether the file also changes something that only a new process takes up. */
  readonly needsRestart: boolean;
}

/** Takes from `next` what a running program may take, as `live: true` in `schema` says. */
export function settingsChange<Schema extends TSchema>(
  schema: Schema,
  now: Static<Schema>,
  next: Static<Schema>,
): SettingsChange<Static<Schema>> {
  return {
    // Both are of the schema, and so is a mix of their values name by name.
    settings: withLive(schema, now, next) as Static<Schema>,
    needsRestart: !isDeepStrictEqual(restartPart(schema, now), restartPart(schema, next)),
  };
}

function withLive(schema: TSchema, now: unknown, next: unknown): unknown {
  if (isDeepStrictEqual(restartPart(schema, now), restartPart(schema, next))) return next;
  if (!isRecord(now) || !isRecord(next)) return now;
  const { anyOf, properties } = schema as SchemaShape;
  if (anyOf !== undefined) {
    const branch = branchOf(anyOf, now);
    return branch === branchOf(anyOf, next) ? withLive(branch, now, next) : now;
  }
  const names = [...new Set([...Object.keys(now), ...Object.keys(next)])];
  const values = names.flatMap((name) => {
    const known = properties?.[name];
    const value = known === undefined ? now[name] : withLive(known, now[name], next[name]);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(values);
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

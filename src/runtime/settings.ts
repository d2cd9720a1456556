import { Ajv, type ErrorObject } from 'ajv';
import type { Static, TSchema } from 'typebox';
import { ActionableError } from './errors.js';
import { OWN_SCHEMAS } from './own-schemas.js';
import { plainText, shortJson } from './json-line.js';
import { boundsText, nearestName, type SettingSchema } from './setting-text.js';

/** `format` and Unicode rules of patterns are JSON Schema's; OpenAPI schemas (our CRDs) mean less by them. */
const AJV_OPTIONS = {
  allErrors: true,
  useDefaults: true,
  verbose: true,
  ...OWN_SCHEMAS,
  validateFormats: false,
  unicodeRegExp: false,
} as const;

/** More lines than this help nobody. */
const MAX_PROBLEMS = 10;
const MAX_VALUE_CHARACTERS = 80;

/**
 * `value` checked against `schema`, with the documented defaults filled in; `value` itself is left alone.
 * `source` says where it came from (`/etc/sallyport/settings.json`).
 * @throws ActionableError ERR_SETTING, naming each unknown or bad setting, its value, its bounds and what to do.
 */
export function readSettings<Schema extends TSchema>(
  schema: Schema,
  value: unknown,
  source: string,
): Static<Schema> {
  const ajv = new Ajv(AJV_OPTIONS);
  const settings: unknown = structuredClone(value);
  if (ajv.validate(schema, settings)) return settings as Static<Schema>;
  const problems = problemsOf(ajv.errors ?? []);
  const more =
    problems.length > MAX_PROBLEMS ? ` (and ${problems.length - MAX_PROBLEMS} more)` : '';
  const shown = problems.slice(0, MAX_PROBLEMS);
  throw new ActionableError(
    'ERR_SETTING',
    `${source}: ${shown.map((p) => p.problem).join(' ')}${more}`,
    shown.map((p) => p.hint).join(' '),
  );
}

interface Problem {
  readonly problem: string;
  readonly hint: string;
}

function problemsOf(errors: readonly ErrorObject[]): Problem[] {
  // An `anyOf` that failed also reports each branch that it tried: those say nothing that it does not.
  const unions = errors
    .filter((error) => error.keyword === 'anyOf')
    .map((error) => error.instancePath);
  return errors
    .filter(
      (error) =>
        error.keyword === 'anyOf' || !unions.some((path) => error.instancePath.startsWith(path)),
    )
    .map(problemOf);
}

function problemOf(error: ErrorObject): Problem {
  const path = pathText(error.instancePath);
  const params = error.params as Readonly<Record<string, unknown>>;
  const schema = (error.parentSchema ?? {}) as SettingSchema;
  if (error.keyword === 'additionalProperties')
    return unknownName(path, String(params['additionalProperty']), schema);
  if (error.keyword === 'required') return missing(path, String(params['missingProperty']), schema);
  const name = path === '' ? 'The settings' : path;
  const value = shortJson(error.data, MAX_VALUE_CHARACTERS);
  return {
    problem: `${name}=${value} is not ${boundsText(schema)}.`,
    hint: `${remedy(name, schema)}.`,
  };
}

function unknownName(path: string, name: string, schema: SettingSchema): Problem {
  const known = Object.keys(schema.properties ?? {});
  const shown = plainText(join(path, name), MAX_VALUE_CHARACTERS);
  const meant = nearestName(name, known);
  const hint = meant
    ? `Write "${join(path, meant)}" instead of "${shown}", or remove it.`
    : `Remove "${shown}"; known here: ${known.join(', ')}.`;
  return { problem: `"${shown}" is not a setting.`, hint };
}

function missing(path: string, name: string, schema: SettingSchema): Problem {
  const child = schema.properties?.[name] ?? {};
  const full = join(path, name);
  return {
    problem: `${full} is missing; it must be ${boundsText(child)}.`,
    hint: `${remedy(full, child)}.`,
  };
}

function remedy(name: string, schema: SettingSchema): string {
  const meaning = schema.description?.replace(/\.$/, '');
  const set = meaning === undefined ? `Correct ${name}` : `Set ${name} (${meaning})`;
  return schema.default === undefined
    ? set
    : `${set}, or remove it to use ${JSON.stringify(schema.default)}`;
}

const join = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);

/** `/renders/0/version` as people write it: `renders[0].version`. */
function pathText(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : join(path, part)), '');
}

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCrds } from '../config/tooling/generate/crds.js';
import {
  propertiesOf,
  versionOf,
  type Crd,
  type Schema,
} from '../config/tooling/generate/schema.js';

/** The folder of the CRDs. */
export const CRDS = fileURLToPath(new URL('../crds', import.meta.url));

/** The four CRDs with their file names. */
export const ALL_CRDS = readCrds(CRDS);

/** The CRD of `kind`. @throws Error when crds/ has none */
export function crdOf(kind: string): Crd {
  const found = ALL_CRDS.find(({ crd }) => crd.spec.names.kind === kind);
  if (!found) throw new Error(`${join(CRDS, '*.yaml')} has no ${kind}`);
  return found.crd;
}

/** The schema of a whole resource of `kind`. */
export function schemaOf(kind: string): Schema {
  return versionOf(crdOf(kind)).schema.openAPIV3Schema;
}

/** `value` with the CRD's defaults, as the API server stores it (structural schemas, "defaulting"). */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => defaulted(schema.items, item));
  if (typeof value !== 'object' || value === null) return value;
  const out = Object.fromEntries(
    Object.entries(value)
      .filter(([, held]) => held !== undefined)
      .map(([name, held]) => [name, defaulted(childOf(schema, name), held)]),
  );
  for (const [name, child] of propertiesOf(schema)) {
    if (child.default !== undefined) out[name] ??= withDefaults(child, child.default);
  }
  return out;
}

function childOf(schema: Schema, name: string): Schema | undefined {
  return schema.properties?.[name] ?? schema.additionalProperties;
}

function defaulted(schema: Schema | undefined, value: unknown): unknown {
  return schema ? withDefaults(schema, value) : value;
}

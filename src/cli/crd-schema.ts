import type { TSchema } from 'typebox';
import type { KubernetesObject } from '../kubernetes/object.js';
import { ActionableError } from '../runtime/errors.js';
import { readSettings } from '../runtime/settings.js';

/** The parts of a CustomResourceDefinition that admission needs. */
export interface Crd {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly schema: { readonly openAPIV3Schema: JsonSchema };
    }[];
  };
}

type JsonSchema = Readonly<Record<string, unknown>>;

/** Resources of our kinds as an API server would store them, without one: schema and defaults, not CEL. */
export class CrdSchemas {
  readonly #schemas = new Map<string, JsonSchema>();

  constructor(crds: readonly Crd[]) {
    for (const { spec } of crds) {
      for (const version of spec.versions.filter(({ served }) => served)) {
        const key = `${spec.group}/${version.name} ${spec.names.kind}`;
        this.#schemas.set(key, bodySchema(version.schema.openAPIV3Schema));
      }
    }
  }

  /**
   * `object` with the defaults of its kind. `source` says where it stands, for messages.
   * @throws ActionableError ERR_RESOURCE_FILE for an unknown kind, and for each unknown or bad field with what to
   * write instead.
   */
  admit(object: KubernetesObject, source: string): KubernetesObject {
    const { apiVersion, kind, metadata, ...rest } = object;
    const schema = this.#schemas.get(`${apiVersion} ${kind}`);
    if (!schema) {
      const known = [...this.#schemas.keys()].join(', ');
      throw new ActionableError(
        'ERR_RESOURCE_FILE',
        `${source}: ${apiVersion} ${kind} is not a kind of ours.`,
        `Known here: ${known}.`,
      );
    }
    try {
      // A CRD's schema is JSON Schema, which is all that the validator needs of a TSchema.
      const admitted = readSettings(schema as unknown as TSchema, { spec: {}, ...rest }, source);
      return { apiVersion, kind, metadata, ...(admitted as object) };
    } catch (error) {
      if (!(error instanceof ActionableError)) throw error;
      const problem = error.problem.replaceAll('is not a setting', 'is not a field');
      throw new ActionableError('ERR_RESOURCE_FILE', problem, error.hint, { cause: error });
    }
  }
}

/** What every object has; checked by who read it. */
const IDENTITY = new Set(['apiVersion', 'kind', 'metadata']);

/** The schema of everything but the identity of an object. */
function bodySchema(schema: JsonSchema): JsonSchema {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  return closed({
    ...schema,
    properties: Object.fromEntries(properties.filter(([name]) => !IDENTITY.has(name))),
  });
}

/**
 * `schema` with every object closed: an API server drops or refuses a field that it does not know, and a person who
 * misspelt one wants to hear it.
 */
function closed(schema: JsonSchema): JsonSchema {
  const { properties, items } = schema;
  const children = Object.entries((properties ?? {}) as Record<string, JsonSchema>);
  const isClosed = properties !== undefined && schema['additionalProperties'] === undefined;
  return {
    ...schema,
    ...(isClosed && {
      properties: Object.fromEntries(children.map(([name, child]) => [name, closed(child)])),
      additionalProperties: false,
    }),
    ...(items !== undefined && { items: closed(items as JsonSchema) }),
  };
}

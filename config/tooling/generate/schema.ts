/** The part of OpenAPI v3 that a structural schema of ours uses. */
export interface Schema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly Rule[];
}

/** One CEL rule (x-kubernetes-validations). */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  readonly messageExpression?: string;
  readonly fieldPath?: string;
}

/** A CustomResourceDefinition with one version, as the files in crds/ have it. */
export interface Crd {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: {
      readonly kind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames: readonly string[];
      readonly categories: readonly string[];
    };
    readonly versions: readonly CrdVersion[];
  };
}

export interface CrdVersion {
  readonly name: string;
  readonly subresources: Readonly<Record<string, unknown>>;
  readonly selectableFields: readonly { readonly jsonPath: string }[];
  readonly additionalPrinterColumns: readonly {
    readonly name: string;
    readonly type: string;
    readonly description: string;
    readonly jsonPath: string;
    readonly priority?: number;
  }[];
  readonly schema: { readonly openAPIV3Schema: Schema };
}

/** The only version of `crd`. */
export function versionOf(crd: Crd): CrdVersion {
  const [version, ...others] = crd.spec.versions;
  if (!version || others.length > 0) throw new Error(`${crd.metadata.name} must have one version`);
  return version;
}

/** The properties of an object schema; none for any other. */
export function propertiesOf(schema: Schema): readonly (readonly [string, Schema])[] {
  return Object.entries(schema.properties ?? {});
}

/** Every schema of `root` with its path: `spec.hosts[]` for items, `spec.image{}` for map values. */
export function* walk(root: Schema, path = ''): Generator<readonly [string, Schema]> {
  yield [path, root];
  for (const [name, child] of propertiesOf(root)) {
    yield* walk(child, path === '' ? name : `${path}.${name}`);
  }
  if (root.items) yield* walk(root.items, `${path}[]`);
  if (root.additionalProperties) yield* walk(root.additionalProperties, `${path}{}`);
}

/**
 * The values that a string may have: its enum, or those of a rule `self in ['A', 'B']`, which is an enum whose
 * refusal has a message of ours. '*' stands in such a rule only to leave its refusal to another rule.
 */
export function valuesOf(schema: Schema): readonly string[] | undefined {
  if (schema.type !== 'string') return undefined;
  if (schema.enum) return schema.enum;
  for (const { rule } of schema['x-kubernetes-validations'] ?? []) {
    const list = /^self in \[(?<list>[^\]]*)\]$/.exec(rule)?.groups?.['list'];
    if (list !== undefined) {
      return [...list.matchAll(/'([^']*)'/g)]
        .map(([, value]) => value ?? '')
        .filter((v) => v !== '*');
    }
  }
  return undefined;
}

/** The default of a single value, as text; none for objects and lists, whose fields have their own. */
export function defaultText({ default: value }: Schema): string | undefined {
  if (value === undefined || typeof value === 'object') return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * The schema revision of a CRD, which its description ends with: raised with each change of the schema.
 * @throws Error for a CRD that does not say it.
 */
export function revisionOf(crd: Crd): number {
  const description = versionOf(crd).schema.openAPIV3Schema.description ?? '';
  const revision = /Schema revision ([1-9][0-9]*)[.]$/.exec(description)?.[1];
  if (revision === undefined)
    throw new Error(
      `The description of ${crd.metadata.name} does not end with its schema revision.`,
    );
  return Number(revision);
}
